import type { Redis } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import type { Fact } from 'taskbridge/wire';
import type { Logs } from './checker.ts';

/** Every log in a store on Redis; ends the connection. */
export async function logsOf(redis: Redis): Promise<Logs> {
  const store = redisStore(redis);
  await store.open();
  try {
    const logs = new Map<string, readonly Fact[]>();
    for await (const keys of redis.scanStream({ match: 'taskbridge:*:task:*', count: 1000 }))
      for (const key of keys as string[]) {
        const taskId = key.slice(key.lastIndexOf(':') + 1);
        const page = await store.read(taskId, 1, { facts: 1_000_000, bytes: Number.MAX_SAFE_INTEGER });
        logs.set(
          taskId,
          (page?.entries ?? []).map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Fact),
        );
      }
    return logs;
  } finally {
    await store.close();
    redis.disconnect();
  }
}
