import { planSteps } from './plan-steps.ts';
import { script, type Script } from './script.ts';
import { sharesCount, shareSteps, versionAt } from './share-steps.ts';

/** What a store's creates have in common. */
export interface CreateSettings {
  /** True where the owner of a task may lie in another slot: then it has been named before, by `name` of `names.ts`. */
  readonly isCluster: boolean;
}

/** Where the arguments begin that differ in number. */
const FIRST = { apart: 5, whole: 7 + 2 * sharesCount } as const;

const refuse = `
local has = counted(KEYS[5])
local place = full(has, 7, ${7 + sharesCount})
if place then return -place end
`;

const name = `
local ms, rest = moment()
redis.call('ZADD', KEYS[4], ms .. '.' .. rest, ARGV[5])
if has[${versionAt}] == '0' then redis.call('ZADD', KEYS[6], '0', ARGV[6]) end
add(KEYS[5], KEYS[6], ARGV[6], has, 7)
`;

/**
 * Writes a task and its request key, or says which task has that key. A key whose task is gone is taken over: its task lies in the same slot. On one
 * server the task is named to its owner too, and counted.
 *
 * KEYS  1 task · 2 side values · 3 request · on one server names, shares and owners · then the keys of its steps
 *
 * ARGV  1 task id · 2 the steps of its plan (see `plan-steps.ts`) · 3 number of texts for the task's hash · 4 number of texts for the side values ·
 *       on one server: 5 request key · 6 owner, what it adds to each share, and what he may have of each, or '' · then the task's hash (name,
 *       value), the side values (name, value), the arguments of the steps
 *
 * Returns 1 where it was written, 0 where the task id is taken, the place of the first full share below 0 where there is one, else the id of the task
 * that the request made before
 */
export function createScript({ isCluster }: CreateSettings): Script {
  return script(
    'create',
    `${planSteps}${isCluster ? '' : shareSteps}
local holder = redis.call('GET', KEYS[3])
if holder and redis.call('EXISTS', string.sub(KEYS[1], 1, -33) .. holder) == 1 then return holder end
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
${isCluster ? '' : refuse}
local fields, values = tonumber(ARGV[3]), tonumber(ARGV[4])
local at = ${isCluster ? FIRST.apart : FIRST.whole}
for from = at, at + fields - 1, 1000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, from, math.min(from + 999, at + fields - 1)))
end
at = at + fields
for from = at, at + values - 1, 1000 do
  redis.call('HSET', KEYS[2], unpack(ARGV, from, math.min(from + 999, at + values - 1)))
end
redis.call('SET', KEYS[3], ARGV[1])
plan(ARGV[2], KEYS[1], ARGV[1], ${isCluster ? 4 : 7}, at + values)
${isCluster ? '' : name}
return 1
`,
  );
}
