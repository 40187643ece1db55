import type { Socket, SocketPort } from '../transports/socket.ts';

/** Sockets that are known to be heard, or not. */
export interface HeardSockets {
  readonly port: SocketPort;
  /** For how long the network has owed an answer to those that are there, in milliseconds; 0 where it owes none. */
  readonly unheardMs: number;
}

/** The same sockets. What is opened or sent wants an answer; whatever any of them is told is one. `time` is monotonic. */
export function createHeardSockets(sockets: SocketPort, time: () => number): HeardSockets {
  const open = new Set<Socket>();
  let askedAt: number | undefined;

  const ask = (): void => {
    askedAt ??= time();
  };
  const heard =
    <T extends unknown[]>(tell: (...args: T) => void) =>
    (...args: T): void => {
      askedAt = undefined;
      tell(...args);
    };

  return {
    port: {
      ...sockets,
      open(request, listener) {
        const end =
          <T extends unknown[]>(tell: (...args: T) => void) =>
          (...args: T): void => {
            open.delete(socket);
            tell(...args);
          };
        const inner = sockets.open(request, {
          opened: heard(() => listener.opened()),
          frame: heard((text) => listener.frame(text)),
          closed: heard(end((closeCode) => listener.closed(closeCode))),
          cut: heard(end(() => listener.cut())),
          refused: heard(end((...answer) => listener.refused(...answer))),
        });
        ask();
        const socket: Socket = {
          send(text) {
            ask();
            inner.send(text);
          },
          close() {
            open.delete(socket);
            inner.close();
          },
        };
        open.add(socket);
        return socket;
      },
    },
    get unheardMs() {
      return askedAt === undefined || open.size === 0 ? 0 : time() - askedAt;
    },
  };
}
