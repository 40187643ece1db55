import type { SocketPort, SocketRequest } from '../transports/socket.ts';
import { tellMessages, type SocketMessage } from './messages.ts';
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

/** What a multiplexer works with. */
export interface SocketMultiplexerDeps {
  readonly sockets: SocketPort;
  /** Virtual sockets that one tab may have. */
  readonly socketsMax: number;
  /** Must hand it on later, not at once: whoever is told may call back. */
  readonly tell: (tab: string, message: SocketMessage) => void;
}

/** A virtual socket, and the connection that it goes through. */
interface Route {
  readonly virtualSocket: UpstreamSocket;
  upstream: Upstream;
}

/** Makes the multiplexer of a tab that leads. */
export function createSocketMultiplexer(deps: SocketMultiplexerDeps): SocketMultiplexer {
  return new LeaderMultiplexer(deps);
}

class LeaderMultiplexer implements SocketMultiplexer {
  readonly #deps: SocketMultiplexerDeps;
  readonly #tabs = new Map<string, Map<number, Route>>();
  readonly #upstreams = new Map<string, Upstream>();
  /** The newest count of network changes that each tab came with. */
  readonly #changesOf = new Map<string, number>();
  /** Counts those that any tab came with. */
  #networkChanges = 0;
  // Whatever still shows older ones would be cut when they end. Not while credentials are being chosen.
  readonly #credentials = createCredentialCache(() => queueMicrotask(() => this.#renewOld()));

  constructor(deps: SocketMultiplexerDeps) {
    this.#deps = deps;
  }

  socketsOf(tab: string): ReadonlySet<number> {
    return new Set(this.#tabs.get(tab)?.keys());
  }

  open(tab: string, socket: number, request: SocketRequest): void {
    const routes = this.#tabs.get(tab) ?? new Map<number, Route>();
    if (routes.size >= this.#deps.socketsMax) return this.#deps.tell(tab, [socket, 'refused', 429, TOO_MANY, undefined]);
    this.#noteNetwork(tab, request);
    const key = JSON.stringify([request.url, request.taskId]);
    const known = this.#upstreams.get(key);
    // A tab that was refreshed brings new credentials also where it needs no socket for them.
    if (known) this.#credentials.choose(tab, request);
    const route = { virtualSocket: this.#virtualSocketOf(tab, socket, request), upstream: known ?? this.#build(key, tab, request) };
    this.#tabs.set(tab, routes.set(socket, route));
    route.upstream.add(route.virtualSocket);
  }

  send(tab: string, socket: number, text: string): void {
    const route = this.#tabs.get(tab)?.get(socket);
    if (!route || route.upstream.send(route.virtualSocket, text)) return;
    // Another server's ids, which nobody can put in order: a connection of its own.
    this.#leave(route);
    route.upstream = this.#build(JSON.stringify([tab, socket]), tab, route.virtualSocket.request);
    route.upstream.add(route.virtualSocket);
    route.upstream.send(route.virtualSocket, text);
  }

  close(tab: string, socket: number): void {
    const route = this.#takeRoute(tab, socket);
    if (route) this.#leave(route);
  }

  drop(tab: string): void {
    const routes = [...(this.#tabs.get(tab)?.values() ?? [])];
    this.#tabs.delete(tab);
    this.#credentials.forget(tab);
    this.#changesOf.delete(tab);
    for (const route of routes) this.#leave(route);
  }

  end(): void {
    const all = [...this.#upstreams.values()];
    this.#tabs.clear();
    this.#upstreams.clear();
    this.#changesOf.clear();
    for (const upstream of all) upstream.close();
  }

  #virtualSocketOf(tab: string, socket: number, request: SocketRequest): UpstreamSocket {
    const { tell } = this.#deps;
    const end = (message: SocketMessage): void => {
      this.#takeRoute(tab, socket);
      tell(tab, message);
    };
    return { request, stage: 'waiting', position: null, places: new Map(), ...tellMessages(socket, (message) => tell(tab, message), end) };
  }

  #build(key: string, tab: string, request: SocketRequest): Upstream {
    const ours = { ...request, networkChanges: this.#networkChanges };
    const upstream = createUpstream(this.#deps.sockets, ours, this.#credentials.choose(tab, request), {
      over: (isRefused) => {
        if (isRefused) this.#credentials.markRefused(upstream.credentials);
        if (this.#upstreams.get(key) === upstream) this.#upstreams.delete(key);
      },
    });
    this.#upstreams.set(key, upstream);
    return upstream;
  }

  /** A tab that comes back on another network holds what is open for dead: all of it is opened anew. */
  #noteNetwork(tab: string, { networkChanges = 0 }: SocketRequest): void {
    const before = this.#changesOf.get(tab) ?? networkChanges;
    this.#changesOf.set(tab, Math.max(before, networkChanges));
    if (networkChanges <= before) return;
    this.#networkChanges += 1;
    for (const upstream of this.#upstreams.values()) upstream.renew(upstream.credentials, this.#networkChanges);
  }

  #renewOld(): void {
    const credentials = this.#credentials;
    for (const upstream of this.#upstreams.values())
      if (credentials.current && credentials.isOld(upstream.credentials)) upstream.renew(credentials.current, this.#networkChanges);
  }

  /** The route of a socket, which has none from now on. */
  #takeRoute(tab: string, socket: number): Route | undefined {
    const routes = this.#tabs.get(tab);
    const route = routes?.get(socket);
    routes?.delete(socket);
    if (routes?.size === 0) this.#tabs.delete(tab);
    return route;
  }

  #leave({ virtualSocket, upstream }: Route): void {
    upstream.remove(virtualSocket);
    if (!upstream.isEmpty) return;
    for (const [key, one] of this.#upstreams) if (one === upstream) this.#upstreams.delete(key);
    upstream.close();
  }
}

const TOO_MANY = JSON.stringify({ code: 'RATE_LIMITED', message: 'This tab has as many virtual sockets as it may.', details: {} });
