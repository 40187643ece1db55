import { Redis } from 'ioredis';
import { redisProbe, redisStore } from 'taskbridge/adapters/redis';
import { quietLogger, startChaosHost } from '../chaos-host.ts';

// One of the hosts of a chaos run: `host.ts <Redis port> <lease in milliseconds>`.
const [, , redisPort = '', leaseMs = '1500'] = process.argv;
const redis = new Redis(Number(redisPort), { maxRetriesPerRequest: null });
redis.on('error', () => undefined);

await startChaosHost({
  store: redisStore(redis, { logger: quietLogger, commandTimeoutMs: 3000 }),
  readiness: { redis: redisProbe(redis) },
  leaseMs: Number(leaseMs),
});
