import type { Socket, SocketListener, SocketRequest } from '../transports/socket.ts';
import type { SocketMessage } from './messages.ts';

/** Where virtual sockets are opened: at the leader, wherever that is, or at the platform itself. */
export interface SocketBackend {
  open(socket: number, request: SocketRequest): void;
  send(socket: number, text: string): void;
  close(socket: number): void;
  /** This tab uses it no more. */
  leave(): void;
}

/** The virtual sockets of one tab. */
export interface VirtualSockets {
  /** Those that the backend should know of. */
  readonly numbers: readonly number[];
  open(request: SocketRequest, listener: SocketListener): Socket;
  /** Goes to another backend, or to none for now: open sockets are cut, those that were not open yet are opened there. */
  moveTo(backend: SocketBackend | undefined): void;
  /** Hands a message of the backend to the socket that it is for. */
  receive(message: SocketMessage): void;
}

interface VirtualSocket {
  readonly request: SocketRequest;
  readonly listener: SocketListener;
  isOpen: boolean;
}

/** Makes the virtual sockets of a tab that has no backend yet. */
export function createVirtualSockets(): VirtualSockets {
  const virtualSockets = new Map<number, VirtualSocket>();
  let backend: SocketBackend | undefined;
  let count = 0;

  return {
    get numbers() {
      return [...virtualSockets.keys()];
    },
    open(request, listener) {
      count += 1;
      const number = count;
      virtualSockets.set(number, { request, listener, isOpen: false });
      backend?.open(number, request);
      return {
        send: (text) => {
          if (virtualSockets.has(number)) backend?.send(number, text);
        },
        close() {
          if (virtualSockets.delete(number)) backend?.close(number);
        },
      };
    },
    moveTo(next) {
      backend?.leave();
      backend = next;
      const all = [...virtualSockets];
      for (const [number, { request, isOpen }] of all) {
        if (isOpen) virtualSockets.delete(number);
        else backend?.open(number, request);
      }
      // Last, since whoever is told may open another.
      for (const [, { listener, isOpen }] of all) if (isOpen) listener.cut();
    },
    receive([number, what, ...rest]) {
      const virtualSocket = virtualSockets.get(number);
      if (!virtualSocket) return;
      const { listener } = virtualSocket;
      if (what === 'opened') {
        virtualSocket.isOpen = true;
        listener.opened();
      } else if (what === 'frame') listener.frame(rest[0] as string | undefined);
      else {
        virtualSockets.delete(number);
        if (what === 'closed') listener.closed(rest[0] as number);
        else if (what === 'cut') listener.cut(rest[0]);
        // A tuple's rest loses what its second part says of it.
        else listener.refused(...(rest as unknown as [number, string, string | undefined]));
      }
    },
  };
}
