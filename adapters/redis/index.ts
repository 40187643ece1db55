/**
 * Tasks on Redis, Redis Cluster or Valkey, shared by any number of nodes. See its README for what is promised.
 *
 * @packageDocumentation
 */
export { redisDefaults, type RedisStoreOptions } from './options.ts';
export { redisProbe, type RedisProbeOptions } from './probe.ts';
export { redisStore } from './store.ts';
