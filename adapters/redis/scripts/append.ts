import { script } from './script.ts';

/**
 * Writes all of a commit, or nothing.
 *
 * KEYS  1 task · 2 kept · 3 log · 4 due
 *
 * ARGV  1 expected revision · 2 expected mark, or '' where it is not known · 3 task id · 4 due time, or '' for never · 5 first retained `n` ·
 *       6 PUBLISH, or SPUBLISH on a cluster · 7 channel · 8 bytes that a message may carry · 9 '1' where the last fact ends the log, else '0' ·
 *       10 number of facts · 11 number of texts for the task's hash · 12 number of texts for the kept hash ·
 *       then the facts (id, bytes), the task's hash (name, value), the kept hash (name, value)
 *
 * Returns 1 where it was written, 0 for a conflict, {last, ended} where the facts are not the next ones
 *
 * Every check stands before the first write. The first write is one that Redis refuses where memory, disk or role do not allow it, and what
 * follows it is not refused any more: so there is no half of a commit.
 */
export const append = script(
  'append',
  `
local task = redis.call('HMGET', KEYS[1], 'revision', 'mark', 'first', 'last', 'ended')
if task[1] ~= ARGV[1] or (ARGV[2] ~= '' and task[2] ~= ARGV[2]) then return 0 end

local facts, fields, kept = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local n = tonumber(string.match(task[4], '^%d+')) or 0
for i = 1, facts do
  n = n + 1
  if task[5] == '1' or tonumber(string.match(ARGV[11 + 2 * i], '^(%d+)%-')) ~= n then return { task[4], task[5] } end
end

local at = 13 + 2 * facts
for from = at, at + fields - 1, 1000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, from, math.min(from + 999, at + fields - 1)))
end
at = at + fields
for from = at, at + kept - 1, 1000 do
  redis.call('HSET', KEYS[2], unpack(ARGV, from, math.min(from + 999, at + kept - 1)))
end
for i = 1, facts do
  redis.call('XADD', KEYS[3], ARGV[11 + 2 * i], 'b', ARGV[12 + 2 * i])
end
local first = tonumber(ARGV[5])
if first > tonumber(task[3]) then
  redis.call('XTRIM', KEYS[3], 'MINID', ARGV[5] .. '-0')
  redis.call('HSET', KEYS[1], 'first', string.format('%.0f', math.min(first, n + 1)))
end
if ARGV[4] == '' then
  redis.call('ZREM', KEYS[4], ARGV[3])
else
  redis.call('ZADD', KEYS[4], ARGV[4], ARGV[3])
end

if facts > 0 then
  local head, body, size = {}, {}, 0
  for i = 1, facts do
    body[i] = ARGV[12 + 2 * i]
    size = size + #body[i]
    head[i] = ARGV[11 + 2 * i] .. ',' .. #body[i]
  end
  local carried = size <= tonumber(ARGV[8])
  local message = ARGV[9] .. ';' .. (carried and table.concat(head, ';') or head[1] .. ';' .. head[facts] .. ';-') .. '\\n'
  redis.call(ARGV[6], ARGV[7], carried and message .. table.concat(body) or message)
end
return 1
`,
);
