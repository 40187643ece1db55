import type { SocketPort, SocketRequest } from '../transports/socket.ts';
import type { Word } from './messages.ts';
import { createPasses } from './passes.ts';
import { createUpstream, type Rider, type Upstream } from './upstream.ts';

/** The leader's side: the sockets of all tabs, on one connection to each task. */
export interface Relay {
  /** The virtual sockets that it has for a tab. */
  socketsOf(tab: string): ReadonlySet<number>;
  open(tab: string, socket: number, request: SocketRequest): void;
  send(tab: string, socket: number, text: string): void;
  close(tab: string, socket: number): void;
  /** Frees what it has for a tab; nothing is told. */
  drop(tab: string): void;
  /** Frees everything; nothing is told. */
  end(): void;
}

/** What a relay needs. */
export interface RelayOptions {
  readonly sockets: SocketPort;
  /** Virtual sockets that one tab may have. */
  readonly socketsMax: number;
  /** Must hand it on later, not at once: whoever hears it may call back. */
  readonly tell: (tab: string, word: Word) => void;
}

interface Seat {
  readonly rider: Rider;
  upstream: Upstream;
}

/** Makes the relay of a tab that leads. */
export function createRelay({ sockets, socketsMax, tell }: RelayOptions): Relay {
  const tabs = new Map<string, Map<number, Seat>>();
  const upstreams = new Map<string, Upstream>();
  const passes = createPasses(() => {
    // Whatever still shows older ones would be cut when they end. Not while a tab is being admitted.
    queueMicrotask(() => {
      for (const upstream of upstreams.values()) if (passes.current && passes.isOld(upstream.pass)) upstream.renew(passes.current);
    });
  });

  function build(key: string, tab: string, request: SocketRequest): Upstream {
    const upstream = createUpstream(sockets, request, passes.admit(tab, request), {
      over(isRefused) {
        if (isRefused) passes.spoil(upstream.pass);
        if (upstreams.get(key) === upstream) upstreams.delete(key);
      },
    });
    upstreams.set(key, upstream);
    return upstream;
  }

  function leave({ rider, upstream }: Seat): void {
    upstream.remove(rider);
    if (!upstream.isEmpty) return;
    for (const [key, one] of upstreams) if (one === upstream) upstreams.delete(key);
    upstream.close();
  }

  function take(tab: string, socket: number): Seat | undefined {
    const seats = tabs.get(tab);
    const seat = seats?.get(socket);
    seats?.delete(socket);
    if (seats?.size === 0) tabs.delete(tab);
    return seat;
  }

  return {
    socketsOf: (tab) => new Set(tabs.get(tab)?.keys()),
    open(tab, socket, request) {
      const seats = tabs.get(tab) ?? new Map<number, Seat>();
      if (seats.size >= socketsMax) return tell(tab, [socket, 'refused', 429, TOO_MANY, undefined]);
      const end = (word: Word): void => {
        take(tab, socket);
        tell(tab, word);
      };
      const rider: Rider = {
        request,
        stage: 'waiting',
        position: null,
        opened: () => tell(tab, [socket, 'opened']),
        frame: (text) => tell(tab, [socket, 'frame', text]),
        closed: (closeCode) => end([socket, 'closed', closeCode]),
        cut: () => end([socket, 'cut']),
        refused: (status, body, retryAfter) => end([socket, 'refused', status, body, retryAfter]),
      };
      const key = JSON.stringify([request.url, request.taskId]);
      const known = upstreams.get(key);
      // A tab that was refreshed brings new credentials also where it needs no socket for them.
      if (known) passes.admit(tab, request);
      const upstream = known ?? build(key, tab, request);
      tabs.set(tab, seats.set(socket, { rider, upstream }));
      upstream.add(rider);
    },
    send(tab, socket, text) {
      const seat = tabs.get(tab)?.get(socket);
      if (!seat || seat.upstream.send(seat.rider, text)) return;
      // Another server's ids, which nobody can put in order: a connection of its own.
      leave(seat);
      seat.upstream = build(JSON.stringify([tab, socket]), tab, seat.rider.request);
      seat.upstream.add(seat.rider);
      seat.upstream.send(seat.rider, text);
    },
    close(tab, socket) {
      const seat = take(tab, socket);
      if (seat) leave(seat);
    },
    drop(tab) {
      const seats = [...(tabs.get(tab)?.values() ?? [])];
      tabs.delete(tab);
      passes.forget(tab);
      seats.forEach(leave);
    },
    end() {
      const all = [...upstreams.values()];
      tabs.clear();
      upstreams.clear();
      for (const upstream of all) upstream.close();
    },
  };
}

const TOO_MANY = JSON.stringify({ code: 'RATE_LIMITED', message: 'This tab has as many virtual sockets as it may.', details: {} });
