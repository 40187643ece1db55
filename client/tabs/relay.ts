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
export function createRelay(options: RelayOptions): Relay {
  return new SocketRelay(options);
}

class SocketRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #tabs = new Map<string, Map<number, Seat>>();
  readonly #upstreams = new Map<string, Upstream>();
  // Whatever still shows older ones would be cut when they end. Not while a tab is being admitted.
  readonly #passes = createPasses(() => queueMicrotask(() => this.#renewOld()));

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  socketsOf(tab: string): ReadonlySet<number> {
    return new Set(this.#tabs.get(tab)?.keys());
  }

  open(tab: string, socket: number, request: SocketRequest): void {
    const seats = this.#tabs.get(tab) ?? new Map<number, Seat>();
    if (seats.size >= this.#options.socketsMax) return this.#options.tell(tab, [socket, 'refused', 429, TOO_MANY, undefined]);
    const key = JSON.stringify([request.url, request.taskId]);
    const known = this.#upstreams.get(key);
    // A tab that was refreshed brings new credentials also where it needs no socket for them.
    if (known) this.#passes.admit(tab, request);
    const seat = { rider: this.#riderOf(tab, socket, request), upstream: known ?? this.#build(key, tab, request) };
    this.#tabs.set(tab, seats.set(socket, seat));
    seat.upstream.add(seat.rider);
  }

  send(tab: string, socket: number, text: string): void {
    const seat = this.#tabs.get(tab)?.get(socket);
    if (!seat || seat.upstream.send(seat.rider, text)) return;
    // Another server's ids, which nobody can put in order: a connection of its own.
    this.#leave(seat);
    seat.upstream = this.#build(JSON.stringify([tab, socket]), tab, seat.rider.request);
    seat.upstream.add(seat.rider);
    seat.upstream.send(seat.rider, text);
  }

  close(tab: string, socket: number): void {
    const seat = this.#take(tab, socket);
    if (seat) this.#leave(seat);
  }

  drop(tab: string): void {
    const seats = [...(this.#tabs.get(tab)?.values() ?? [])];
    this.#tabs.delete(tab);
    this.#passes.forget(tab);
    for (const seat of seats) this.#leave(seat);
  }

  end(): void {
    const all = [...this.#upstreams.values()];
    this.#tabs.clear();
    this.#upstreams.clear();
    for (const upstream of all) upstream.close();
  }

  #riderOf(tab: string, socket: number, request: SocketRequest): Rider {
    const { tell } = this.#options;
    const end = (word: Word): void => {
      this.#take(tab, socket);
      tell(tab, word);
    };
    return {
      request,
      stage: 'waiting',
      position: null,
      opened: () => tell(tab, [socket, 'opened']),
      frame: (text) => tell(tab, [socket, 'frame', text]),
      closed: (closeCode) => end([socket, 'closed', closeCode]),
      cut: () => end([socket, 'cut']),
      refused: (status, body, retryAfter) => end([socket, 'refused', status, body, retryAfter]),
    };
  }

  #build(key: string, tab: string, request: SocketRequest): Upstream {
    const upstream = createUpstream(this.#options.sockets, request, this.#passes.admit(tab, request), {
      over: (isRefused) => {
        if (isRefused) this.#passes.spoil(upstream.pass);
        if (this.#upstreams.get(key) === upstream) this.#upstreams.delete(key);
      },
    });
    this.#upstreams.set(key, upstream);
    return upstream;
  }

  #renewOld(): void {
    const passes = this.#passes;
    for (const upstream of this.#upstreams.values()) if (passes.current && passes.isOld(upstream.pass)) upstream.renew(passes.current);
  }

  /** The seat, which is free from now on. */
  #take(tab: string, socket: number): Seat | undefined {
    const seats = this.#tabs.get(tab);
    const seat = seats?.get(socket);
    seats?.delete(socket);
    if (seats?.size === 0) this.#tabs.delete(tab);
    return seat;
  }

  #leave({ rider, upstream }: Seat): void {
    upstream.remove(rider);
    if (!upstream.isEmpty) return;
    for (const [key, one] of this.#upstreams) if (one === upstream) this.#upstreams.delete(key);
    upstream.close();
  }
}

const TOO_MANY = JSON.stringify({ code: 'RATE_LIMITED', message: 'This tab has as many virtual sockets as it may.', details: {} });
