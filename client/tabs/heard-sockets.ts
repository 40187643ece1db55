import type { SocketPort } from '../transports/socket.ts';

/** Sockets that are known to be heard, or not. */
export interface HeardSockets {
  readonly port: SocketPort;
  /** For how long the network has owed an answer to those that are there, in milliseconds; 0 where it owes none. */
  readonly unheardMs: number;
}

/** The same sockets. What is opened or sent wants an answer; whatever any of them is told is one. `time` is monotonic. */
export function createHeardSockets(sockets: SocketPort, time: () => number): HeardSockets {
  const open = new Set<object>();
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
        const own = {};
        open.add(own);
        const end =
          <T extends unknown[]>(tell: (...args: T) => void) =>
          (...args: T): void => {
            open.delete(own);
            tell(...args);
          };
        ask();
        const socket = sockets.open(request, {
          opened: heard(() => listener.opened()),
          frame: heard((text) => listener.frame(text)),
          closed: heard(end((closeCode) => listener.closed(closeCode))),
          cut: heard(end(() => listener.cut())),
          refused: heard(end((...answer) => listener.refused(...answer))),
        });
        return {
          send(text) {
            ask();
            socket.send(text);
          },
          close() {
            open.delete(own);
            socket.close();
          },
        };
      },
    },
    get unheardMs() {
      return askedAt === undefined || open.size === 0 ? 0 : time() - askedAt;
    },
  };
}
