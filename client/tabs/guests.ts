import type { Socket, SocketListener, SocketRequest } from '../transports/socket.ts';
import type { Word } from './messages.ts';

/** Where virtual sockets are opened: at the leader, wherever that is, or at the platform itself. */
export interface Desk {
  open(socket: number, request: SocketRequest): void;
  send(socket: number, text: string): void;
  close(socket: number): void;
  /** Nobody here speaks to it any more. */
  leave(): void;
}

/** The virtual sockets of one tab. */
export interface Guests {
  /** Those that the desk should know of. */
  readonly numbers: readonly number[];
  open(request: SocketRequest, listener: SocketListener): Socket;
  /** Goes to another desk, or to none for now: open sockets are cut, those that were not open yet are opened there. */
  moveTo(desk: Desk | undefined): void;
  hear(word: Word): void;
}

interface Guest {
  readonly request: SocketRequest;
  readonly listener: SocketListener;
  isOpen: boolean;
}

/** Makes the virtual sockets of a tab that has no desk yet. */
export function createGuests(): Guests {
  const guests = new Map<number, Guest>();
  let desk: Desk | undefined;
  let count = 0;

  return {
    get numbers() {
      return [...guests.keys()];
    },
    open(request, listener) {
      count += 1;
      const number = count;
      guests.set(number, { request, listener, isOpen: false });
      desk?.open(number, request);
      return {
        send: (text) => {
          if (guests.has(number)) desk?.send(number, text);
        },
        close() {
          if (guests.delete(number)) desk?.close(number);
        },
      };
    },
    moveTo(next) {
      desk?.leave();
      desk = next;
      const all = [...guests];
      for (const [number, { request, isOpen }] of all) {
        if (isOpen) guests.delete(number);
        else desk?.open(number, request);
      }
      // Last, since whoever hears it may open another.
      for (const [, { listener, isOpen }] of all) if (isOpen) listener.cut();
    },
    hear([number, what, ...rest]) {
      const guest = guests.get(number);
      if (!guest) return;
      const { listener } = guest;
      if (what === 'opened') {
        guest.isOpen = true;
        listener.opened();
      } else if (what === 'frame') listener.frame(rest[0] as string | undefined);
      else {
        guests.delete(number);
        if (what === 'closed') listener.closed(rest[0] as number);
        else if (what === 'cut') listener.cut();
        // A tuple's rest loses what its second part says of it.
        else listener.refused(...(rest as unknown as [number, string, string | undefined]));
      }
    },
  };
}
