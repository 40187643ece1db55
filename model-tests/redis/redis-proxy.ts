import { connect, createServer, type Socket } from 'node:net';
import { onLoopback } from '../support/loopback.ts';

/** A wire to a Redis server that can be cut, and led to another one. */
export interface RedisProxy {
  readonly port: number;
  /** Resets all connections. */
  reset(): void;
  /** What is open hears and says nothing any more, and nobody is told. */
  stall(): void;
  /** From now on connections go to another port; those that are open are reset. */
  leadTo(port: number): void;
  /** From now on new connections go to another port, as under a name that moves; those that are open stay where they are. */
  nameMovesTo(port: number): void;
  close(): Promise<void>;
}

/** Lays a wire to a port. */
export async function startRedisProxy(to: number): Promise<RedisProxy> {
  let target = to;
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(end);
      end.pipe(other);
      end.on('error', () => undefined);
      end.on('close', () => {
        ends.delete(end);
        other.destroy();
      });
    }
  });
  const { port, close } = await onLoopback(server);
  const reset = (): void => {
    for (const end of ends) end.resetAndDestroy();
  };
  return {
    port,
    reset,
    stall() {
      for (const end of ends) end.unpipe().pause();
    },
    nameMovesTo(next) {
      target = next;
    },
    leadTo(next) {
      target = next;
      reset();
    },
    async close() {
      reset();
      await close();
    },
  };
}
