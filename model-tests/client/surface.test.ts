import {
  asFailure,
  asProgress,
  browserGate,
  isTerminalFact,
  indexedDbCheckpoints,
  memoryCheckpoints,
  webStorageCheckpoints,
  type AuthRequest,
  type Fact,
  type TransportListener,
  type UploadProgress,
} from 'taskbridge/client';
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { createHarness, numbers, type Harness } from './harness.ts';
import { completed, fact, facts, TASK, writeEvents } from '../support/scripted-server.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

const created = { taskId: TASK, status: 'ACCEPTED', clientRequestId: 'r', deduplicated: false };
const bytesOf = (...parts: readonly string[]): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });

describe('attachments', () => {
  test('of a stream are sent once, and never repeated', async () => {
    const bodies: string[] = [];
    world.server.script.command = (_, body) => [bodies.push(body) === 1 ? 503 : 201, created];
    const start = world.client().start({ taskType: 'report', attachments: [{ fileName: 'a "b".csv', content: bytesOf('x,', 'y') }] });
    await expect(start).rejects.toMatchObject({ status: 503 });
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toContain('name="attachments"; filename="a %22b%22.csv"\r\nContent-Type: application/octet-stream\r\n\r\nx,y\r\n--');
  });

  test('of a factory are opened anew at each try, and tell how far they came', async () => {
    const bodies: string[] = [];
    const steps: UploadProgress[] = [];
    let opened = 0;
    world.server.script.command = (_, body) => [bodies.push(body) === 1 ? 503 : 201, created];
    const content = (): ReadableStream<Uint8Array> => (opened++, bytesOf('12345'));
    await world
      .client()
      .start({ taskType: 'report', attachments: [{ fileName: 'a', content }] }, { onUpload: (step) => void steps.push(step) });
    expect(opened).toBe(2);
    expect(bodies.map((body) => body.split('\r\n').filter((line) => line === '12345').length)).toEqual([1, 1]);
    expect(steps.at(-1)).toEqual({ sentBytes: bodies[1]?.length, totalBytes: undefined });
  });

  test('of known size say how much there is in all', async () => {
    const steps: UploadProgress[] = [];
    let length = 0;
    world.server.script.command = (_, body) => ((length = body.length), [201, created]);
    const attachments = [
      { fileName: 'a', content: new Uint8Array(70_000) },
      { fileName: 'b', content: new Blob(['text']) },
    ];
    await world.client().start({ taskType: 'report', attachments }, { onUpload: (step) => void steps.push(step) });
    expect(steps.at(-1)).toEqual({ sentBytes: length, totalBytes: length });
    expect(steps.every(({ totalBytes }) => totalBytes === length)).toBe(true);
  });

  test('are gathered where a body cannot be a stream', async () => {
    let form = '';
    world.server.script.command = (_, body) => ((form = body), [201, created]);
    await world
      .client({ streamsUploads: false })
      .start({ taskType: 'report', attachments: [{ fileName: 'a', content: bytesOf('x,', 'y') }] });
    expect(form).toContain('\r\n\r\nx,y\r\n');
  });
});

describe('a host decides', () => {
  test('which failures pass: a command', async () => {
    world.server.script.command = () => [world.server.seen.length < 3 ? 409 : 202, { taskId: TASK, status: 'ALREADY_TERMINAL' }];
    await world.client({ classify: ({ status }) => (status === 409 ? 'retry' : undefined) }).cancel(TASK);
    expect(world.server.seen).toHaveLength(3);
  });

  test('which failures are final: a command and an observation', async () => {
    world.server.script.command = () => [503, { code: 'DOWN', message: 'Not now.' }];
    world.server.script.subscribed = ({ socket }) => socket.close(1011);
    const client = world.client({ classify: ({ closeCode, status }) => (closeCode === 1011 || status === 503 ? 'final' : undefined) });
    await expect(client.cancel(TASK)).rejects.toMatchObject({ code: 'DOWN' });
    await expect(numbers(client.observe(TASK))).rejects.toMatchObject({ code: 'CONNECTION_REFUSED', closeCode: 1011 });
    expect(world.server.seen).toEqual(['post', 'ws']);
  });

  test('how long to rest, but for Retry-After', async () => {
    const clock = fakeClock();
    const { script, seen } = world.server;
    script.command = () => (seen.length === 2 ? [429, {}, { 'retry-after': '9' }] : [503, {}]);
    const call = world.client({ clock, retryPolicy: (retry) => 100 + retry }).cancel(TASK);
    call.catch(() => undefined);
    for (const ms of [100, 9_000, 102]) {
      await eventually(() => clock.next === ms);
      clock.advance(ms);
    }
    await expect(call).rejects.toMatchObject({ status: 503 });
  });

  test('what a call is about: its context reaches auth, routes and listener', async () => {
    const asked: AuthRequest[] = [];
    const paths: string[] = [];
    const moments: unknown[] = [];
    world.server.script.command = (path) => (paths.push(path), [202, { taskId: TASK, status: 'ALREADY_TERMINAL' }]);
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
    const context = { tenant: 'north' };
    const client = world.client({
      auth: (request) => (asked.push(request), 'token'),
      routes: { cancel: (taskId, given) => `/${String(given?.['tenant'])}/tasks/${taskId}/cancel` },
      listener: { onWsRawMessage: (moment) => void moments.push(moment.context) },
    });
    await client.cancel(TASK, undefined, { context });
    await numbers(client.observe(TASK, { context }));
    expect(paths).toEqual([`/north/tasks/${TASK}/cancel`]);
    expect(asked.every((request) => request.context === context && !request.forceRefresh)).toBe(true);
    expect(moments).toEqual([context, context]);
  });

  test('what is put around the network', async () => {
    const urls: string[] = [];
    world.server.script.command = () => [202, { taskId: TASK, status: 'ALREADY_TERMINAL' }];
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
    const client = world.client({
      intercept: ({ fetch: inner, sockets, forms }) => ({
        fetch: (input, init) => (urls.push(new URL(input as string).pathname), inner(input, init)),
        sockets: sockets && {
          ...sockets,
          open: (request, listener) => (urls.push(new URL(request.url).pathname), sockets.open(request, listener)),
        },
        forms,
      }),
    });
    await client.cancel(TASK);
    await numbers(client.observe(TASK));
    expect(urls).toEqual([`/api/v1/tasks/${TASK}/cancel`, '/api/v1/tasks/ws']);
  });
});

describe('credentials that say when they end', () => {
  test.each(['ws', 'sse'] as const)('are renewed before, and the live connection with them, over %s', async (transport) => {
    const clock = fakeClock(0);
    const tokens: (string | undefined)[] = [];
    const { script } = world.server;
    script.upgrade = ({ headers }) => void tokens.push(headers.authorization);
    script.subscribed = ({ confirm, send, lastEventId }) => (confirm(), lastEventId === null ? send(...facts(1, 2)) : send(completed(3)));
    script.stream = (response, { headers }) => {
      tokens.push(headers.authorization);
      writeEvents(response, ...(headers['last-event-id'] === undefined ? facts(1, 2) : [completed(3)]));
    };
    let issued = 1;
    const auth = ({ forceRefresh }: AuthRequest): { token: string; expiresAt: number } => {
      if (forceRefresh) issued += 1;
      return { token: `t${issued}`, expiresAt: issued * 600_000 };
    };
    const observation = world.client({ clock, auth, transports: [transport], limits: { livenessMs: 3_000_000 } }).observe(TASK);
    await until(observation, ({ task, connection }) => task.lastEventId === '2-1000' && connection.state === 'live');
    expect(clock.armed).toContain(570_000);
    clock.advance(570_000);
    await until(observation, ({ connection }) => connection.state === 'done');
    expect(tokens).toEqual(['Bearer t1', 'Bearer t2']);
    expect(clock.armed).toEqual([]);
  });
});

describe('the listener', () => {
  test('is told by eleven hooks what happens on the wire', async () => {
    const told: string[] = [];
    const names = [
      'onWsSetupFailed',
      'onSseSetupFailed',
      'onFallbackToSse',
      'onFallbackToPolling',
      'onPollEvent',
      'onSseEvent',
      'onRawPayload',
      'onWsRawMessage',
      'onSseRawEvent',
      'onPollRawResponse',
      'onMalformedWirePayload',
    ] as const satisfies readonly (keyof TransportListener)[];
    const listener = Object.fromEntries(names.map((name) => [name, () => void told.push(name)]));
    const { script } = world.server;
    script.upgrade = 426;
    let streams = 0;
    script.stream = (response) => {
      streams += 1;
      if (streams === 1) return void response.writeHead(503).end();
      writeEvents(response, fact(1), { type: 'NONSENSE' });
      setImmediate(() => response.destroy());
    };
    script.poll = () => ({ taskId: TASK, events: [completed(2)], nextAfterEventId: '2-1000', hasMore: false });
    await numbers(
      world.client({ listener, strategy: 'progressive-sticky', eventStreamTries: 2, limits: { climbIntervalMs: 60_000 } }).observe(TASK),
    );
    // The stream is given its tries back by the fact: it fails until none is left.
    expect(told.slice(0, 3)).toEqual(['onWsSetupFailed', 'onFallbackToSse', 'onSseSetupFailed']);
    expect(told.filter((name) => name === 'onSseEvent')).toHaveLength(1);
    expect(told).toEqual(expect.arrayContaining(['onSseRawEvent', 'onMalformedWirePayload', 'onFallbackToPolling', 'onPollRawResponse']));
    expect(told.slice(-2)).toEqual(['onRawPayload', 'onPollRawResponse'].concat('onPollEvent').slice(-2));
    const second = await createHarness();
    second.server.script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
    const before = told.length;
    await numbers(second.client({ listener }).observe(TASK));
    expect(told.slice(before)).toEqual(['onRawPayload', 'onWsRawMessage', 'onRawPayload', 'onWsRawMessage']);
    await second.close();
    expect(names.filter((name) => !told.includes(name))).toEqual([]);
  });
});

describe('typed helpers', () => {
  const typed = (n: number, type: string, payload: object): Fact => fact(n, type, payload) as Fact;
  test('read progress and failure, and say what they cannot read', () => {
    expect(asProgress(typed(1, 'TASK_PROGRESS', { progress: 7 }))).toEqual({ progress: 7 });
    expect(asProgress(typed(1, 'TASK_MESSAGE', {}))).toBeUndefined();
    expect(() => asProgress(typed(1, 'TASK_PROGRESS', { progress: 'half' }))).toThrow(
      expect.objectContaining({ code: 'INVALID_RESPONSE' }),
    );
    expect(asFailure(typed(1, 'TASK_FAILED', { code: 'X', message: 'y', retryable: true }))).toMatchObject({ code: 'X' });
    expect(() => asFailure(typed(1, 'TASK_FAILED', {}))).toThrow(/no usable code and message/);
    expect([completed(1), fact(1)].map((one) => isTerminalFact(one as Fact))).toEqual([true, false]);
  });
});

describe('a browser’s gate', () => {
  afterEach(() => void vi.unstubAllGlobals());

  test('follows what the browser says of the network and of the page', () => {
    const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    const window = new EventTarget();
    const navigator = { onLine: true };
    vi.stubGlobal('document', page);
    vi.stubGlobal('navigator', navigator);
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
    vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window));
    const gate = browserGate({ closedWhileHidden: true });
    const heard: boolean[] = [];
    const leave = gate.subscribe((open) => void heard.push(open));
    const happen = (target: EventTarget, type: string): boolean => target.dispatchEvent(new Event(type));
    navigator.onLine = false;
    happen(window, 'offline');
    page.visibilityState = 'hidden';
    happen(page, 'visibilitychange');
    navigator.onLine = true;
    happen(window, 'online');
    page.visibilityState = 'visible';
    happen(page, 'visibilitychange');
    expect(heard).toEqual([false, true]);
    leave();
    navigator.onLine = false;
    happen(window, 'offline');
    expect(heard).toHaveLength(2);
    expect(gate.isOpen()).toBe(false);
  });

  test('is open where there is no browser', () => {
    vi.stubGlobal('navigator', undefined);
    expect(browserGate({ closedWhileHidden: true }).isOpen()).toBe(true);
  });
});

describe('checkpoint stores of browsers', () => {
  const texts = new Map<string, string>();
  const storage = {
    getItem: (key: string) => texts.get(key) ?? null,
    setItem: (key: string, text: string) => void texts.set(key, text),
    removeItem: (key: string) => void texts.delete(key),
  };
  test.each([
    ['Web Storage', () => webStorageCheckpoints(storage)],
    ['IndexedDB', () => indexedDbCheckpoints({ database: 'tests' })],
  ])('keep text in %s', async (_, make) => {
    const store = make();
    expect(await store.read('a')).toBeUndefined();
    await store.write('a', '1');
    await store.write('a', '2');
    expect(await make().read('a')).toBe('2');
    await store.remove('a');
    expect(await store.read('a')).toBeUndefined();
  });

  test('let go of a database that another page deletes, and open it anew', async () => {
    const database = 'deleted';
    const store = indexedDbCheckpoints({ database });
    await store.write('a', '1');
    await new Promise((resolve, reject) => {
      const deletion = indexedDB.deleteDatabase(database);
      deletion.onsuccess = resolve;
      deletion.onblocked = reject;
    });
    expect(await store.read('a')).toBeUndefined();
    await store.write('a', '2');
    expect(await store.read('a')).toBe('2');
  });

  test('that fail are survived', async () => {
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
    const reports: string[] = [];
    const fail = (): never => {
      throw new Error('switched off');
    };
    const checkpoints = webStorageCheckpoints({ getItem: fail, setItem: fail, removeItem: fail });
    expect(
      await numbers(world.client({ checkpoints, hideAnswered: true, onReport: ({ type }) => void reports.push(type) }).observe(TASK)),
    ).toEqual([1]);
    expect(reports).toContain('checkpoint');
  });
});

describe('questions that were answered here', () => {
  const question = { suspendId: 's', kind: 'USER_ACTION_REQUIRED', reasonCode: 'R', allowedActions: ['left'], schemaVersion: 1 };

  test('stay hidden after a reload, until they are closed or the task has ended', async () => {
    const checkpoints = memoryCheckpoints();
    world.server.script.command = () => [202, { taskId: TASK, suspendId: 's', clientActionId: 'c', status: 'ACCEPTED' }];
    const before = world.client({ checkpoints, hideAnswered: true });
    await before.act(TASK, { suspendId: 's', actionType: 'left' });
    await before.close();
    const key = `|${world.server.baseUrl}|${TASK}|suspend-ack`;
    expect(await checkpoints.read(key)).toBe('["s"]');

    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(fact(1), fact(2, 'TASK_SUSPENDED', question), completed(3)));
    const after = world.client({ checkpoints, hideAnswered: true });
    expect(await numbers(after.observe(TASK))).toEqual([1, 3]);
    await after.close();
    expect(await checkpoints.read(key)).toBeUndefined();
  });

  test.each(['REJECTED_ALREADY_RESOLVED', 'REJECTED_EXPIRED'] as const)('are not those whose answer was %s', async (status) => {
    const checkpoints = memoryCheckpoints();
    world.server.script.command = () => [202, { taskId: TASK, suspendId: 's', clientActionId: 'c', status }];
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(fact(1), fact(2, 'TASK_SUSPENDED', question), completed(3)));
    const client = world.client({ checkpoints, hideAnswered: true });
    expect(await client.act(TASK, { suspendId: 's', actionType: 'left' })).toMatchObject({ status });
    expect(await numbers(client.observe(TASK))).toEqual([1, 2, 3]);
    await client.close();
    expect(await checkpoints.read(`|${world.server.baseUrl}|${TASK}|suspend-ack`)).toBeUndefined();
  });
});
