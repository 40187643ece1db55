import { script } from './script.ts';

/** Entries of `wanted` that one call sorts: a call stays short, and is asked again. */
const SORTED_MAX = 256;

/** So long, in milliseconds, after a task came to its queue, and again and again, it is looked at whether it still stands there. */
const QUEUED_LOOK_MS = 120_000;

/**
 * Gives what is ripe, and hides it.
 *
 * KEYS  for each bucket: next · clock · wanted; on a cluster, where there is one bucket, moving as well. The other keys are made of the first one:
 *       same tag, same slot
 *
 * ARGV  1 now · 2 hidden until · 3 most that are due · 4 most whose work is wanted · 5 a digit for each bucket: 0, 1 to look into `due` as well,
 *       2 to believe nothing that `next` says · then the types; none for all of them
 *
 * Returns {digits, olds, number of those that are due, id, id, …}. Digits: whether more are due; whether more work is wanted, or not sorted yet.
 * Olds: for each bucket a digit, 1 where it has a `due`
 *
 * In each bucket: what `clock` has is given as due. What `wanted` has goes to the queue of its type, with the next turn of its owner. When that is
 * done the queues are served, one of each type in turn (the time says which begins), a bucket after the other.
 *
 * Nothing leaves a place before it stands in another, and a task in a queue keeps an entry in `wanted`, by which it comes to its queue again where
 * that was lost.
 */
export const take = script(
  'take',
  `
local call = redis.call
local now, hidden = tonumber(ARGV[1]), ARGV[2]
local dueLeft, readyLeft, left = tonumber(ARGV[3]), tonumber(ARGV[4]), ${SORTED_MAX}
local moreDue, moreReady = '0', '0'
local due, ready, olds, open, asked = {}, {}, {}, {}, nil

local function first(key)
  return call('ZRANGEBYSCORE', key, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
end

-- Sets right what next says of a key.
local function note(next, name, key, said)
  local head = first(key)
  if head[1] and said ~= head[2] then
    call('ZADD', next, head[2], name)
  elseif said and not head[1] then
    call('ZREM', next, name)
  end
end

local function giveDue(place)
  for _, id in ipairs(call('ZRANGEBYSCORE', place.clock, '-inf', now, 'LIMIT', 0, dueLeft + 1)) do
    if dueLeft == 0 then
      moreDue = '1'
      break
    end
    dueLeft = dueLeft - 1
    due[#due + 1] = id
    call('ZADD', place.clock, hidden, id)
    if call('ZSCORE', place.wanted, id) then
      local texts = call('HMGET', place.base .. 'task:' .. id, 'plan', 'kind')
      local readyAt = tonumber(string.match(texts[1] or '', '^[^;]*;([^;]*)') or '')
      if readyAt and readyAt <= now then
        call('ZADD', place.wanted, hidden, id)
        if texts[2] then call('ZREM', place.base .. 'ready:' .. string.match(texts[2], '^[^;]*'), id) end
      end
    end
  end
  note(place.next, 'clock', place.clock, '')
end

local function giveOld(key)
  if call('EXISTS', key) == 0 then return '0' end
  for _, id in ipairs(call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, dueLeft + 1)) do
    if dueLeft == 0 then
      moreDue = '1'
      break
    end
    dueLeft = dueLeft - 1
    due[#due + 1] = id
    call('ZADD', key, hidden, id)
  end
  return '1'
end

local function sort(place)
  local most, turns = left, {}
  local page = most == 0 and {} or call('ZRANGEBYSCORE', place.wanted, '-inf', now, 'LIMIT', 0, most)
  left = left - #page
  for _, id in ipairs(page) do
    local texts = call('HMGET', place.base .. 'task:' .. id, 'plan', 'kind')
    local kind = texts[2]
    if kind then
      local type, owner = string.match(kind, '^([^;]*);(.*)$')
      local key = place.base .. 'turns:' .. type
      local known = turns[type]
      if not known then
        known = { taken = tonumber(call('HGET', key, ';') or 0), owners = {} }
        turns[type] = known
      end
      if string.match(texts[1] or '', '^[^;]*;([^;]*)') == '0' then
        -- Before all that wait.
        call('ZADD', place.base .. 'ready:' .. type, 'NX', 0, id)
      else
        local turn = math.max(known.taken, known.owners[owner] or tonumber(call('HGET', key, owner) or 0)) + 1
        if call('ZADD', place.base .. 'ready:' .. type, 'NX', turn, id) == 1 then known.owners[owner] = turn end
      end
      call('ZADD', place.wanted, now + ${QUEUED_LOOK_MS}, id)
    else
      call('ZADD', place.wanted, hidden, id)
    end
  end
  for type, known in pairs(turns) do
    call('ZADD', place.next, 0, 'ready:' .. type)
    place.queues['ready:' .. type] = true
    for owner, turn in pairs(known.owners) do call('HSET', place.base .. 'turns:' .. type, owner, turn) end
  end
  note(place.next, 'wanted', place.wanted, '')
  return #page < most
end

local function typesOf(place)
  if not asked then
    asked = {}
    for i = 6, #ARGV do asked['ready:' .. ARGV[i]] = true end
  end
  local types = {}
  for member in pairs(place.queues) do
    if #ARGV == 5 or asked[member] then types[#types + 1] = string.sub(member, 7) end
  end
  if #types > 1 then table.sort(types) end
  return types
end

local function serve(place)
  while #place.types > 0 do
    place.at = place.at % #place.types + 1
    local type = place.types[place.at]
    local key, turns = place.base .. 'ready:' .. type, place.base .. 'turns:' .. type
    local head = first(key)
    if head[1] then
      call('ZADD', place.wanted, hidden, head[1])
      call('ZADD', place.next, 'LT', hidden, 'wanted')
      call('ZADD', place.clock, 'XX', 'GT', hidden, head[1])
      call('ZREM', key, head[1])
      if head[2] ~= '0' then call('HSET', turns, ';', head[2]) end
      local owner = string.match(call('HGET', place.base .. 'task:' .. head[1], 'kind') or '', ';(.*)$')
      if owner and call('HGET', turns, owner) == head[2] then call('HDEL', turns, owner) end
      ready[#ready + 1] = head[1]
      return true
    end
    call('ZREM', place.next, 'ready:' .. type)
    call('UNLINK', turns)
    table.remove(place.types, place.at)
    place.at = place.at - 1
  end
  return false
end

local function visit(place, members)
  local ripe = {}
  for _, member in ipairs(members) do
    if member == 'clock' or member == 'wanted' then ripe[member] = true else place.queues[member] = true end
  end
  if ripe.clock then giveDue(place) end
  if ripe.wanted and not sort(place) then
    moreReady = '1'
    return
  end
  place.types = typesOf(place)
  if #place.types > 0 then open[#open + 1] = place end
end

for i = 1, #KEYS - #KEYS % 3, 3 do
  local bucket = (i + 2) / 3
  local flag = string.sub(ARGV[5], bucket, bucket)
  if flag == '2' then
    note(KEYS[i], 'clock', KEYS[i + 1], call('ZSCORE', KEYS[i], 'clock'))
    note(KEYS[i], 'wanted', KEYS[i + 2], call('ZSCORE', KEYS[i], 'wanted'))
  end
  local members = call('ZRANGEBYSCORE', KEYS[i], '-inf', now)
  if #members > 0 then
    local base = string.sub(KEYS[i], 1, -5)
    visit({ next = KEYS[i], clock = KEYS[i + 1], wanted = KEYS[i + 2], base = base, queues = {}, at = now }, members)
  end
  olds[bucket] = flag == '0' and '0' or giveOld(string.sub(KEYS[i], 1, -5) .. 'due')
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
