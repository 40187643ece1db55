import { createTaskBridgeClient, routesOf } from 'taskbridge/client/node';
import { createTestBridge } from 'taskbridge/server/testing';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../http/listen.ts';

test('a client lists the tasks of its caller, page by page, as its host has set the paths', async () => {
  const host = await createTestBridge({ work: { quick: {} }, routes: { create: '/new', list: '/all' } });
  const { url, close } = await listen(host.bridge.middleware());
  onTestFinished(() => close().then(host.close));
  const routes = routesOf({ routes: { create: '/new', list: '/all' } });
  const clientOf = (subject: string) => createTaskBridgeClient({ baseUrl: url, auth: () => subject, routes });
  const [ann, bob] = [clientOf('ann'), clientOf('bob')];
  onTestFinished(async () => void (await Promise.all([ann.close(), bob.close()])));
  const ids: string[] = [];
  for (const title of ['May', 'June', 'July']) {
    ids.unshift((await ann.start({ taskType: 'quick', title, labels: ['a month', title] })).taskId);
    await host.advance(1);
  }
  const first = await ann.list({ label: 'a month', state: 'completed', limit: 2 });
  expect(first.tasks.map(({ taskId }) => taskId)).toEqual(ids.slice(0, 2));
  expect(first.tasks[0]).toEqual(await ann.get(ids[0] ?? ''));
  const second = await ann.list({ label: 'a month', after: first.nextAfter ?? undefined });
  expect([second.tasks.map(({ title }) => title), second.nextAfter]).toEqual([['May'], null]);
  expect(await bob.list()).toEqual({ tasks: [], nextAfter: null });
  await expect(ann.list({ limit: 101 })).rejects.toMatchObject({ code: 'REQUEST_VALIDATION_ERROR', status: 422 });
});

test('a client takes what has no list of tasks for somebody else’s answer, and another server’s last page for the last', async () => {
  const answers = ['{}', '{"tasks":{}}', '{"tasks":[]}'];
  const fetch = async () => new Response(answers.shift());
  const client = createTaskBridgeClient({ baseUrl: 'http://localhost', auth: () => 'ann', fetch, limits: { commandRetriesMax: 0 } });
  onTestFinished(() => client.close());
  for (let nth = 0; nth < 2; nth += 1)
    await expect(client.list()).rejects.toMatchObject({ code: 'INVALID_RESPONSE', message: 'The answer has no list "tasks".' });
  expect(await client.list()).toEqual({ tasks: [], nextAfter: null });
});
