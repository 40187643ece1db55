import { connect, type Socket } from 'node:net';
import type { Clock } from 'taskbridge/server';
import type { Direction, Impairment } from './impairment.ts';
import { createLane, type Lane } from './lane.ts';

/** Where a server listens. */
export interface Target {
  readonly port: number;
  /** Defaults to this machine, `127.0.0.1`. */
  readonly host?: string;
}

/** One connection through the proxy. Every verb does nothing once it is gone. */
export interface ChaosConnection {
  /** 1, 2, 3 … in the order in which they came. */
  readonly id: number;
  /** Bytes that came through, up and down. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** Replaces what is wrong with one direction or both of this connection; `{}` heals it. */
  impair(direction: Direction, impairment: Impairment): void;
  /** Resets both sides. */
  reset(): void;
  /**
   * Leaves one side believing: the other one is reset, and the side that is named has a connection that takes everything it says and never
   * answers, until it gives up itself.
   */
  halfOpen(believer: 'client' | 'server'): void;
}

/** What a connection needs of its proxy. */
export interface ProxiedConnectionDeps {
  readonly id: number;
  readonly clock: Clock;
  readonly targets: readonly Target[];
  readonly impairments: { readonly up: Impairment; readonly down: Impairment };
  /** Sees every chunk of the client; true resets the connection. */
  readonly refuses: (chunk: Buffer) => boolean;
  /** Called once, after {@link joinTargets} has returned. */
  gone(bytes: ChaosConnection['bytes']): void;
}

/** Joins a client to the first target that takes it; with none left, the client is reset. Undefined where there was none to begin with. */
export function joinTargets(client: Socket, deps: ProxiedConnectionDeps): ChaosConnection | undefined {
  const { id, clock, targets } = deps;
  const impairments = { ...deps.impairments };
  let server: Socket | undefined;
  let lanes: { readonly up: Lane; readonly down: Lane } | undefined;
  let isGone = false;

  function leave(): void {
    if (isGone) return;
    isGone = true;
    closeLanes();
    deps.gone(bytes());
  }
  const bytes = (): ChaosConnection['bytes'] => ({ up: lanes?.up.bytes ?? 0, down: lanes?.down.bytes ?? 0 });
  const closeLanes = (): void => {
    lanes?.up.close();
    lanes?.down.close();
  };
  function reset(): void {
    closeLanes();
    client.resetAndDestroy();
    server?.resetAndDestroy();
    leave();
  }
  function end(): void {
    closeLanes();
    client.destroySoon();
    server?.destroySoon();
    leave();
  }
  const cut = (how: 'reset' | 'end'): void => (how === 'end' ? end() : reset());

  function reach([target, ...others]: readonly Target[]): void {
    if (!target) return reset();
    const socket = connect({ host: '127.0.0.1', ...target, allowHalfOpen: true });
    server = socket;
    const next = (): void => (isGone ? undefined : reach(others));
    socket.once('error', next);
    socket.once('connect', () => {
      socket.off('error', next);
      if (isGone) socket.destroy();
      else join(socket);
    });
  }
  function join(socket: Socket): void {
    socket.on('error', reset);
    client.setNoDelay(true);
    socket.setNoDelay(true);
    client.on('data', (chunk: Buffer) => (deps.refuses(chunk) ? reset() : undefined));
    lanes = { up: createLane(client, socket, clock, cut), down: createLane(socket, client, clock, cut) };
    lanes.up.impair(impairments.up);
    if (!isGone) lanes.down.impair(impairments.down);
    const closed = (): void => (client.closed && socket.closed ? leave() : undefined);
    client.on('close', closed);
    socket.on('close', closed);
  }

  client.on('error', () => (isGone ? undefined : reset()));
  if (targets.length === 0) {
    client.resetAndDestroy();
    return undefined;
  }
  reach(targets);

  return {
    id,
    get bytes() {
      return bytes();
    },
    impair(direction, impairment) {
      if (direction !== 'down') impairments.up = impairment;
      if (direction !== 'up') impairments.down = impairment;
      if (direction !== 'down') lanes?.up.impair(impairment);
      if (direction !== 'up' && !isGone) lanes?.down.impair(impairment);
    },
    reset: () => (isGone ? undefined : reset()),
    halfOpen(believer) {
      if (isGone || !server || !lanes) return;
      closeLanes();
      const [believing, other] = believer === 'client' ? [client, server] : [server, client];
      // A reset that answers the other one's is of no interest to who believes.
      other.removeAllListeners('error').on('error', () => undefined);
      other.resetAndDestroy();
      believing.resume();
      believing.once('end', () => reset()).once('close', leave);
    },
  };
}
