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
redis.call('HSETNX', KEYS[1], 'id', ARGV[1])
return redis.call('HGET', KEYS[1], 'id')
`,
);
