/** The stream of one task as server-sent events. */
export { createLiveService } from './live-service.ts';
export { openSse, type SseStream } from './open-sse.ts';
export { sseHeaders, sseStreamDefaults, type SseStreamSettings } from './settings.ts';
export { createSilentPeers, type SilentPeers, type SilentPeersDeps } from './silent-peers.ts';
