import { Redis } from 'ioredis';
import { afterAll, beforeAll, onTestFinished, test } from 'vitest';
import { fileAttachments } from 'taskbridge/adapters/file';
import { redisStore } from 'taskbridge/adapters/redis';
import { startsAgain } from '../caller/retry-fixture.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis('--appendonly', 'no');
});
afterAll(() => redis.stop());

test('a task that is started again is a new one of the same type, input, names and files', async () => {
  const client = new Redis(redis.port);
  const files = await tempFolder('retry-files');
  onTestFinished(async () => {
    client.disconnect();
    await files.remove();
  });
  await startsAgain({ store: redisStore(client, { prefix: 'again' }), attachments: fileAttachments({ path: files.path, shared: true }) });
});
