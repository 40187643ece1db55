/**
 * What is known of a lane in a script: its record, `<o, s or c><g or v><fence>` (see `lane-record.ts`), and its bytes. Of a lane of one value these are its version in
 * ten digits, then the value.
 */
export const laneLength = `
local function isValue(record)
  return string.byte(record, 2) == 118
end

local function laneLength(key, record)
  if isValue(record) then return tonumber(redis.call('GETRANGE', key, 0, 9)) or 0 end
  return redis.call('STRLEN', key)
end
`;

/**
 * What a commit changes of lanes, as a part of the script that writes one. The steps stand before those of `plan-steps.ts`, and after that of a lease:
 *
 *     step       keys            arguments
 *     laneopen   parts · lane    lane · record · '' · '0'                 there is none, and begins empty
 *     lanenext   parts · lane    lane · record · beginning · length       goes on under another record; its own begins so, and it is that long
 *     lanekeep   parts · lane    lane · '' · '' · length                  sealed at that length, is closed
 *     lanedrop   parts · lane    lane · '' · '' · length                  … and forgotten
 */
export const laneSteps = `${laneLength}
local function mayChange(name, key, arg)
  local record = redis.call('HGET', KEYS[key], ARGV[arg])
  if name == 'open' then return record and 3 or nil end
  if not record or laneLength(KEYS[key + 1], record) ~= tonumber(ARGV[arg + 3]) then return 0 end
  local beginning = ARGV[arg + 2]
  if name == 'next' then return string.sub(record, 2, 1 + #beginning) ~= beginning and 0 or nil end
  return string.byte(record) ~= 115 and 0 or nil
end

-- What a commit is answered that may not change lanes so, nil for one that may.
local function lanesRefuse(steps, key, arg)
  for name in string.gmatch(steps, 'lane(%a+)') do
    local answer = mayChange(name, key, arg)
    if answer then return answer end
    key, arg = key + 2, arg + 4
  end
end

local function changeLanes(steps, key, arg)
  for name in string.gmatch(steps, 'lane(%a+)') do
    local parts, lane = KEYS[key], ARGV[arg]
    if name == 'open' then redis.call('UNLINK', KEYS[key + 1]) end
    if name == 'open' or name == 'next' then
      redis.call('HSET', parts, lane, ARGV[arg + 1])
    elseif name == 'keep' then
      redis.call('HSET', parts, lane, 'c' .. string.sub(redis.call('HGET', parts, lane), 2))
    else
      redis.call('HDEL', parts, lane)
      redis.call('UNLINK', KEYS[key + 1])
    end
    key, arg = key + 2, arg + 4
  end
end
`;
