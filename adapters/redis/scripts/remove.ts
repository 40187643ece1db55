import { planSteps } from './plan-steps.ts';
import { script } from './script.ts';

/**
 * Deletes a task with everything that is known of it.
 *
 * KEYS  1 task · 2 side values · 3 log · 4 request · then the keys of its steps
 *
 * ARGV  1 expected `at` of the task · 2 task id · 3 the steps that end its plan (see `plan-steps.ts`) · then their arguments
 *
 * Returns 1 where it was deleted, 0 for a conflict
 */
export const remove = script(
  'remove',
  `${planSteps}
if redis.call('HGET', KEYS[1], 'at') ~= ARGV[1] then return 0 end
plan(ARGV[3], KEYS[1], ARGV[2], 5, 4)
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
if redis.call('GET', KEYS[4]) == ARGV[2] then redis.call('UNLINK', KEYS[4]) end
return 1
`,
);
