/**
/**
 * For those who bring sockets, uploads, places or news of the network of their own: the ports that a client is given as `sockets`, `forms`,
 * `heldRequests` and `networkChanges`.
 *
 * @packageDocumentation
 */
export { heldRequests, type HeldRequests } from '../held-requests.ts';
export type { NetworkChanges } from '../network.ts';
export type { FormPort, FormRequest } from './form-port.ts';
export { multiplexed } from './multiplexed.ts';
export type { Socket, SocketListener, SocketPort, SocketRequest, WebSocketConstructor } from './socket.ts';
