import { Redis } from 'ioredis';
import { afterAll, beforeAll, onTestFinished, test } from 'vitest';
import { fileAttachments } from 'taskbridge/adapters/file';
import { redisStore } from 'taskbridge/adapters/redis';
import { keepsFiles } from '../caller/attachment-fixture.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis('--appendonly', 'no');
});
afterAll(() => redis.stop());

test('a file that work makes is listed, read back, replaced by its name, and removed with its task', async () => {
  const client = new Redis(redis.port);
  const files = await tempFolder('made-files');
  onTestFinished(async () => {
    client.disconnect();
    await files.remove();
  });
  await keepsFiles({ store: redisStore(client, { prefix: 'made' }), attachments: fileAttachments({ path: files.path, shared: true }) });
});
