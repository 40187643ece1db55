import type { AppendSettings } from './append.ts';
import { laneLength } from './lane-steps.ts';
import { script, type Script } from './script.ts';

/**
 * Adds bytes to lanes, or replaces their value, each where its record is the very one of its caller and its length is the place that he says.
 *
 * KEYS  for each flush: parts · lane
 *
 * ARGV  for each flush: lane · its record, open · place · bytes
 *
 * Publishes what was added on the channel that is called like `parts`; see `part-message.ts`. Of more bytes than a message has it tells the place after them
 *
 * Returns for each flush -1 where it was written, or was before, -2 where it may not be, the length where that is another one, else the error that it met
 */
export function flushScript({ isCluster, messageBytesMax }: AppendSettings): Script {
  const publish = isCluster ? 'SPUBLISH' : 'PUBLISH';
  return script(
    'flush',
    `${laneLength}
local call, most = redis.call, ${messageBytesMax}

local function flush(parts, key, lane, record, at, bytes)
  if call('HGET', parts, lane) ~= record then return -2 end
  local value, length = isValue(record), laneLength(key, record)
  local added = value and 1 or #bytes
  if length ~= at then
    local ours = #bytes > 0 and at + added == length and call('GETRANGE', key, value and 10 or at, -1) == bytes
    return ours and -1 or length
  end
  if #bytes == 0 then return -1 end
  if value then call('SET', key, string.format('%010d', at + 1) .. bytes) else call('APPEND', key, bytes) end
  if #bytes > most then at, bytes = at + added, '' end
  call('${publish}', parts, lane .. ';' .. string.format('%.0f', at) .. ';' .. record .. '\\n' .. bytes)
  return -1
end

local replies = {}
for key = 1, #KEYS, 2 do
  local arg = 2 * key - 1
  local ran, reply = pcall(flush, KEYS[key], KEYS[key + 1], ARGV[arg], ARGV[arg + 1], tonumber(ARGV[arg + 2]), ARGV[arg + 3])
  if not ran and type(reply) == 'table' then reply = reply.err end
  replies[#replies + 1] = reply
end
return replies
`,
  );
}

/**
 * Ends the writing to a lane; once more changes nothing.
 *
 * KEYS  1 parts · 2 lane
 *
 * ARGV  1 lane · 2 its record, open
 *
 * Returns its length, -2 where it is not open under that record
 */
export const seal = script(
  'seal',
  `${laneLength}
local record, sealed = redis.call('HGET', KEYS[1], ARGV[1]), 's' .. string.sub(ARGV[2], 2)
if record == ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[1], sealed)
elseif record ~= sealed then
  return -2
end
return laneLength(KEYS[2], sealed)
`,
);

/**
 * KEYS  1 parts · 2 lane
 *
 * ARGV  1 lane · 2 the first byte, or the version that is known · 3 the last byte, or '' for none · 4 the most bytes that go through a script
 *
 * Returns {record, length, bytes}, without the bytes where there are more; false where there is no such lane
 */
export const readPart = script(
  'readPart',
  `${laneLength}
local record = redis.call('HGET', KEYS[1], ARGV[1])
if not record then return false end
local length, bytes = laneLength(KEYS[2], record), ''
if isValue(record) then
  if length > tonumber(ARGV[2]) then bytes = redis.call('GETRANGE', KEYS[2], 10, -1) end
elseif ARGV[3] ~= '' and math.min(length - 1, tonumber(ARGV[3])) - ARGV[2] >= tonumber(ARGV[4]) then
  return { record, length }
elseif ARGV[3] ~= '' then
  bytes = redis.call('GETRANGE', KEYS[2], ARGV[2], ARGV[3])
end
return { record, length, bytes }
`,
);

/**
 * How far tasks have come. The other keys are made of theirs: same tag, same slot.
 *
 * KEYS  tasks; on a cluster, where they are of one bucket, moving as well
 *
 * ARGV  1 number of tasks
 *
 * Returns for each {newest id or '', lane, record, length, lane, record, length, …} with its open lanes
 */
export const newest = script(
  'newest',
  `${laneLength}
local found = {}
for i = 1, tonumber(ARGV[1]) do
  local texts = redis.call('HMGET', KEYS[i], 'at', 'lanes')
  local one = { string.match(texts[1] or '', '([^;]*);[^;]*$') or '' }
  local base, id = string.sub(KEYS[i], 1, -38), string.sub(KEYS[i], -32)
  for lane in string.gmatch(texts[2] or '', '[^,]+') do
    local record = redis.call('HGET', base .. 'parts:' .. id, lane)
    if record then
      local at = #one
      one[at + 1], one[at + 2], one[at + 3] = lane, record, laneLength(base .. 'lane:' .. id .. ':' .. lane, record)
    end
  end
  found[i] = one
end
return found
`,
);

/**
 * KEYS  1 parts
 *
 * Returns the lanes of a task, open or closed
 */
export const laneNames = script(
  'laneNames',
  `
local names, all = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do names[#names + 1] = all[i] end
return names
`,
);
