import type { Cluster, Redis } from 'ioredis';
import type { Clock, Logger } from '../../server/ports/index.ts';
import type { CommandFailure } from './command-failure.ts';
import type { Router } from './tail/router.ts';

/** What becomes of one command tells of the connection. */
export interface Sent {
  /** The server answered, whatever it said. */
  answered(): void;
  /** No answer came in its time. */
  unanswered(): void;
  /** It answered with an error. `isSeen` says that the client has judged this very error already, by its own `reconnectOnError`. */
  refused(failure: CommandFailure, error: Error, isSeen: boolean): void;
}

/**
 * Lets the host's client connect again where its connection is of no use any more, and nobody says so: the server has become a replica, or
 * answers nothing at all. The client knows how to find the right server (a name, a Sentinel, a cluster); what it sent is sent again by it.
 */
export interface Reconnection {
  /** A command for keys of that tag, as a bucket is one, is under way. */
  sent(bucket: string): Sent;
}

/** What the reconnection works with. */
export interface ReconnectionDeps {
  readonly redis: Redis | Cluster;
  readonly router: Router;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the log: how long nothing was answered. */
  readonly commandTimeoutMs: number;
  /** What else hears the server may hear the wrong one. */
  renewed(): void;
}

/** A client that was told to connect again is left alone for so long: a name may take a while to lead elsewhere. */
const REST_MS = 1000;

/** Judges by what comes back. On a cluster each bucket is judged for itself, since it is on one server, whose answers keep their order. */
export function createReconnection({ redis, router, clock, logger, commandTimeoutMs, renewed }: ReconnectionDeps): Reconnection {
  /** How many answers came, by bucket. */
  const answers = new Map<string, number>();
  const resting = new Set<Redis>();

  async function reconnect(bucket: string, message: string, error: Error): Promise<void> {
    const client = redis.isCluster ? (await router.places())(bucket)?.client : (redis as Redis);
    // While it is on its way to a server it is not to be disturbed; one without a strategy would not come back.
    if (!client || !(client.status === 'ready' || client.status === 'connect')) return;
    if (resting.has(client) || (!redis.isCluster && typeof client.options.retryStrategy !== 'function')) return;
    resting.add(client);
    clock.setTimeout(() => resting.delete(client), REST_MS);
    logger.warn(message, { error });
    client.disconnect(true);
    router.forget();
    renewed();
  }

  function soon(bucket: string, message: string, error: Error): void {
    reconnect(bucket, message, error).catch((failure: unknown) =>
      logger.warn('Redis could not be connected to again; it is tried again.', { error: failure }),
    );
  }

  return {
    sent(bucket) {
      const before = answers.get(bucket) ?? 0;
      const answered = (): void => void answers.set(bucket, (answers.get(bucket) ?? 0) + 1);
      return {
        answered,
        unanswered() {
          if ((answers.get(bucket) ?? 0) !== before) return;
          // What was sent on the same connection says nothing new when it is late too.
          answered();
          const error = new Error(`Redis answered nothing for ${commandTimeoutMs} milliseconds.`);
          soon(bucket, 'Redis does not answer; the client connects again.', error);
        },
        refused(failure, error, isSeen) {
          answered();
          if (failure.code === 'READONLY') soon(bucket, 'Redis is a replica now; the client connects again.', failure);
          else if (!isSeen && wantsReconnect(redis, error))
            soon(bucket, 'Redis refused what its client is to connect again for; it does.', failure);
        },
      };
    },
  };
}

function wantsReconnect(redis: Redis | Cluster, error: Error): boolean {
  const own = redis.isCluster ? (redis as Cluster).options.redisOptions?.reconnectOnError : (redis as Redis).options.reconnectOnError;
  return Boolean(own?.(error));
}
