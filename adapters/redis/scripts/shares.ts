import { clock } from './moment.ts';
import { script } from './script.ts';
import { sharesCount, shareSteps, versionAt } from './share-steps.ts';

/**
 * Adds to what owners have, and puts back names that are missing.
 *
 * KEYS  for each change: names · shares · owners
 *
 * ARGV  for each change: owner · request key, or '' for no name · its score · what is added to each share
 *
 * Returns for each change what the owner has of each share then
 */
export const count = script(
  'count',
  `${shareSteps}
local replies = {}
for i = 1, #KEYS, 3 do
  local at = (i - 1) / 3 * ${3 + sharesCount} + 1
  local has, owner = counted(KEYS[i + 1]), ARGV[at]
  if ARGV[at + 1] ~= '' and redis.call('ZADD', KEYS[i], 'NX', ARGV[at + 2], ARGV[at + 1]) == 1 and has[${versionAt}] == '0' then
    redis.call('ZADD', KEYS[i + 2], '0', owner)
  end
  add(KEYS[i + 1], KEYS[i + 2], owner, has, at + 3)
  for share = 1, ${sharesCount} do replies[#replies + 1] = has[share] end
end
return replies
`,
);

/**
 * KEYS  1 shares
 *
 * Returns what the owner has of each share, the version, and when they were counted, 0 for what is not there
 */
export const shares = script(
  'shares',
  `${shareSteps}
return counted(KEYS[1])`,
);

/**
 * Writes what an owner has, or drops his record where he has nothing at all.
 *
 * KEYS  1 names · 2 shares · 3 owners
 *
 * ARGV  1 owner · 2 the version that was seen · then each share
 *
 * Returns '1' where it was written, '0' where the version is another one
 */
export const setShares = script(
  'setShares',
  `${clock}${shareSteps}
local has, isNothing = counted(KEYS[2]), true
if has[${versionAt}] ~= ARGV[2] then return '0' end
for i = 1, ${sharesCount} do
  has[i] = ARGV[i + 2]
  if has[i] ~= '0' then isNothing = false end
end
if isNothing and redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('UNLINK', KEYS[2])
  redis.call('ZREM', KEYS[3], ARGV[1])
  return '1'
end
has[${versionAt + 1}] = (moment())
set(KEYS[2], has)
redis.call('ZADD', KEYS[3], '0', ARGV[1])
return '1'
`,
);

/**
 * A page of owners, one tag after the other.
 *
 * KEYS  the owners of each tag
 *
 * ARGV  1 the owner to go on after in the first tag, or '' · 2 most
 *
 * Returns {how many tags were looked at, '1' where the last of them may have more, owner, …}
 */
export const owners = script(
  'owners',
  `
local most, reply = tonumber(ARGV[2]), { '0', '0' }
local least = ARGV[1] == '' and '-' or '(' .. ARGV[1]
for i, key in ipairs(KEYS) do
  local room = most + 2 - #reply
  local some = redis.call('ZRANGEBYLEX', key, least, '+', 'LIMIT', 0, room)
  for _, owner in ipairs(some) do reply[#reply + 1] = owner end
  reply[1] = tostring(i)
  if #some == room then
    reply[2] = '1'
    return reply
  end
  least = '-'
end
return reply
`,
);
