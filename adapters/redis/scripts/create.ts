import { planSteps } from './plan-steps.ts';
import { script } from './script.ts';

/**
 * Writes a task and its request key, or says which task has that key. A key whose task is gone is taken over: its task lies in the same slot.
 *
 * KEYS  1 task · 2 side values · 3 request · then the keys of its steps
 *
 * ARGV  1 task id · 2 the steps of its plan (see `plan-steps.ts`) · 3 number of texts for the task's hash · 4 number of texts for the side values ·
 *       then the task's hash (name, value), the side values (name, value), the arguments of the steps
 *
 * Returns 1 where it was written, 0 where the task id is taken, else the id of the task that the request made before
 */
export const create = script(
  'create',
  `${planSteps}
local holder = redis.call('GET', KEYS[3])
if holder and redis.call('EXISTS', string.sub(KEYS[1], 1, -33) .. holder) == 1 then return holder end
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end

local fields, values = tonumber(ARGV[3]), tonumber(ARGV[4])
local at = 5
for from = at, at + fields - 1, 1000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, from, math.min(from + 999, at + fields - 1)))
end
at = at + fields
for from = at, at + values - 1, 1000 do
  redis.call('HSET', KEYS[2], unpack(ARGV, from, math.min(from + 999, at + values - 1)))
end
redis.call('SET', KEYS[3], ARGV[1])
plan(ARGV[2], KEYS[1], ARGV[1], 4, at + values)
return 1
`,
);
