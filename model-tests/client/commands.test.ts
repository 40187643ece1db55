import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTaskBridgeClient, fileCheckpoints, memoryCheckpoints } from 'taskbridge/client/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { createHarness, type Harness } from './harness.ts';
import { completed, fact, facts, TASK } from '../support/scripted-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

const created = { taskId: TASK, status: 'ACCEPTED', clientRequestId: 'r', deduplicated: false };
const receipt = { taskId: TASK, suspendId: 's', clientActionId: 'c', status: 'ACCEPTED' };

describe('commands', () => {
  test('send input even where there is none, and the same id at every try', async () => {
    const bodies: string[] = [];
    world.server.script.command = (_, body) => [bodies.push(body) < 3 ? 503 : 201, created];
    await world.client().start({ taskType: 'report' });
    expect(new Set(bodies).size).toBe(1);
    expect(JSON.parse(bodies[0] ?? '')).toEqual({
      clientRequestId: expect.stringMatching(/^[0-9a-v]{26}$/) as string,
      taskType: 'report',
      input: {},
    });
  });

  test('send what people call a task and find it by, as JSON and as a form', async () => {
    const bodies: string[] = [];
    world.server.script.command = (_, body) => [bodies.push(body) > 0 ? 201 : 0, created];
    const named = { taskType: 'report', title: 'July', labels: ['a', 'b'] };
    await world.client().start(named);
    await world.client().start({ ...named, attachments: [{ fileName: 'a', content: new Uint8Array(1) }] });
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject(named);
    expect(bodies[1]).toContain('name="title"\r\n\r\nJuly\r\n');
    expect(bodies[1]).toContain('name="labels"\r\n\r\n["a","b"]\r\n');
    expect(bodies[1]).not.toContain('metadata');
  });

  test('start a task again by its id, with a fresh request id that stays the same at every try', async () => {
    const bodies: { readonly clientRequestId: string }[] = [];
    world.server.script.command = (_, body) => [bodies.push(JSON.parse(body) as { clientRequestId: string }) === 1 ? 503 : 201, created];
    await world.client().retry(TASK, { title: 'Again', labels: undefined });
    expect(bodies[0]).toEqual({ clientRequestId: expect.stringMatching(/^[0-9a-v]{26}$/) as string, retryOf: TASK, title: 'Again' });
    expect(bodies[1]).toEqual(bodies[0]);
    await world.client().retry(TASK, { clientRequestId: 'r7' });
    expect(bodies[2]).toEqual({ clientRequestId: 'r7', retryOf: TASK });
    await expect(world.client().retry('../x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('remove a task, and forget what was kept of it, whoever still reads', async () => {
    const kept = memoryCheckpoints();
    const client = world.client({ checkpoints: kept, hideAnswered: true, transports: ['poll'] });
    world.server.script.command = () => [200, receipt];
    await client.act(TASK, { suspendId: 's', actionType: 'yes' });
    world.server.script.poll = () => ({ taskId: TASK, events: facts(1, 3), nextAfterEventId: '3-1000', hasMore: false });
    const read = client.observe(TASK)[Symbol.asyncIterator]();
    await read.next();
    await read.next();
    const key = `|${world.server.baseUrl}|${TASK}`;
    await eventually(async () => (await kept.read(key)) !== undefined && (await kept.read(`${key}|suspend-ack`)) !== undefined);
    world.server.script.command = () => [204, {}];
    expect(await client.remove(TASK)).toBe(undefined);
    await eventually(async () => (await kept.read(key)) === undefined && (await kept.read(`${key}|suspend-ack`)) === undefined);
    await read.next();
    await client.close();
    expect([await kept.read(key), await kept.read(`${key}|suspend-ack`)]).toEqual([undefined, undefined]);
  });

  test('give the address of a file, whatever its name', async () => {
    const client = world.client({ prefix: '/p' });
    expect(client.attachmentUrl(TASK, 'a b/ü?.csv')).toBe(`${world.server.baseUrl}/p/tasks/${TASK}/attachments/a%20b%2F%C3%BC%3F.csv`);
    for (const [id, name] of [
      ['../x', 'a'],
      [TASK, '..'],
      [TASK, ''],
    ] as const)
      expect(() => client.attachmentUrl(id, name)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('keep what is known of a task whose removal is refused', async () => {
    const kept = memoryCheckpoints();
    const key = `|${world.server.baseUrl}|${TASK}`;
    await kept.write(key, '{}');
    world.server.script.command = () => [409, { code: 'TASK_NOT_ENDED', message: 'It runs.', details: {}, timestamp: '' }];
    await expect(world.client({ checkpoints: kept }).remove(TASK)).rejects.toMatchObject({ code: 'TASK_NOT_ENDED' });
    expect(await kept.read(key)).toBe('{}');
  });

  test('send attachments as a form', async () => {
    let type: string | undefined;
    let form = '';
    world.server.script.command = (_, body, { headers }) => {
      type = headers['content-type'];
      form = body;
      return [201, created];
    };
    await world.client().start({
      taskType: 'report',
      attachments: [{ fileName: 'a.csv', contentType: 'text/csv', content: new TextEncoder().encode('x,y') }],
    });
    expect(type).toMatch(/^multipart\/form-data; boundary=/);
    expect(form).toContain('name="input"\r\n\r\n{}');
    expect(form).toContain('name="attachments"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\nx,y');
  });

  test('are as many at once as the host likes, without a warning of leaks', async () => {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', onWarning);
    world.server.script.command = () => [201, created];
    const client = world.client();
    await Promise.all(Array.from({ length: 30 }, () => client.start({ taskType: 'report' })));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  test('are tried once and three times more, with back-off', async () => {
    const clock = fakeClock();
    const { script, seen } = world.server;
    script.command = () => [500, {}];
    const call = world.client({ clock }).cancel(TASK);
    call.catch(() => undefined);
    for (const [tries, ms] of [
      [1, 550],
      [2, 1100],
      [3, 2200],
    ] as const) {
      await eventually(() => clock.next === ms);
      expect(seen.length).toBe(tries);
      clock.advance(ms);
    }
    await expect(call).rejects.toMatchObject({ code: 'SERVER_ERROR', status: 500, retryable: true });
    expect(seen.length).toBe(4);
    expect(clock.armed).toEqual([]);
  });

  test('wait as long as Retry-After says', async () => {
    const clock = fakeClock();
    const { script, seen } = world.server;
    script.command = () => (seen.length === 1 ? [429, {}, { 'retry-after': '7' }] : [202, { taskId: TASK, status: 'ALREADY_TERMINAL' }]);
    const call = world.client({ clock }).cancel(TASK, 'enough');
    await eventually(() => clock.next === 7_000);
    clock.advance(7_000);
    expect(await call).toMatchObject({ status: 'ALREADY_TERMINAL' });
  });

  test('are not repeated after a refusal, whose envelope the error carries', async () => {
    world.server.script.command = () => [
      409,
      { code: 'IDEMPOTENCY_CONFLICT', message: 'Other content.', details: { why: 'input' }, timestamp: '' },
    ];
    await expect(world.client().start({ taskType: 'report' })).rejects.toMatchObject({
      name: 'TaskBridgeClientError',
      code: 'IDEMPOTENCY_CONFLICT',
      message: 'Other content.',
      details: { why: 'input' },
      status: 409,
      retryable: false,
    });
    expect(world.server.seen).toEqual(['post']);
  });

  test('give up by their signal, and in time', async () => {
    const clock = fakeClock();
    const client = world.client({ clock, limits: { commandRetriesMax: 0 } });
    const controller = new AbortController();
    const first = client.cancel(TASK, undefined, { signal: controller.signal });
    await eventually(() => world.server.seen.length === 1);
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' });
    const second = client.cancel(TASK);
    await eventually(() => world.server.seen.length === 2);
    clock.advance(30_000);
    await expect(second).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
    expect(clock.armed).toEqual([]);
  });

  test('keep the id of an answer until there is a receipt', async () => {
    const ids: string[] = [];
    world.server.script.command = (_, body) => {
      ids.push((JSON.parse(body) as { clientActionId: string }).clientActionId);
      return ids.length === 1 ? [400, {}] : [202, receipt];
    };
    let chance = 0;
    const client = world.client({ limits: { commandRetriesMax: 0 }, chance: { fraction: () => ((chance += 7) % 31) / 32 } });
    const act = (): Promise<unknown> => client.act(TASK, { suspendId: 's', actionType: 'left', payload: { why: 'x' } });
    await expect(act()).rejects.toMatchObject({ code: 'REQUEST_REFUSED' });
    await act();
    await act();
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('refuse a task id that could be another path before anything is sent', async () => {
    const client = world.client();
    for (const id of ['', '../x', 'a/b', 'a..b', '-x', 'é'])
      await expect(client.get(id)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(world.server.seen).toEqual([]);
  });

  test('keep the path of the base URL, on WebSockets too', async () => {
    const urls: (string | undefined)[] = [];
    world.server.script.upgrade = ({ url }) => void urls.push(url);
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
    for await (const _ of world.client({ baseUrl: `${world.server.baseUrl}/behind/` }).observe(TASK));
    expect(urls).toEqual(['/behind/api/v1/tasks/ws?extensions=gap%2Cmultiplex']);
  });

  test('hide a question that was answered here, where the host wants that', async () => {
    world.server.script.command = () => [202, receipt];
    const question = { suspendId: 's', kind: 'USER_ACTION_REQUIRED', reasonCode: 'R', allowedActions: ['left'], schemaVersion: 1 };
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(fact(1), fact(2, 'TASK_SUSPENDED', question), completed(3)));
    for (const hideAnswered of [true, false]) {
      const client = world.client({ hideAnswered });
      await client.act(TASK, { suspendId: 's', actionType: 'left' });
      const types: string[] = [];
      for await (const { type } of client.observe(TASK)) types.push(type);
      expect(types.includes('TASK_SUSPENDED')).toBe(!hideAnswered);
    }
  });
});

describe('options', () => {
  const make = (options: object) => () => createTaskBridgeClient({ baseUrl: 'http://localhost', ...options });
  test.each([
    [{ baseUrl: 'localhost:3000/x' }, /baseUrl must/],
    [{ baseUrl: 'http://' }, /baseUrl must be like/],
    [{ baseUrl: 'ftp://localhost' }, /baseUrl must be like/],
    [{ baseUrl: 'http://localhost?x=1' }, /baseUrl must be like/],
    [{ baseUrl: 'http://:3000' }, /baseUrl must be like/],
    [{ baseUrl: 'http://localhost:65536' }, /baseUrl must be like/],
    [{ baseUrl: 'http://local host' }, /baseUrl must be like/],
    [{ baseUrl: 'http://ada:secret@localhost' }, /use `auth`.*, not "http:\/\/…@localhost"/],
    [{ webSocketTries: -1 }, /webSocketTries must be 0 or a positive whole number, not -1/],
    [{ transports: ['websocket'] }, /transports may name "ws", "sse", "poll", not "websocket"/],
    [{ auth: 'token' }, /auth must be a function/],
    [{ transports: [] }, /No transport is left/],
    [{ limits: { pollWaitMs: 70_000 } }, /limits.pollWaitMs \(70000\) must not be above 60000/],
    [{ limits: { openMs: 0 } }, /limits.openMs must be a positive whole number/],
  ])('%o are refused with a reason', (options, message) => {
    expect(make(options)).toThrow(message);
  });

  test.each(['HTTPS://Example.org/backend/', 'http://[::1]:3000', 'http://bücher.example', ' http://10.0.2.2:65535 '])(
    'take %s for a base URL',
    (baseUrl) => {
      expect(make({ baseUrl })).not.toThrow();
    },
  );

  test('lead sockets to a base URL in capitals too', async () => {
    const { server } = world;
    server.script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
    const observation = world.client({ baseUrl: server.baseUrl.toUpperCase(), transports: ['ws'] }).observe(TASK);
    for await (const _ of observation);
    expect(observation.getSnapshot().task.state).toBe('completed');
  });
});

test('a redirect, as browsers show it, is a failure of the network', async () => {
  const asked: (string | undefined)[] = [];
  const answer = async (_url: unknown, init?: RequestInit): Promise<Response> => (asked.push(init?.redirect), Response.error());
  const client = world.client({ fetch: answer, limits: { commandRetriesMax: 0 } });
  await expect(client.get(TASK)).rejects.toMatchObject({ code: 'NETWORK_ERROR' });
  expect(asked).toEqual(['manual']);
});

describe('checkpoints in a file', () => {
  let folder: string;
  let remove: () => Promise<void>;
  beforeEach(async () => {
    ({ path: folder, remove } = await tempFolder('checkpoints'));
  });
  afterEach(() => remove());

  test('are there after a restart, whole, and nothing else is', async () => {
    const path = join(folder, 'deep', 'checkpoints.json');
    const store = fileCheckpoints({ path });
    await Promise.all([
      store.write('a', '1'),
      store.write('b', '2'),
      store.write('a', '3'),
      store.remove('b'),
      store.write('__proto__', '4'),
    ]);
    const again = fileCheckpoints({ path });
    expect([await again.read('a'), await again.read('b'), await again.read('__proto__')]).toEqual(['3', undefined, '4']);
    expect(await readdir(join(folder, 'deep'))).toEqual(['checkpoints.json']);
  });

  test('are left as they are where they cannot be read', async () => {
    const path = join(folder, 'checkpoints.json');
    await writeFile(path, '{ torn');
    const store = fileCheckpoints({ path });
    await expect(store.read('a')).rejects.toThrow();
    await expect(store.write('a', '1')).rejects.toThrow();
    expect(await readFile(path, 'utf8')).toBe('{ torn');
  });
});
