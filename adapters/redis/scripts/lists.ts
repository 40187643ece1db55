import { script } from './script.ts';

/**
 * A page of the tasks of one state and type, of some buckets.
 *
 * KEYS  the list in each bucket
 *
 * ARGV  1 most · 2 the score of the task to go on after, or '' · 3 its id
 *
 * Returns {task id, score, …}, those first that came first, those of one time by id
 */
export const inState = script(
  'inState',
  `
local most, after = tonumber(ARGV[1]), tonumber(ARGV[2])
-- A page has a few of each bucket.
local few = math.ceil(2 * most / #KEYS)

-- Goes on in the list of a bucket, behind a time and an id.
local function follow(line)
  line.at = line.at + 1
  local offset = 0
  while not line.page[line.at] and line.isOpen do
    local some = redis.call('ZRANGEBYSCORE', line.key, line.since or '-inf', '+inf', 'WITHSCORES', 'LIMIT', offset, few)
    line.isOpen = #some == 2 * few
    line.page, line.at = {}, 1
    for i = 1, #some, 2 do
      local since = tonumber(some[i + 1])
      if not line.since or since > line.since or some[i] > line.id then line.page[#line.page + 1] = { some[i], since } end
    end
    offset = offset + few
  end
  line.head = line.page[line.at]
  if line.head then line.id, line.since = line.head[1], line.head[2] end
end

local lines, reply = {}, {}
for i, key in ipairs(KEYS) do
  lines[i] = { key = key, since = after, id = ARGV[3], page = {}, at = 0, isOpen = true }
  follow(lines[i])
end
while #reply < 2 * most do
  local first
  for _, each in ipairs(lines) do
    local head = each.head
    if head and (not first or head[2] < first.head[2] or head[2] == first.head[2] and head[1] < first.head[1]) then first = each end
  end
  if not first then return reply end
  reply[#reply + 1] = first.head[1]
  reply[#reply + 1] = string.format('%.0f', first.head[2])
  follow(first)
end
return reply
`,
);

/**
 * How many tasks there are of each state and type, in some buckets. The lists themselves are made of the first key: same tag, same slot.
 *
 * KEYS  lists, for each bucket; on a cluster, where there is one bucket, moving as well
 *
 * Returns {name of the list, how many, …}
 */
export const counts = script(
  'counts',
  `
local totals, reply = {}, {}
for _, key in ipairs(KEYS) do
  for _, list in ipairs(redis.call('ZRANGEBYSCORE', key, 0, 0)) do
    local size = redis.call('ZCARD', string.sub(key, 1, -6) .. 'in:' .. list)
    if size == 0 then redis.call('ZREM', key, list) else totals[list] = (totals[list] or 0) + size end
  end
end
for list, total in pairs(totals) do
  reply[#reply + 1] = list
  reply[#reply + 1] = tostring(total)
end
return reply
`,
);
