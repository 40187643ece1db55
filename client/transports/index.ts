/**
 * For those who bring sockets, uploads or news of the network of their own: the ports that a client is given as `sockets`, `forms` and `networkChanges`.
 *
 * @packageDocumentation
 */
export type { NetworkChanges } from '../network.ts';
export type { FormPort, FormRequest } from './form-port.ts';
export { multiplexed } from './multiplexed.ts';
export type { Socket, SocketListener, SocketPort, SocketRequest, WebSocketConstructor } from './socket.ts';
