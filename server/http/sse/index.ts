/** The stream of one task as server-sent events. */
export { openSse, type SseStream } from './open-sse.ts';
