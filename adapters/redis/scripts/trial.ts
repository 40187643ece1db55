import { script } from './script.ts';

/**
 * Each command that the scripts call, with arguments that do no harm to a key that nobody else uses. A user who may do these may do all that the
 * store does; the README's list is held to it.
 */
export function trialCommands(key: string, isCluster: boolean): readonly (readonly string[])[] {
  return [
    // First and last, so that nothing stays; from the second on the key has a type that most of them refuse, which only a right brings them to.
    ['UNLINK', key],
    ['SET', key, ''],
    ['GET', key],
    ['EXISTS', key],
    ['SETRANGE', key, '0', ''],
    ['HGET', key, 'x'],
    ['HGETALL', key],
    ['HMGET', key, 'x'],
    ['HSET', key, 'x', ''],
    ['HSETNX', key, 'x', ''],
    ['XADD', key, '1-1', 'x', ''],
    ['XRANGE', key, '-', '+'],
    ['XTRIM', key, 'MINID', '1-0'],
    ['ZADD', key, '1', 'x'],
    ['ZREM', key, 'x'],
    ['ZRANGEBYSCORE', key, '0', '1'],
    ['TIME'],
    [isCluster ? 'SPUBLISH' : 'PUBLISH', key, ''],
    ['UNLINK', key],
  ];
}

/**
 * Tries commands.
 *
 * KEYS  1 the key that they are about
 *
 * ARGV  for each: how many texts it has · the texts
 *
 * Returns {name, error, name, error, …} of those that were refused
 */
export const trial = script(
  'trial',
  `
local refused, at = {}, 1
while at <= #ARGV do
  local last = at + ARGV[at]
  local reply = redis.pcall(unpack(ARGV, at + 1, last))
  if type(reply) == 'table' and reply.err then
    refused[#refused + 1] = ARGV[at + 1]
    refused[#refused + 1] = reply.err
  end
  at = last + 1
end
return refused
`,
);
