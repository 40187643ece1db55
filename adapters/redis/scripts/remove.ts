import { script } from './script.ts';

/**
 * Deletes a task with everything that is known of it.
 *
 * KEYS  1 task · 2 side values · 3 log · 4 due · 5 request
 *
 * ARGV  1 expected `at` of the task · 2 task id
 *
 * Returns 1 where it was deleted, 0 for a conflict
 */
export const remove = script(
  'remove',
  `
if redis.call('HGET', KEYS[1], 'at') ~= ARGV[1] then return 0 end
redis.call('ZREM', KEYS[4], ARGV[2])
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
if redis.call('GET', KEYS[5]) == ARGV[2] then redis.call('UNLINK', KEYS[5]) end
return 1
`,
);
