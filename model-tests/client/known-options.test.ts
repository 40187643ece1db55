import { createTaskBridgeClient, TaskBridgeClientError } from 'taskbridge/client/node';
import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import { tabSockets } from 'taskbridge/client/tabs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { takingServer } from '../outbox/outbox-harness.ts';
import { TASK } from '../support/scripted-server.ts';

const baseUrl = 'http://localhost:1';

describe('an option by another name is refused, with those that there are', () => {
  test.each<[string, () => unknown, string]>([
    ['of a client', () => createTaskBridgeClient({ baseUrl, token: 'x' } as never), 'token is no option; there are baseUrl, '],
    [
      'of its limits',
      () => createTaskBridgeClient({ baseUrl, limits: { openMS: 1 } as never }),
      'limits.openMS is no option; there are openMs, ',
    ],
    [
      'of an outbox',
      () => createOutbox({} as never, { store: memoryOutbox('x'), limit: {} } as never),
      'limit is no option; there are store, ',
    ],
    [
      'of its limits',
      () => createOutbox({} as never, { store: memoryOutbox('x'), limits: { max: 1 } as never }),
      'limits.max is no option; there are pendingMax, ',
    ],
    ['of tabs', () => tabSockets({ name: 'x', lock: null } as never), 'lock is no option; there are name, '],
    ['of their limits', () => tabSockets({ name: 'x', limits: { pulse: 1 } as never }), 'limits.pulse is no option; there are pulseMs, '],
  ])('%s', (_what, make, message) => {
    expect(make).toThrow(TaskBridgeClientError);
    expect(make).toThrow(message);
  });
});

describe('what is no option, or no field, of a call is refused by its name, before anything is sent', () => {
  const asked: string[] = [];
  const client = createTaskBridgeClient({
    baseUrl,
    fetch: async (url) => {
      asked.push(new Request(url).url);
      throw new Error('Nothing is to be sent.');
    },
  });
  const wrong = { lables: ['x'] } as never;
  test.each<[string, () => unknown, string]>([
    ['start', () => client.start({ taskType: 'x', lables: [] } as never), 'lables is no field'],
    ['options of start', () => client.start({ taskType: 'x' }, wrong), 'lables is no option; there are signal, context, onUpload.'],
    ['act', () => client.act(TASK, { suspendId: 's', actionType: 'a', lables: {} } as never), 'lables is no field'],
    [
      'options of act',
      () => client.act(TASK, { suspendId: 's', actionType: 'a' }, wrong),
      'lables is no option; there are signal, context.',
    ],
    ['cancel', () => client.cancel(TASK, 'why', wrong), 'lables is no option'],
    ['get', () => client.get(TASK, wrong), 'lables is no option'],
    ['remove', () => client.remove(TASK, wrong), 'lables is no option'],
    ['list', () => client.list(wrong), 'lables is no field'],
    ['options of list', () => client.list({}, wrong), 'lables is no option'],
    ['retry', () => client.retry(TASK, wrong), 'lables is no field'],
    ['options of retry', () => client.retry(TASK, {}, wrong), 'lables is no option'],
  ])('%s', async (_what, call, message) => {
    const error = await Promise.resolve(call()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) as string });
    expect(asked).toEqual([]);
  });

  test('observe', () => {
    const observe = () => client.observe(TASK, { lastEventID: '0-0' } as never);
    expect(observe).toThrow(TaskBridgeClientError);
    expect(observe).toThrow('lastEventID is no option; there are signal, context, lastEventId.');
    expect(asked).toEqual([]);
  });
});

test('the context of a client goes with all that brings none of its own', async () => {
  const server = await takingServer();
  const [whole, own] = [{ tenant: 'north' }, { tenant: 'south' }];
  const asked: unknown[] = [];
  const client = createTaskBridgeClient({
    baseUrl: server.baseUrl,
    context: whole,
    auth: ({ context }) => {
      asked.push(context);
      return 'token';
    },
    limits: { commandRetriesMax: 0 },
  });
  onTestFinished(() => client.close());
  // What the server says does not matter here.
  const told = async (call: Promise<unknown>) => {
    await call.catch(() => undefined);
    return asked.splice(0)[0];
  };
  expect(await told(client.start({ taskType: 'x' }))).toBe(whole);
  expect(await told(client.act(TASK, { suspendId: 's', actionType: 'a' }))).toBe(whole);
  expect(await told(client.cancel(TASK))).toBe(whole);
  expect(await told(client.get(TASK))).toBe(whole);
  expect(await told(client.get(TASK, { context: own }))).toBe(own);
  client.observe(TASK);
  await expect.poll(() => asked.splice(0)[0]).toBe(whole);
  client.observe(TASK, { context: own });
  await expect.poll(() => asked.find((context) => context === own)).toBe(own);
});
