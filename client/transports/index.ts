/**
 * For those who bring sockets or uploads of their own: the ports that a client is given as `sockets` and `forms`.
 *
 * @packageDocumentation
 */
export type { FormPort, FormRequest } from './form-port.ts';
export { multiplexed } from './multiplexed.ts';
export type { Socket, SocketListener, SocketPort, SocketRequest, WebSocketConstructor } from './socket.ts';
