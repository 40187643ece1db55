import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { createTaskBridge } from 'taskbridge/server';

import { create } from './chaos-client.ts';
import { quiesce } from './quiesce.ts';
import { emptyRunRecord, type Creation } from './run-record.ts';

it('waits for a create that was on its way when it began, and answers what that task asks', async () => {
  const bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess({ job: async (task) => (await task.suspend('go', { reasonCode: 'GO_ON', allowedActions: ['yes'] })).actionType }),
    auth: () => ({ subject: 'ada' }),
  });
  await bridge.start();
  let letCreate = (): void => undefined;
  const held = new Promise<void>((resolve) => (letCreate = resolve));
  let asked = 0;
  const app = new Koa().use(async ({ method }, next) => {
    asked += 1;
    if (method === 'POST' && asked === 1) await held;
    await next();
  });
  const server = createServer(app.use(bridge.middleware()).callback()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createTaskBridgeClient({ baseUrl });
  const input = { steps: 1, paceMs: 1, asks: [], end: 'complete', repeatable: true } as const;
  const creation: Creation = {
    owner: 'ada',
    clientRequestId: 'r',
    input,
    taskIds: new Set(),
    sent: 0,
    toldNew: [],
    answered: 0,
    unknown: 0,
  };
  const record = { ...emptyRunRecord(), creations: [creation] };
  try {
    const created = create(client, creation);
    const quiet = quiesce(record, baseUrl, 60_000);
    letCreate();
    await Promise.all([created, quiet]);
    const [taskId = ''] = creation.taskIds;
    expect(await client.get(taskId)).toMatchObject({ state: 'completed', result: 'yes' });
  } finally {
    await client.close();
    await bridge.close();
    server.close();
  }
});
