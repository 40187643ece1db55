import type { Cluster, Redis } from 'ioredis';
import { systemChance, type Clock, type Store } from '../../server/ports/index.ts';
import { createAppender } from './appender.ts';
import { backfillOf } from './backfill.ts';
import { checkClient, clientReady } from './client-check.ts';
import { createBucketCalls } from './calls.ts';
import { readBatch } from './cluster-batch.ts';
import { createConnection } from './connection.ts';
import type { StoreDeps } from './deps.ts';
import { createHeads } from './heads.ts';
import { createIdentity } from './identity.ts';
import { ReadCache } from './read-cache.ts';
import { keysUnder } from './keys.ts';
import { createFlusher, lanesOf } from './lanes.ts';
import { logOf, readLog } from './log.ts';
import { redisOptions, type RedisStoreOptions } from './options.ts';
import { createReconnection } from './reconnection.ts';
import { listsOf } from './lists.ts';
import { ownerRegistryOf } from './owners.ts';
import { registryOf } from './registry.ts';
import { checkRights } from './rights-check.ts';
import { appendScript, createScript, flushScript } from './scripts/index.ts';
import { checkServers } from './server-check.ts';
import { announceScript } from './tail/announcer.ts';
import { createRouter, isCluster, type Router } from './tail/router.ts';
import { Tails } from './tail/tails.ts';
import { inTime } from './time-limit.ts';
import { TurnReads } from './turn-reads.ts';
import { createTaker } from './work-queue.ts';
import { workRegistryOf } from './work.ts';

/** Bytes of announced facts that are read at once. */
const READ_BYTES_MAX = 1024 * 1024;

/**
 * Makes a store on Redis 6.2, Redis Cluster 7.0 or newer, or Valkey, that any number of nodes share. Takes a live client of ioredis 6, which stays the
 * host's: `close` leaves it open. The tail makes one connection more, on a cluster one for each master.
 *
 * Every verb but `open`, `close` and `now` throws while the store is not open. What is durable is for Redis to say: see the README.
 *
 * @throws a `TypeError` or `RangeError` that names the option for one that cannot work.
 */
export function redisStore(redis: Redis | Cluster, given: RedisStoreOptions = {}): Store {
  const options = redisOptions(given);
  const { clock, chance, logger, commandTimeoutMs, openTimeoutMs } = options;
  const keys = keysUnder(options.prefix);
  let tails: Tails | undefined;
  const router = createRouter(redis, (answer) => inTime(clock, commandTimeoutMs, answer, 'A server of the Redis cluster did not answer.'));
  const reconnection = createReconnection({ redis, router, clock, logger, commandTimeoutMs, renewed: () => tails?.renew() });
  const connection = createConnection({ redis, clock, commandTimeoutMs, reconnection });
  const identity = createIdentity({ connection, keys, chance, logger, replaced: () => tails?.interrupt() });
  const deps = depsOf({ redis, router, keys, connection, options, now: () => identity.now() });
  let turn: Promise<void> = Promise.resolve();

  /** Opening and closing take time, and follow each other. */
  function inTurn(step: () => Promise<void>): Promise<void> {
    const done = turn.then(step);
    turn = done.catch(() => undefined);
    return done;
  }

  function need(): StoreDeps {
    needTails();
    return deps;
  }

  function needTails(): Tails {
    if (!tails) throw new Error('The Redis store is not open. Call open() first, and nothing after close().');
    return tails;
  }

  return {
    name: 'redis',
    exclusive: false,

    open() {
      return inTurn(async () => {
        if (tails) return;
        await reached(redis, clock, openTimeoutMs, async (signal) => {
          checkClient(redis, logger);
          await clientReady(redis, signal);
          await checkServers(redis, logger);
          await checkRights({ router, keys, isCluster: isCluster(redis), logger, signal });
        });
        await identity.open();
        tails = tailsOf(deps, router, isCluster(redis), options);
      });
    },

    close() {
      return inTurn(async () => {
        const open = tails;
        tails = undefined;
        open?.close();
        await connection.settled();
      });
    },

    now: () => identity.now(),

    async id() {
      needTails();
      return identity.id();
    },

    ...registryOf(need),
    ...workRegistryOf(need),
    ...ownerRegistryOf(need),
    ...listsOf(need),
    ...logOf(need),
    lanes: lanesOf(need),
    backfill: backfillOf(need),
    tail: (listener) => needTails().open(listener),
  };
}

function tailsOf(deps: StoreDeps, router: Router, isSharded: boolean, options: ReturnType<typeof redisOptions>): Tails {
  const { clock, chance, logger, commandTimeoutMs } = options;
  const { connection, keys } = deps;
  const announce = announceScript(isSharded);
  return new Tails({
    router,
    isSharded,
    clock,
    chance,
    logger,
    aliveMs: commandTimeoutMs,
    channelOf: keys.log,
    partsChannelOf: keys.parts,
    noticeChannel: keys.notices,
    publish: async (notice) => void (await connection.run(announce, [keys.notices], [notice])),
    limited: (watching) => inTime(clock, commandTimeoutMs, watching, `Redis did not subscribe within ${commandTimeoutMs} milliseconds.`),
    read: (taskId, from, facts) => readLog(deps, taskId, from, { facts, bytes: READ_BYTES_MAX }),
  });
}

/** Puts together what the verbs work with. */
function depsOf({ redis, router, keys, connection, options, now }: Pick<StoreDeps, 'keys' | 'connection'> & DepsParts): StoreDeps {
  const { clock, logger, commandTimeoutMs, messageBytesMax } = options;
  const calls = createBucketCalls({
    connection,
    isCluster: isCluster(redis),
    batch: isCluster(redis)
      ? (script, batch) => inTime(clock, commandTimeoutMs, readBatch(redis, router, script, batch), 'Redis did not answer a batch in time.')
      : undefined,
    logger,
    clock,
  });
  return {
    connection,
    keys,
    heads: createHeads(clock),
    loads: new ReadCache(),
    pages: new ReadCache(),
    turnLoads: isCluster(redis) ? undefined : new TurnReads(),
    turnPages: isCluster(redis) ? undefined : new TurnReads(),
    isCluster: isCluster(redis),
    calls,
    // Nodes that are started together need not begin at one place.
    take: createTaker({ calls, keys, isCluster: isCluster(redis), now }, Number.parseInt(systemChance.hex(2), 16)),
    append: createAppender(connection, appendScript({ isCluster: isCluster(redis), messageBytesMax })),
    flush: createFlusher(connection, flushScript({ isCluster: isCluster(redis), messageBytesMax })),
    create: createScript({ isCluster: isCluster(redis) }),
  };
}

interface DepsParts {
  readonly redis: Redis | Cluster;
  readonly router: Router;
  readonly options: Required<RedisStoreOptions>;
  now(): Promise<number>;
}

/** Gives a first contact its limit, and says why it failed: what the client only emits as an event is the reason. */
async function reached(redis: Redis | Cluster, clock: Clock, ms: number, check: (signal: AbortSignal) => Promise<void>): Promise<void> {
  let cause: unknown;
  const over = new AbortController();
  const note = (error: unknown): void => void (cause = error);
  redis.on('error', note);
  redis.on('node error', note);
  try {
    await inTime(clock, ms, check(over.signal), `Redis did not answer within ${ms} milliseconds`);
  } catch (error) {
    const reason =
      cause instanceof Error && !(error instanceof Error && error.message.includes(cause.message)) ? ` (${cause.message})` : '';
    throw new Error(`The Redis store cannot be opened: ${error instanceof Error ? error.message : String(error)}${reason}`, { cause });
  } finally {
    over.abort();
    redis.off('error', note);
    redis.off('node error', note);
  }
}
