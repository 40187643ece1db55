import { script } from './script.ts';

/**
 * Each command that the scripts call, with arguments that do no harm to a key that nobody else uses. A user who may do these may do all that the
 * store does; the README's list is held to it.
 */
export function trialCommands(key: string, isCluster: boolean): readonly (readonly string[])[] {
  return [
    // The first write is the one that a server refuses which takes none. From SET on the key has a type that most of the others refuse: only a
    // right brings them so far. What is deleted at both ends does not stay.
    ['SETRANGE', key, '0', ''],
    ['UNLINK', key],
    ['SET', key, ''],
    ['GET', key],
    ['APPEND', key, ''],
    ['STRLEN', key],
    ['GETRANGE', key, '0', '1'],
    ['EXISTS', key],
    ['HGET', key, 'x'],
    ['HGETALL', key],
    ['HMGET', key, 'x'],
    ['HSET', key, 'x', ''],
    ['HSETNX', key, 'x', ''],
    ['HDEL', key, 'x'],
    ['XADD', key, '1-1', 'x', ''],
    ['XRANGE', key, '-', '+'],
    ['XTRIM', key, 'MINID', '1-0'],
    ['ZADD', key, '1', 'x'],
    ['ZREM', key, 'x'],
    ['ZSCORE', key, 'x'],
    ['ZCARD', key],
    ['ZRANGEBYLEX', key, '-', '+'],
    ['ZRANGEBYSCORE', key, '0', '1'],
    ['ZREVRANGEBYSCORE', key, '1', '0'],
    ['SCAN', '0', 'COUNT', '1'],
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
