import { clock } from './moment.ts';
import { nameSteps } from './name-steps.ts';
import { script } from './script.ts';
import { sharesCount, shareSteps, versionAt } from './share-steps.ts';

/** The smallest step of a double that is a time of today: a name that was named anew has another score, and is at the same time. */
const STEP = 1 / 4096;

/**
 * Names a task to its owner, and adds to what he has, before the task is created: on a cluster, where the two are in different slots. A name that is
 * there is of a request that was sent again: it is let through, and nothing is added.
 *
 * KEYS  1 names · 2 shares · 3 owners
 *
 * ARGV  1 request key · 2 owner · then what it adds to each share · what he may have of each, or ''
 *
 * Returns its score, '' where it was there, the place of the first full share where there is one
 */
export const name = script(
  'name',
  `${clock}${shareSteps}
if redis.call('ZADD', KEYS[1], 'XX', 'INCR', '${STEP}', ARGV[1]) then return '' end
local has = counted(KEYS[2])
local place = full(has, 3, ${3 + sharesCount})
if place then return place end
local ms, rest = moment()
local at = ms .. '.' .. rest
redis.call('ZADD', KEYS[1], at, ARGV[1])
if has[${versionAt}] == '0' then redis.call('ZADD', KEYS[3], '0', ARGV[2]) end
add(KEYS[2], KEYS[3], ARGV[2], has, 3)
return at
`,
);

/**
 * Drops a name, unless it was named anew since.
 *
 * KEYS  1 names · 2 shares · 3 owners
 *
 * ARGV  1 request key · 2 owner · 3 its score
 */
export const forget = script(
  'forget',
  `${nameSteps}
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if at and tonumber(at) == tonumber(ARGV[3]) then unname(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2]) end
`,
);

/**
 * KEYS  1 names
 *
 * ARGV  1 request key
 *
 * Returns its score, false where it is not there
 */
export const nameScore = script('nameScore', `return redis.call('ZSCORE', KEYS[1], ARGV[1])`);

/**
 * KEYS  1 names
 *
 * ARGV  1 most · 2 the score of the name to go on after, or '' · 3 its request key
 *
 * Returns {request key, score, …}, the newest first
 */
export const names = script(
  'names',
  `
local most, after = tonumber(ARGV[1]), tonumber(ARGV[2])
local page, offset = {}, 0
while true do
  local some = redis.call('ZREVRANGEBYSCORE', KEYS[1], after or '+inf', '-inf', 'WITHSCORES', 'LIMIT', offset, most)
  for i = 1, #some, 2 do
    if not after or tonumber(some[i + 1]) < after or some[i] < ARGV[3] then
      page[#page + 1] = some[i]
      page[#page + 1] = some[i + 1]
      if #page == 2 * most then return page end
    end
  end
  if #some < 2 * most then return page end
  offset = offset + most
end
`,
);
