/** WebSockets that watch tasks. */
export { createWebSocketDoor, type WebSocketDoor, type WebSocketDoorContext } from './door.ts';
