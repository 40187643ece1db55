/**
 * Tasks on the disk of one machine, in one process: durable, embedded, nothing to install beside the `lmdb` package. See its README for
 * what is promised.
 *
 * @packageDocumentation
 */
export { lmdbStore, MAP_BYTES_MAX, type LmdbStoreOptions } from './store.ts';
