import { Command, type Cluster, type Redis } from 'ioredis';
import type { Clock } from '../../server/ports/index.ts';
import { failureOf } from './failure.ts';
import type { Script } from './scripts/index.ts';

/** What scripts are given: texts, and bytes as they are. */
export type Argument = string | Uint8Array;

/** Sends scripts to Redis over the host's client. */
export interface Connection {
  /**
   * Runs a script where its keys are. Rejects after `commandTimeoutMs`, and for everything that Redis or the way to it refuses; whether it ran
   * is unknown then. Replies are bytes.
   */
  run(script: Script, keys: readonly string[], args?: readonly Argument[]): Promise<unknown>;
  /** Resolves when all that was sent has been answered. */
  settled(): Promise<void>;
}

/** What a connection works with. */
export interface ConnectionContext {
  readonly redis: Redis | Cluster;
  readonly clock: Clock;
  readonly commandTimeoutMs: number;
}

/**
 * Commands are built here and not by the client's own methods: so they are never gathered by auto-pipelining, which slows scripts down, never
 * read from replicas, and get no prefix but ours.
 *
 * The client may send a script again by itself, after a reconnect or a redirection. That does no harm: every script that writes names the
 * revision or the request key that it is based on, and answers a conflict the second time.
 */
export function createConnection({ redis, clock, commandTimeoutMs }: ConnectionContext): Connection {
  const underWay = new Set<Promise<unknown>>();

  function send(name: string, subject: string, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return Promise.resolve(redis.sendCommand(new Command(name, [subject, String(keys.length), ...keys, ...args.map(asBuffer)])));
  }

  async function runIt({ sha, lua }: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await send('evalsha', sha, keys, args);
    } catch (error) {
      // New, restarted or flushed servers do not know it yet.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return send('eval', lua, keys, args);
    }
  }

  return {
    run(script, keys, args = []) {
      const running = new Promise<unknown>((resolve, reject) => {
        const timer = clock.setTimeout(
          () =>
            reject(new Error(`Redis did not answer "${script.name}" within ${commandTimeoutMs} milliseconds; whether it ran is unknown.`)),
          commandTimeoutMs,
        );
        runIt(script, keys, args)
          .then(resolve, (error: unknown) => reject(failureOf(script.name, error)))
          .finally(() => clock.clearTimeout(timer));
      });
      underWay.add(running);
      const done = (): void => void underWay.delete(running);
      running.then(done, done);
      return running;
    },
    async settled() {
      await Promise.allSettled(underWay);
    },
  };
}

function asBuffer(argument: Argument): string | Buffer {
  if (typeof argument === 'string' || Buffer.isBuffer(argument)) return argument;
  return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
}
