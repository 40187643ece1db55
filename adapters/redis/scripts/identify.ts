import { script } from './script.ts';

/**
 * Gives the store its id, unless it has one. Writes only then: a server that is full can still be asked.
 *
 * KEYS  1 store
 *
 * ARGV  1 an id that nobody has
 *
 * Returns the store's id
 */
export const identify = script(
  'identify',
  `
local id = redis.call('HGET', KEYS[1], 'id')
if id then return id end
redis.call('HSET', KEYS[1], 'id', ARGV[1])
return ARGV[1]
`,
);
