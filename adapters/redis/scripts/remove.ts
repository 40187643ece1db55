import { script } from './script.ts';

/**
 * Deletes a task with everything that is known of it.
 *
 * KEYS  1 task · 2 kept · 3 log · 4 due · 5 request
 *
 * ARGV  1 expected revision · 2 expected mark, or '' where it is not known · 3 task id
 *
 * Returns 1 where it was deleted, 0 for a conflict
 */
export const remove = script(
  'remove',
  `
local task = redis.call('HMGET', KEYS[1], 'revision', 'mark')
if task[1] ~= ARGV[1] or (ARGV[2] ~= '' and task[2] ~= ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[4], ARGV[3])
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
if redis.call('GET', KEYS[5]) == ARGV[3] then redis.call('UNLINK', KEYS[5]) end
return 1
`,
);
