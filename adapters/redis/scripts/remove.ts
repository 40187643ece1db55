import { nameSteps } from './name-steps.ts';
import { planSteps } from './plan-steps.ts';
import { script } from './script.ts';

/**
 * Deletes a task with everything that is known of it.
 *
 * KEYS  1 task · 2 side values · 3 log · 4 request · the keys of its steps · those of its lanes · names, shares and owners where its name is in this place
 *
 * ARGV  1 expected `at` of the task · 2 task id · 3 the steps that end its plan (see `plan-steps.ts`) · 4 '1' where its name is in this
 *       place · 5 owner · 6 request key · 7 number of keys of its lanes · the arguments of the steps
 *
 * Returns 1 where it was deleted, 2 where it was and its request key is another task's by now, 0 for a conflict
 */
export const remove = script(
  'remove',
  `${planSteps}${nameSteps}
if redis.call('HGET', KEYS[1], 'at') ~= ARGV[1] then return 0 end
plan(ARGV[3], KEYS[1], ARGV[2], 5, 8)
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
local lanes = 5 + (string.match(ARGV[3], '^%d+') or 0)
for from = lanes, lanes + ARGV[7] - 1, 1000 do
  redis.call('UNLINK', unpack(KEYS, from, math.min(from + 999, lanes + ARGV[7] - 1)))
end
if redis.call('GET', KEYS[4]) ~= ARGV[2] then return 2 end
redis.call('UNLINK', KEYS[4])
if ARGV[4] == '1' then unname(KEYS[#KEYS - 2], KEYS[#KEYS - 1], KEYS[#KEYS], ARGV[6], ARGV[5]) end
return 1
`,
);
