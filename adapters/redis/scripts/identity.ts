import { script } from './script.ts';

/**
 * Gives the store an id where it has none.
 *
 * KEYS  1 store
 *
 * ARGV  1 the id
 *
 * Returns the id that it has
 */
export const identity = script(
  'identity',
  `
-- A Redis that takes no writes now can still say which one it is.
local id = redis.call('HGET', KEYS[1], 'id')
if id then return id end
redis.call('HSETNX', KEYS[1], 'id', ARGV[1])
return redis.call('HGET', KEYS[1], 'id')
`,
);
