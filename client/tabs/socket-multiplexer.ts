import type { SocketPort, SocketRequest } from '../transports/socket.ts';
import type { SocketMessage } from './messages.ts';
import { createCredentialCache } from './credential-cache.ts';
import { createUpstream, type UpstreamSocket, type Upstream } from './upstream.ts';

/** The leader's side: the sockets of all tabs, on one connection to each task. */
export interface SocketMultiplexer {
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

/** What a multiplexer needs. */
export interface SocketMultiplexerDeps {
  readonly sockets: SocketPort;
  /** Virtual sockets that one tab may have. */
  readonly socketsMax: number;
  /** Must hand it on later, not at once: whoever hears it may call back. */
  readonly tell: (tab: string, message: SocketMessage) => void;
}

interface Seat {
  readonly virtual: UpstreamSocket;
  upstream: Upstream;
}

/** Makes the multiplexer of a tab that leads. */
export function createSocketMultiplexer(options: SocketMultiplexerDeps): SocketMultiplexer {
  return new SocketRelay(options);
}

class SocketRelay implements SocketMultiplexer {
  readonly #options: SocketMultiplexerDeps;
  readonly #tabs = new Map<string, Map<number, Seat>>();
  readonly #upstreams = new Map<string, Upstream>();
  // Whatever still shows older ones would be cut when they end. Not while a tab is being admitted.
  readonly #credentials = createCredentialCache(() => queueMicrotask(() => this.#renewOld()));

  constructor(options: SocketMultiplexerDeps) {
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
    if (known) this.#credentials.admit(tab, request);
    const seat = { virtual: this.#riderOf(tab, socket, request), upstream: known ?? this.#build(key, tab, request) };
    this.#tabs.set(tab, seats.set(socket, seat));
    seat.upstream.add(seat.virtual);
  }

  send(tab: string, socket: number, text: string): void {
    const seat = this.#tabs.get(tab)?.get(socket);
    if (!seat || seat.upstream.send(seat.virtual, text)) return;
    // Another server's ids, which nobody can put in order: a connection of its own.
    this.#leave(seat);
    seat.upstream = this.#build(JSON.stringify([tab, socket]), tab, seat.virtual.request);
    seat.upstream.add(seat.virtual);
    seat.upstream.send(seat.virtual, text);
  }

  close(tab: string, socket: number): void {
    const seat = this.#take(tab, socket);
    if (seat) this.#leave(seat);
  }

  drop(tab: string): void {
    const seats = [...(this.#tabs.get(tab)?.values() ?? [])];
    this.#tabs.delete(tab);
    this.#credentials.forget(tab);
    for (const seat of seats) this.#leave(seat);
  }

  end(): void {
    const all = [...this.#upstreams.values()];
    this.#tabs.clear();
    this.#upstreams.clear();
    for (const upstream of all) upstream.close();
  }

  #riderOf(tab: string, socket: number, request: SocketRequest): UpstreamSocket {
    const { tell } = this.#options;
    const end = (message: SocketMessage): void => {
      this.#take(tab, socket);
      tell(tab, message);
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
    const upstream = createUpstream(this.#options.sockets, request, this.#credentials.admit(tab, request), {
      over: (isRefused) => {
        if (isRefused) this.#credentials.spoil(upstream.credentials);
        if (this.#upstreams.get(key) === upstream) this.#upstreams.delete(key);
      },
    });
    this.#upstreams.set(key, upstream);
    return upstream;
  }

  #renewOld(): void {
    const credentials = this.#credentials;
    for (const upstream of this.#upstreams.values())
      if (credentials.current && credentials.isOld(upstream.credentials)) upstream.renew(credentials.current);
  }

  /** The seat, which is free from now on. */
  #take(tab: string, socket: number): Seat | undefined {
    const seats = this.#tabs.get(tab);
    const seat = seats?.get(socket);
    seats?.delete(socket);
    if (seats?.size === 0) this.#tabs.delete(tab);
    return seat;
  }

  #leave({ virtual, upstream }: Seat): void {
    upstream.remove(virtual);
    if (!upstream.isEmpty) return;
    for (const [key, one] of this.#upstreams) if (one === upstream) this.#upstreams.delete(key);
    upstream.close();
  }
}

const TOO_MANY = JSON.stringify({ code: 'RATE_LIMITED', message: 'This tab has as many virtual sockets as it may.', details: {} });
