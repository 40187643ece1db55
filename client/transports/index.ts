/**
 * For those who bring sockets, uploads or places of their own: the ports that a client is given as `sockets`, `forms` and `heldRequests`.
 *
 * @packageDocumentation
 */
export { heldRequests, type HeldRequests } from '../held-requests.ts';
export type { FormPort, FormRequest } from './form-port.ts';
export { multiplexed } from './multiplexed.ts';
export type { Socket, SocketListener, SocketPort, SocketRequest, WebSocketConstructor } from './socket.ts';
