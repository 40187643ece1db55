import { script, type Script } from './script.ts';

/** What a store's commits have in common. */
export interface AppendSettings {
  /** True for sharded channels. */
  readonly isCluster: boolean;
  /** Facts up to that many bytes travel in the message that tells of them. */
  readonly messageBytesMax: number;
}

/**
 * Writes all of a commit, or nothing.
 *
 * KEYS  1 task · 2 kept · 3 log · 4 due
 *
 * ARGV  1 expected revision · 2 expected mark, or '' where it is not known · 3 mark of this commit · 4 due time, or '' for never ·
 *       5 first retained `n` · 6 '1' where the last fact ends the log, else '0' · 7 number of facts · 8 number of texts for the task's hash ·
 *       then the facts (id, bytes), the task's hash (name, value), the kept hash (name, value)
 *
 * Publishes the facts on the channel that is called like the log; see `message.ts`
 *
 * Returns 1 where it was written, 0 for a conflict, {last, ended} where the facts are not the next ones
 *
 * Every check stands before the first write. The first write is one that Redis refuses where memory, disk or role do not allow it, and what
 * follows it is not refused any more: so there is no half of a commit. Few arguments and few calls: each costs its part of every commit.
 */
export function appendScript({ isCluster, messageBytesMax }: AppendSettings): Script {
  return script(
    'append',
    `
local task = redis.call('HMGET', KEYS[1], 'revision', 'mark', 'first', 'last', 'ended', 'due')
if task[1] ~= ARGV[1] or (ARGV[2] ~= '' and task[2] ~= ARGV[2]) then return 0 end

local count = tonumber(ARGV[7])
local n = tonumber(string.match(task[4], '^%d+')) or 0
for at = 9, 7 + 2 * count, 2 do
  n = n + 1
  if task[5] == '1' or tonumber(string.match(ARGV[at], '^(%d+)%-')) ~= n then return { task[4], task[5] } end
end

local fields = 9 + 2 * count
local kept = fields + tonumber(ARGV[8])
local own = { 'revision', string.format('%.0f', ARGV[1] + 1), 'mark', ARGV[3] }
if count > 0 then
  own[5], own[6] = 'last', ARGV[fields - 2]
  if ARGV[6] == '1' then own[7], own[8] = 'ended', '1' end
end
local first, size = tonumber(ARGV[5]), #own
local trims = first > tonumber(task[3])
if trims then
  own[size + 1], own[size + 2] = 'first', string.format('%.0f', math.min(first, n + 1))
  size = size + 2
end
local moves = task[6] ~= ARGV[4]
if moves then
  own[size + 1], own[size + 2] = 'due', ARGV[4]
  size = size + 2
end
for at = fields, math.min(kept - 1, fields + 999) do
  size = size + 1
  own[size] = ARGV[at]
end
redis.call('HSET', KEYS[1], unpack(own))
for from = fields + 1000, kept - 1, 1000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, from, math.min(from + 999, kept - 1)))
end
for from = kept, #ARGV, 1000 do
  redis.call('HSET', KEYS[2], unpack(ARGV, from, math.min(from + 999, #ARGV)))
end
for at = 9, fields - 1, 2 do redis.call('XADD', KEYS[3], ARGV[at], 'b', ARGV[at + 1]) end
if trims then redis.call('XTRIM', KEYS[3], 'MINID', ARGV[5] .. '-0') end
if moves then
  local id = string.sub(KEYS[1], -32)
  if ARGV[4] == '' then redis.call('ZREM', KEYS[4], id) else redis.call('ZADD', KEYS[4], ARGV[4], id) end
end

if count == 1 and #ARGV[10] <= ${messageBytesMax} then
  redis.call('${isCluster ? 'SPUBLISH' : 'PUBLISH'}', KEYS[3], ARGV[6] .. ';' .. ARGV[9] .. ',' .. #ARGV[10] .. '\\n' .. ARGV[10])
elseif count > 0 then
  local head, body, bytes = {}, {}, 0
  for i = 1, count do
    body[i] = ARGV[8 + 2 * i]
    bytes = bytes + #body[i]
    head[i] = ARGV[7 + 2 * i] .. ',' .. #body[i]
  end
  local message
  if bytes <= ${messageBytesMax} then
    message = ARGV[6] .. ';' .. table.concat(head, ';') .. '\\n' .. table.concat(body)
  else
    message = ARGV[6] .. ';' .. head[1] .. ';' .. head[count] .. ';-\\n'
  end
  redis.call('${isCluster ? 'SPUBLISH' : 'PUBLISH'}', KEYS[3], message)
end
return 1
`,
  );
}
