import { script } from './script.ts';

/** Ripe entries that one call looks at beyond those that it gives: a call stays short, and is asked again. */
const ENTRIES_MAX = 256;

/** So long, in milliseconds, after a task came to its queue, and again and again, it is looked at whether it still stands there. */
const QUEUED_LOOK_MS = 600_000;

/**
 * Gives what is ripe, and hides it.
 *
 * KEYS  for each bucket: next · clock. The other keys are made of the first one: same tag, same slot
 *
 * ARGV  1 now · 2 hidden until · 3 most that are due · 4 most whose work is wanted · 5 a digit for each bucket: 0, 1 to look into `due` as well,
 *       2 to believe nothing that `next` says · then the types; none for all of them
 *
 * Returns {digits, olds, number of those that are due, id, id, …}. Digits: whether more are due or were not looked at; the same for work that is
 * wanted. Olds: for each bucket a digit, 1 where it has a `due`
 *
 * Entries of `clock` that are ripe are sorted: due is given, wanted goes to the queue of its type with the next turn of its owner, all else was
 * hidden and gets its time back. When a bucket has none left, its queues are served, one of each type in turn (the time says which begins), a
 * bucket after the other.
 *
 * Nothing leaves a place before it stands in another, and a task in a queue keeps an entry in `clock`: while a cluster moves a slot, a key may seem
 * empty here, and a call may end in the middle. What a task's hash does not know is shown again later: it may be on its way.
 */
export const take = script(
  'take',
  `
local call = redis.call
local now, hidden, flags = tonumber(ARGV[1]), ARGV[2], ARGV[5]
local dueLeft, readyLeft = tonumber(ARGV[3]), tonumber(ARGV[4])
local left = ${ENTRIES_MAX} + dueLeft
local due, ready, olds, open = {}, {}, {}, {}
local moreDue, moreReady = '0', '0'
local passed = now + 0.5

local function first(key)
  return call('ZRANGEBYSCORE', key, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
end

local function queue(place, id, kind)
  local kinds, owner = string.match(kind, '^([^;]*);(.*)$')
  local turns = place.turns[kinds]
  if not turns then
    turns = { owners = {}, taken = tonumber(call('HGET', place.base .. 'turns:' .. kinds, ';') or 0) }
    place.turns[kinds] = turns
  end
  local turn = turns.owners[owner] or tonumber(call('HGET', place.base .. 'turns:' .. kinds, owner) or 0)
  turn = math.max(turns.taken, turn) + 1
  if call('ZADD', place.base .. 'ready:' .. kinds, 'NX', turn, id) == 1 then turns.owners[owner] = turn end
end

local function sort(place, id)
  local texts = call('HMGET', place.base .. 'task:' .. id, 'plan', 'kind')
  if not texts[1] then return call('ZADD', place.clock, hidden, id) end
  local wake, wanted = string.match(texts[1], '^([^;]*);([^;]*)')
  wake, wanted = tonumber(wake) or math.huge, tonumber(wanted) or math.huge
  if wake <= now or wanted <= now and not texts[2] then
    if dueLeft > 0 then
      dueLeft = dueLeft - 1
      due[#due + 1] = id
      call('ZADD', place.clock, hidden, id)
      if wanted < math.huge and texts[2] then call('ZREM', place.base .. 'ready:' .. string.match(texts[2], '^[^;]*'), id) end
    else
      moreDue = '1'
      place.passed[#place.passed + 1] = id
      if wanted <= now and texts[2] then queue(place, id, texts[2]) end
    end
  elseif wanted <= now then
    queue(place, id, texts[2])
    call('ZADD', place.clock, math.min(wake, now + ${QUEUED_LOOK_MS}), id)
  elseif wake < math.huge or wanted < math.huge then
    call('ZADD', place.clock, math.min(wake, wanted), id)
  else
    call('ZREM', place.clock, id)
  end
end

local function tick(place)
  local most = left
  local page = most == 0 and {} or call('ZRANGEBYSCORE', place.clock, '-inf', dueLeft > 0 and passed or now, 'LIMIT', 0, most)
  left = left - #page
  for _, id in ipairs(page) do sort(place, id) end
  for kinds, turns in pairs(place.turns) do
    call('ZADD', place.next, 0, 'ready:' .. kinds)
    place.ripe['ready:' .. kinds] = true
    for owner, turn in pairs(turns.owners) do call('HSET', place.base .. 'turns:' .. kinds, owner, turn) end
  end
  local isAll = #page < most
  if not isAll then
    -- What could not be given must not hide what stands behind it.
    for _, id in ipairs(place.passed) do call('ZADD', place.clock, passed, id) end
    moreDue, moreReady = '1', '1'
  end
  local head = first(place.clock)
  if head[1] then call('ZADD', place.next, head[2], 'clock') else call('ZREM', place.next, 'clock') end
  return isAll
end

local function doubt(place)
  local head = first(place.clock)
  if head[1] and call('ZSCORE', place.next, 'clock') ~= head[2] then call('ZADD', place.next, head[2], 'clock') end
  place.ripe.clock = head[1] and tonumber(head[2]) <= now or nil
  local queues, known = {}, 0
  for i = 6, #ARGV do
    local member = 'ready:' .. ARGV[i]
    queues[i - 5] = place.base .. member
    if place.ripe[member] then known = known + 1 end
  end
  if #queues == 0 or call('EXISTS', unpack(queues)) <= known then return end
  for i, key in ipairs(queues) do
    if call('EXISTS', key) == 1 then
      call('ZADD', place.next, 0, 'ready:' .. ARGV[i + 5])
      place.ripe['ready:' .. ARGV[i + 5]] = true
    end
  end
end

local function old(place)
  local key = place.base .. 'due'
  if call('EXISTS', key) == 0 then return '0' end
  for _, id in ipairs(call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, dueLeft + 1)) do
    if dueLeft == 0 then
      moreDue = '1'
    else
      dueLeft = dueLeft - 1
      due[#due + 1] = id
      call('ZADD', key, hidden, id)
    end
  end
  return '1'
end

local asked
local function queues(ripe)
  if not asked then
    asked = {}
    for i = 6, #ARGV do asked['ready:' .. ARGV[i]] = true end
  end
  local types = {}
  for member in pairs(ripe) do
    if member ~= 'clock' and (#ARGV == 5 or asked[member]) then types[#types + 1] = string.sub(member, 7) end
  end
  if #types > 1 then table.sort(types) end
  return types
end

local function serve(place)
  while #place.types > 0 do
    place.at = place.at % #place.types + 1
    local kinds = place.types[place.at]
    local key, turns = place.base .. 'ready:' .. kinds, place.base .. 'turns:' .. kinds
    local head = first(key)
    if head[1] then
      local kind = call('HGET', place.base .. 'task:' .. head[1], 'kind') or ''
      call('ZADD', place.clock, hidden, head[1])
      call('ZADD', place.next, 'LT', hidden, 'clock')
      call('ZREM', key, head[1])
      call('HSET', turns, ';', head[2])
      local owner = string.match(kind, ';(.*)$')
      if owner and call('HGET', turns, owner) == head[2] then call('HDEL', turns, owner) end
      ready[#ready + 1] = head[1]
      return true
    end
    call('ZREM', place.next, 'ready:' .. kinds)
    call('UNLINK', turns)
    table.remove(place.types, place.at)
    place.at = place.at - 1
  end
  return false
end

for i = 1, #KEYS, 2 do
  local flag = string.sub(flags, (i + 1) / 2, (i + 1) / 2)
  local members = call('ZRANGEBYSCORE', KEYS[i], '-inf', now)
  if flag ~= '0' or #members > 0 then
    local place = { next = KEYS[i], clock = KEYS[i + 1], base = string.sub(KEYS[i], 1, -5), ripe = {}, turns = {}, passed = {}, at = now }
    for _, member in ipairs(members) do place.ripe[member] = true end
    if flag == '2' then doubt(place) end
    local isAll = not place.ripe.clock or tick(place)
    if flag ~= '0' then olds[#olds + 1] = old(place) end
    place.types = isAll and queues(place.ripe) or {}
    if #place.types > 0 then open[#open + 1] = place end
  end
  if flag == '0' then olds[#olds + 1] = '0' end
end

while #open > 0 and readyLeft > 0 do
  local others = {}
  for _, place in ipairs(open) do
    if readyLeft == 0 then
      others[#others + 1] = place
    elseif serve(place) then
      readyLeft = readyLeft - 1
      others[#others + 1] = place
    end
  end
  open = others
end
if #open > 0 then moreReady = '1' end

local reply = { moreDue .. moreReady, table.concat(olds), tostring(#due) }
for _, id in ipairs(due) do reply[#reply + 1] = id end
for _, id in ipairs(ready) do reply[#reply + 1] = id end
return reply
`,
);
