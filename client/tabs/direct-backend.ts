import { openSocket, type Socket, type SocketPort } from '../transports/socket.ts';
import type { SocketBackend } from './virtual-sockets.ts';
import { tellMessages, type SocketMessage } from './messages.ts';

/** The backend of a tab that is on its own: every virtual socket is one of the port's. */
export function directBackend(sockets: SocketPort, tell: (message: SocketMessage) => void): SocketBackend {
  const open = new Map<number, Socket>();
  return {
    open(number, request) {
      const end = (message: SocketMessage): void => {
        open.delete(number);
        tell(message);
      };
      open.set(number, openSocket(sockets, request, tellMessages(number, tell, end)));
    },
    send: (number, text) => open.get(number)?.send(text),
    close(number) {
      open.get(number)?.close();
      open.delete(number);
    },
    leave() {
      for (const socket of open.values()) socket.close();
      open.clear();
    },
  };
}
