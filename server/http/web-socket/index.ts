/** WebSockets that watch tasks. */
export { webSocketStreamDefaults, type WebSocketStreamSettings } from './settings.ts';
export { createUpgradeHandler, type UpgradeHandler, type UpgradeHandlerDeps } from './upgrade-handler.ts';
