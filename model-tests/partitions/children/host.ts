import { Redis } from 'ioredis';
import { redisProbe, redisStore } from 'taskbridge/adapters/redis';
import { quietLogger, startChaosHost } from '../../chaos/chaos-host.ts';
import { MASTER_NAME, SENTINEL_PORT } from '../redis-pair.ts';
import { setDateOff } from '../wrong-date.ts';

// A node on a machine of its own: `host.ts <lease in milliseconds> <address> <port> <Sentinels, by comma>`. Is told how far its date is off.
const [, , leaseMs = '', host = '', port = '', sentinels = ''] = process.argv;
process.on('message', (message: { readonly dateOffMs?: number }) => {
  if (message.dateOffMs !== undefined) setDateOff(message.dateOffMs);
});
// As the README of the Redis store has it.
const redis = new Redis({
  name: MASTER_NAME,
  sentinels: sentinels.split(',').map((address) => ({ host: address, port: SENTINEL_PORT })),
  sentinelCommandTimeout: 1000,
  maxRetriesPerRequest: null,
});
redis.on('error', () => undefined);

await startChaosHost({
  store: redisStore(redis, { logger: quietLogger, commandTimeoutMs: 3000, openTimeoutMs: 20_000 }),
  readiness: { redis: redisProbe(redis) },
  leaseMs: Number(leaseMs),
  listen: { port: Number(port), host },
});
