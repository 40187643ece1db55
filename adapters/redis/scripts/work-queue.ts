import { script } from './script.ts';

/** Entries of `wanted` that one call sorts: a call stays short, and is asked again. */
const SORTED_MAX = 256;

/** Tasks that one call puts aside: the others in that queue are looked at by the next one. */
const ASIDE_MAX = 256;

/** Owners aside, of one queue, that one call looks at. It begins with another one each time. */
const OWNERS_MAX = 16;

/**
 * The turns of those that stand aside, behind all others: each owner has a place of his own there, chosen by a part of his hash, and his tasks keep their
 * order in it. All numbers stay below 2^53, where doubles are whole.
 */
const ASIDE = 2 ** 52;
const PLACE = 2 ** 32;
const PLACES = 2 ** 20;

/** So long, in milliseconds, after a task came to its queue, and again and again, it is looked at whether it still stands there. */
const QUEUED_LOOK_MS = 120_000;

/**
 * Gives what is ripe, and hides it.
 *
 * KEYS  for each bucket: next · clock · wanted; on a cluster, where there is one bucket, moving as well. The other keys are made of the first one:
 *       same tag, same slot
 *
 * ARGV  1 now · 2 hidden until · 3 most that are due · 4 most whose work is wanted · 5 a digit for each bucket: 0, 1 to look into `due` as well,
 *       2 to believe nothing that `next` says · 6 how many owners are not to be served · these owners · then the types; none for all of them
 *
 * Returns {digits, olds, number of those that are due, id, id, …}. Digits: whether more are due; whether more work is wanted, or not sorted yet.
 * Olds: for each bucket a digit, 1 where it has a `due`
 *
 * In each bucket: what `clock` has is given as due. What `wanted` has goes to the queue of its type, with the next turn of its owner. When that is
 * done the queues are served, one of each type in turn (the time says which begins), a bucket after the other.
 *
 * Tasks of an owner who is not to be served are put aside when their turn comes, far behind in the same queue, and are not met again, however many they
 * are. Who is to be served again has as many of them brought back as may be given now, with the next turns.
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
local spared, typesFrom, asideLeft = {}, 7 + ARGV[6], ${ASIDE_MAX}
for i = 7, typesFrom - 1 do spared[ARGV[i]] = true end

local function first(key, below)
  return call('ZRANGEBYSCORE', key, '-inf', below or '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
end

local function ownerOf(place, id)
  return string.match(call('HGET', place.base .. 'task:' .. id, 'kind') or '', '^[^;]*;([^;]*)')
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
      local type, owner = string.match(kind, '^([^;]*);([^;]*)')
      local key = place.base .. 'turns:' .. type
      local known = turns[type]
      if not known then
        known = { taken = tonumber(call('HGET', key, ';') or 0), owners = {} }
        turns[type] = known
      end
      -- Who was answered is before all that wait.
      local turn = 0
      if string.match(texts[1] or '', '^[^;]*;([^;]*)') ~= '0' then
        turn = math.max(known.taken, known.owners[owner] or tonumber(call('HGET', key, owner) or 0)) + 1
      end
      if call('ZADD', place.base .. 'ready:' .. type, 'NX', turn, id) == 1 then
        if turn > 0 then known.owners[owner] = turn end
      elseif tonumber(call('ZSCORE', place.base .. 'ready:' .. type, id)) >= ${ASIDE} then
        call('ZADD', place.next, 0, 'aside:' .. type)
        place.asides[type] = true
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

local function isAsked(type)
  if #ARGV < typesFrom then return true end
  if not asked then
    asked = {}
    for i = typesFrom, #ARGV do asked[ARGV[i]] = true end
  end
  return asked[type]
end

-- Brings back the tasks of one owner, from the first one that stands aside on, below the place of the next owner.
local function bringOne(place, type, owner, page, below)
  local key, turns = place.base .. 'ready:' .. type, place.base .. 'turns:' .. type
  local turn = math.max(tonumber(call('HGET', turns, ';') or 0), tonumber(call('HGET', turns, owner) or 0))
  for i = 1, 2 * readyLeft, 2 do
    if not page[i] or tonumber(page[i + 1]) >= below then break end
    turn = turn + 1
    call('ZADD', key, turn, page[i])
  end
  call('HSET', turns, owner, turn)
  call('ZADD', place.next, 0, 'ready:' .. type)
  place.queues['ready:' .. type] = true
end

local function bringBack(place, type)
  local key, owners = place.base .. 'ready:' .. type, 0
  local start = ${ASIDE} + now * 7919 % ${PLACES} * ${PLACE}
  local from, till, isRound = start, '+inf', false
  while owners < ${OWNERS_MAX} do
    local page = call('ZRANGEBYSCORE', key, from, till, 'WITHSCORES', 'LIMIT', 0, readyLeft + 1)
    if page[1] then
      owners = owners + 1
      local below = (math.floor(page[2] / ${PLACE}) + 1) * ${PLACE}
      local owner = ownerOf(place, page[1])
      if not owner then
        call('ZREM', key, page[1])
      elseif not spared[owner] then
        if page[2 * readyLeft + 2] and tonumber(page[2 * readyLeft + 2]) < below then moreReady = '1' end
        if readyLeft > 0 then bringOne(place, type, owner, page, below) end
      end
      from = below
    elseif isRound then
      if owners == 0 then call('ZREM', place.next, 'aside:' .. type) end
      return
    else
      from, till, isRound = ${ASIDE}, '(' .. start, true
    end
  end
end

local function putAside(place, type, head, owner)
  local key, turns = place.base .. 'ready:' .. type, place.base .. 'turns:' .. type
  local at = tonumber(string.sub(redis.sha1hex(owner), 1, 5), 16)
  call('ZADD', key, ${ASIDE} + at * ${PLACE} + head[2] % ${PLACE}, head[1])
  if call('HGET', turns, owner) == head[2] then call('HDEL', turns, owner) end
  call('ZADD', place.next, 0, 'aside:' .. type)
  asideLeft = asideLeft - 1
end

-- Whose turn it is in a queue: id, turn and owner, nothing where it is nobody's, false where it has to be asked again.
local function headOf(place, type)
  local key = place.base .. 'ready:' .. type
  while true do
    local head = first(key, '(${ASIDE}')
    if not head[1] then return nil end
    local owner = ownerOf(place, head[1])
    if not spared[owner] then return head, owner end
    if asideLeft == 0 then return false end
    putAside(place, type, head, owner)
  end
end

local function typesOf(place)
  local types = {}
  for member in pairs(place.queues) do
    local type = string.sub(member, 7)
    if isAsked(type) then types[#types + 1] = type end
  end
  if #types > 1 then table.sort(types) end
  return types
end

local function serve(place)
  while #place.types > 0 do
    place.at = place.at % #place.types + 1
    local type = place.types[place.at]
    local key, turns = place.base .. 'ready:' .. type, place.base .. 'turns:' .. type
    local head, owner = headOf(place, type)
    if head then
      call('ZADD', place.wanted, hidden, head[1])
      call('ZADD', place.next, 'LT', hidden, 'wanted')
      call('ZADD', place.clock, 'XX', 'GT', hidden, head[1])
      call('ZREM', key, head[1])
      if head[2] ~= '0' then call('HSET', turns, ';', head[2]) end
      if owner and call('HGET', turns, owner) == head[2] then call('HDEL', turns, owner) end
      ready[#ready + 1] = head[1]
      return true
    end
    if head == nil then
      call('ZREM', place.next, 'ready:' .. type)
      if call('EXISTS', key) == 0 then call('UNLINK', turns) end
    else
      moreReady = '1'
    end
    table.remove(place.types, place.at)
    place.at = place.at - 1
  end
  return false
end

local function visit(place, members)
  local ripe = {}
  for _, member in ipairs(members) do
    if member == 'clock' or member == 'wanted' then
      ripe[member] = true
    elseif string.sub(member, 1, 6) == 'aside:' then
      place.asides[string.sub(member, 7)] = true
    else
      place.queues[member] = true
    end
  end
  if ripe.clock then giveDue(place) end
  if ripe.wanted and not sort(place) then
    moreReady = '1'
    return
  end
  for type in pairs(place.asides) do
    if isAsked(type) then bringBack(place, type) end
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
    visit({ next = KEYS[i], clock = KEYS[i + 1], wanted = KEYS[i + 2], base = base, queues = {}, asides = {}, at = now }, members)
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
