/**
 * One connection for all tabs of a browser. A door of its own, so that a page which needs none loads none.
 *
 * @packageDocumentation
 */
export { platformChannels, type Channel, type ChannelPort } from './channels.ts';
export { platformLocks, processLocks, webLocks, type LockListener, type LockPort, type WebLocks } from './locks.ts';
export { defaultTabLimits, type TabLimits, type TabSocketsOptions } from './options.ts';
export { tabRequests, type TabRequestsOptions } from './tab-requests.ts';
export { tabSockets, type TabRole, type TabSockets } from './tab-sockets.ts';
