/** WebSockets that watch tasks. */
export { createUpgradeHandler, type UpgradeHandler, type UpgradeHandlerDeps } from './upgrade-handler.ts';
