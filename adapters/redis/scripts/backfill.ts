import { script } from './script.ts';

/**
 * A page of the request keys of one server, whatever their buckets.
 *
 * KEYS  1 moving, of a bucket that the server has
 *
 * ARGV  1 what request keys look like · 2 the run of the server that the cursor is of, or '' · 3 its cursor · 4 most keys to pass · then the runs that
 * were passed whole
 *
 * Returns {run, cursor, key, …}, the cursor '0' at the end. Another run has its keys in another order: it begins anew
 */
export const requests = script(
  'requests',
  `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
for i = 5, #ARGV do
  if ARGV[i] == run then return { run, '0' } end
end
local page = redis.call('SCAN', ARGV[2] == run and ARGV[3] or '0', 'MATCH', ARGV[1], 'COUNT', ARGV[4])
local reply = { run, page[1] }
for i, key in ipairs(page[2]) do reply[i + 2] = key end
return reply
`,
);

/**
 * KEYS  the names of owners
 *
 * ARGV  a request key for each
 *
 * Returns for each '1' where it is missing, else '0'
 */
export const missing = script(
  'missing',
  `
local reply = {}
for i, names in ipairs(KEYS) do reply[i] = redis.call('ZSCORE', names, ARGV[i]) and '0' or '1' end
return reply
`,
);

/**
 * KEYS  1 store
 *
 * Returns the text, false before the first
 */
export const backfillProgress = script('backfillProgress', `return redis.call('HGET', KEYS[1], 'backfill')`);

/**
 * KEYS  1 store
 *
 * ARGV  1 the text
 */
export const keepBackfillProgress = script('keepBackfillProgress', `redis.call('HSET', KEYS[1], 'backfill', ARGV[1])`);
