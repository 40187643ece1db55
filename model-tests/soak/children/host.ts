import { Redis } from 'ioredis';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { redisProbe, redisStore } from 'taskbridge/adapters/redis';
import { quietLogger, startChaosHost } from '../../chaos/chaos-host.ts';
import { countedClock, measureProcess } from '../host-measure.ts';

// A host that is looked at for an hour: `host.ts <lease in milliseconds> <retention in milliseconds> <Redis port or LMDB folder>`. Says how it
// stands whenever it is asked.
const [, , leaseMs = '', retainedAfterEndMs = '', place = ''] = process.argv;
const HOT_TASKS_MAX = 500;
const { clock, pending } = countedClock();
const redis = /^\d+$/.test(place) ? new Redis(Number(place), { maxRetriesPerRequest: null }) : undefined;
redis?.on('error', () => undefined);

process.on('message', (message) => {
  if (message === 'measure') process.send?.({ measure: measureProcess(pending()) });
});
await startChaosHost({
  store: redis
    ? redisStore(redis, { logger: quietLogger, clock, commandTimeoutMs: 3000 })
    : lmdbStore({ path: place, logger: quietLogger, clock }),
  ...(redis && { readiness: { redis: redisProbe(redis) } }),
  leaseMs: Number(leaseMs),
  // What is kept at hand is full long before the second half: a cache that fills for an hour looks like a leak.
  tasks: { retainedAfterEndMs: Number(retainedAfterEndMs), hotTasksMax: HOT_TASKS_MAX },
  clock,
});
