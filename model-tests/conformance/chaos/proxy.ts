import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { platformClock } from 'taskbridge/client';
import type { Clock } from 'taskbridge/server';
import { joinTargets, type ChaosConnection, type Target } from './connection.ts';
import { checkImpairment, type Direction, type Impairment } from './impairment.ts';

/** What {@link chaosProxy} is told. */
export interface ChaosProxyOptions {
  /** Where connections go, or what says so for each new one: of several targets, the first that takes it. */
  readonly target: Target | (() => Target | readonly Target[]);
  /** Where it listens. Defaults to a free port. */
  readonly port?: number;
  /** Defaults to this machine only, `127.0.0.1`. */
  readonly host?: string;
  /** Time for delays and throttles. Defaults to the machine's. */
  readonly clock?: Clock;
}

/** A wire between clients and servers that misbehaves when it is told to. It knows TCP only. */
export interface ChaosProxy {
  readonly port: number;
  /** `http://host:port`. */
  readonly url: string;
  /** What went through so far: connections that were `taken`, of which `open` are there now and `refused` were never passed on, and bytes. */
  readonly counts: { readonly taken: number; readonly open: number; readonly refused: number; readonly up: number; readonly down: number };
  /** The connections that are open now, oldest first. */
  readonly connections: readonly ChaosConnection[];
  /** Replaces what is wrong with one direction or both, for connections that are open and for new ones, until it is healed. */
  impair(direction: Direction, impairment: Impairment): void;
  /** Nothing is wrong any more, and nothing is refused. What was reset or is half open stays so. */
  heal(): void;
  /** Resets all connections, as a lost network does; gives their number. */
  reset(): number;
  /** Makes all connections half open; see {@link ChaosConnection.halfOpen}. Gives their number. */
  halfOpen(believer: 'client' | 'server'): number;
  /** `true` resets every new connection at once; a test is shown every chunk that clients send, and resets its connection by `true`. */
  refuse(what: boolean | ((chunk: Buffer) => boolean)): void;
  /** Resets what is open and stops listening. No timer and no socket is left. */
  close(): Promise<void>;
}

/** Starts a proxy; resolves once it listens, rejects where it cannot. */
export async function chaosProxy({ target, port = 0, host = '127.0.0.1', clock = platformClock }: ChaosProxyOptions): Promise<ChaosProxy> {
  const open = new Map<number, ChaosConnection>();
  const impairments: { up: Impairment; down: Impairment } = { up: {}, down: {} };
  const counts = { taken: 0, refused: 0, up: 0, down: 0 };
  let refusal: boolean | ((chunk: Buffer) => boolean) = false;

  function targets(): readonly Target[] {
    const found = typeof target === 'function' ? target() : target;
    return 'port' in found ? [found] : found;
  }
  const server = createServer({ allowHalfOpen: true }, (client) => {
    counts.taken += 1;
    const id = counts.taken;
    if (refusal === true) {
      counts.refused += 1;
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const refuses = (chunk: Buffer): boolean => typeof refusal === 'function' && refusal(chunk);
    const gone = (bytes: ChaosConnection['bytes']): void => {
      open.delete(id);
      counts.up += bytes.up;
      counts.down += bytes.down;
    };
    const connection = joinTargets(client, { id, clock, targets: targets(), impairments, refuses, gone });
    if (connection) open.set(id, connection);
  });
  server.listen(port, host);
  await once(server, 'listening');
  // A server that listens on TCP has such an address.
  const address = server.address() as AddressInfo;

  const all = (): ChaosConnection[] => [...open.values()];
  const each = (act: (connection: ChaosConnection) => void): number => {
    const connections = all();
    connections.forEach(act);
    return connections.length;
  };
  const impair: ChaosProxy['impair'] = (direction, impairment) => {
    checkImpairment(impairment);
    if (direction !== 'down') impairments.up = impairment;
    if (direction !== 'up') impairments.down = impairment;
    each((connection) => connection.impair(direction, impairment));
  };
  return {
    port: address.port,
    url: `http://${host}:${address.port}`,
    get counts() {
      const sum = (direction: 'up' | 'down') => all().reduce((total, { bytes }) => total + bytes[direction], counts[direction]);
      return { ...counts, open: open.size, up: sum('up'), down: sum('down') };
    },
    get connections() {
      return all();
    },
    impair,
    heal() {
      refusal = false;
      impair('both', {});
    },
    reset: () => each((connection) => connection.reset()),
    halfOpen: (believer) => each((connection) => connection.halfOpen(believer)),
    refuse(what) {
      refusal = what;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      each((connection) => connection.reset());
      await closed;
    },
  };
}
