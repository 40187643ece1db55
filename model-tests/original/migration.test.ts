import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridge } from 'taskbridge/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onLoopback } from '../support/loopback.ts';
import { startOriginal, type OriginalHost } from './original-host.ts';
import { publishedClient } from './published-client.ts';

const python = fileURLToPath(new URL('../../.data/original/bin/python', import.meta.url));
/** The one that the original writes under by default. */
const PREFIX = 'taskbridge:tasks';

let original: OriginalHost;
let redis: Redis;
let ours: { readonly baseUrl: string; close(): Promise<void> };

beforeAll(async () => {
  original = await startOriginal(100);
  redis = new Redis({ port: original.redisPort, host: '127.0.0.1' });
  const bridge = createTaskBridge({
    store: redisStore(redis, { prefix: PREFIX }),
    executor: inProcess({
      succeed: async (task) => {
        await task.progress(50);
        return { input: task.input };
      },
    }),
    auth: ({ headers }) => ({ subject: headers.authorization ?? '' }),
  });
  const app = new Koa();
  app.use(bridge.middleware());
  const server = createServer(app.callback());
  server.on('upgrade', bridge.upgrade);
  await bridge.start();
  const { url, close } = await onLoopback(server);
  ours = {
    baseUrl: url,
    async close() {
      await bridge.close();
      await close();
    },
  };
});
afterAll(async () => {
  await ours?.close();
  redis?.disconnect();
  await original?.stop();
});

describe('docs/migration.md', () => {
  test('has every name that the original’s package exports', () => {
    const said = execFileSync(python, ['-c', 'import taskbridge; print(*taskbridge.__all__)'], { encoding: 'utf8' });
    const names = said.trim().split(' ');
    const page = readFileSync(new URL('../../docs/migration.md', import.meta.url), 'utf8').replaceAll(/<!--[\s\S]*?-->/g, '');
    expect(names.length).toBeGreaterThan(90);
    expect(names.filter((name) => !new RegExp(`\`${name}\\b`).test(page))).toEqual([]);
  });
});

describe('both servers on one Redis, under one prefix', () => {
  test('keep their tasks apart, and each knows its own only', async () => {
    const clients = [publishedClient(original.baseUrl), publishedClient(ours.baseUrl)] as const;
    const create = { clientRequestId: 'same', taskType: 'succeed', input: { x: 1 }, metadata: {} };
    const taskIds = await Promise.all(clients.map(async (client) => String((await client.post('', create)).body['taskId'])));
    const [theirs = '', mine = ''] = taskIds;
    expect(theirs).not.toBe(mine);
    const logs = await Promise.all(clients.map((client, i) => client.webSocket(taskIds[i] ?? '')));
    for (const { events, ending } of logs) {
      expect(ending).toBe(1000);
      expect(events.at(-1)?.type).toBe('TASK_COMPLETED');
    }
    expect((await clients[0].poll(mine)).status).toBe(404);
    expect((await clients[1].poll(theirs)).status).toBe(404);
    const keys = await redis.keys('*');
    expect(keys.filter((key) => !key.startsWith(`${PREFIX}:{`))).toEqual([`${PREFIX}:${theirs}:events`]);
    expect(keys).toContain(`${PREFIX}:{${mine.slice(0, 2)}}:log:${mine}`);
    // What the page says of evicting: theirs expire, ours never do.
    expect(await redis.ttl(`${PREFIX}:${theirs}:events`)).toBeGreaterThan(0);
    expect(await redis.ttl(`${PREFIX}:{${mine.slice(0, 2)}}:log:${mine}`)).toBe(-1);
  });
});
