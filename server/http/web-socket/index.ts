/** WebSockets that watch tasks. */
export { webSocketStreamDefaults, type WebSocketStreamSettings } from './settings.ts';
export { SocketSessions, type SocketSessionsDeps } from './socket-sessions.ts';
export { createUpgradeHandler, type UpgradeHandler, type UpgradeHandlerDeps } from './upgrade-handler.ts';
