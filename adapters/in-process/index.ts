/**
 * Work that runs in the server's own process.
 *
 * @packageDocumentation
 */
export * from './executor.ts';
export * from './handler.ts';
