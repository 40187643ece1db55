/**
 * One event stream for many tasks. A door of its own, so that a page which needs none loads none.
 *
 * @packageDocumentation
 */
export type { EventStreamPort, EventStreamRequest } from '../transports/event-stream.ts';
export { sharedStreams } from './shared-streams.ts';
