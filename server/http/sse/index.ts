/** The stream of one task as server-sent events. */
export { createLiveDoor } from './live-door.ts';
export { openSse, type SseStream } from './open-sse.ts';
export { createSilentPeers, type SilentPeers, type SilentPeersContext } from './silent-peers.ts';
