import type { Socket, SocketPort } from '../transports/socket.ts';
import type { Desk } from './guests.ts';
import type { Word } from './messages.ts';

/** The desk of a tab that is on its own: every virtual socket is one of the port's. */
export function directDesk(sockets: SocketPort, tell: (word: Word) => void): Desk {
  const open = new Map<number, Socket>();
  return {
    open(number, request) {
      const end = (word: Word): void => {
        open.delete(number);
        tell(word);
      };
      const socket = sockets.open(request, {
        opened: () => tell([number, 'opened']),
        frame: (text) => tell([number, 'frame', text]),
        closed: (closeCode) => end([number, 'closed', closeCode]),
        cut: () => end([number, 'cut']),
        refused: (status, body, retryAfter) => end([number, 'refused', status, body, retryAfter]),
      });
      open.set(number, socket);
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
