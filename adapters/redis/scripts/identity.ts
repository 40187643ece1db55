import { script } from './script.ts';

/**
 * Gives the store an id and a layout where it has none.
 *
 * KEYS  1 store
 *
 * ARGV  1 the id · 2 the layout
 *
 * Returns {id, layout}, those that it has
 */
export const identity = script(
  'identity',
  `
-- A Redis that takes no writes now can still say which one it is.
local known = redis.call('HMGET', KEYS[1], 'id', 'layout')
if known[1] and known[2] then return known end
redis.call('HSETNX', KEYS[1], 'id', ARGV[1])
redis.call('HSETNX', KEYS[1], 'layout', ARGV[2])
return redis.call('HMGET', KEYS[1], 'id', 'layout')
`,
);
