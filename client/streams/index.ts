/**
 * One event stream for many tasks. A door of its own, so that a page which needs none loads none.
 *
 * @packageDocumentation
 */
export { sharedStreams } from './shared-streams.ts';
