import type { ClientReport, TransportListener } from 'taskbridge/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { completed, fact, TASK, writeEvents } from '../support/scripted-server.ts';
import { createHarness, numbers, type Harness } from './harness.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

const notice = { type: 'SERVER_NOTICE', taskId: TASK, payload: { text: 'news' } };
const idsOf = async (observation: AsyncIterable<{ readonly eventId: string }>): Promise<string[]> => {
  const ids: string[] = [];
  for await (const { eventId } of observation) ids.push(eventId);
  return ids;
};

describe('a connection', () => {
  test('lives on where the server sends control frames of types that are newer than the client', async () => {
    const { script, seen } = world.server;
    script.subscribed = ({ confirm, send }) => (confirm(), send(fact(1), notice, notice, notice, notice, completed(2)));
    const reports: ClientReport[] = [];
    expect(await numbers(world.client({ onReport: (report) => void reports.push(report) }).observe(TASK))).toEqual([1, 2]);
    expect(seen).toEqual(['ws']);
    expect(reports).toEqual([]);
  });

  test('takes no control frame for a fact, though events that are none wear its envelope', async () => {
    world.server.script.stream = (response) => {
      writeEvents(response, fact(1));
      response.write(`data: ${JSON.stringify({ ...fact(99, 'SERVER_NOTICE'), eventId: 'hb-1' })}\n\n`);
      writeEvents(response, fact(2, 'TASK_SANG', {}), completed(3));
    };
    expect(await numbers(world.client({ transports: ['sse'] }).observe(TASK))).toEqual([1, 2, 3]);
  });

  test('lives on after a binary frame, and is lost after three in a row', async () => {
    const { script, seen } = world.server;
    const told: unknown[] = [];
    const listener: Partial<TransportListener> = { onMalformedWirePayload: ({ reason, text }) => void told.push([reason, text]) };
    script.subscribed = ({ confirm, send, socket }) => {
      confirm();
      if (seen.length > 1) return send(completed(2));
      socket.send(Buffer.from('x'));
      send(fact(1));
      for (let sent = 0; sent < 3; sent += 1) socket.send(Buffer.from('x'));
    };
    expect(await numbers(world.client({ listener }).observe(TASK))).toEqual([1, 2]);
    expect(seen).toEqual(['ws', 'ws']);
    expect(told).toEqual(Array.from({ length: 4 }, () => ['a binary frame', undefined]));
  });

  test('tells the text of what nothing could be told from, over each transport', async () => {
    const { script } = world.server;
    const odd = { type: 'TASK_PROGRESS', taskId: TASK };
    script.subscribed = ({ confirm, send, socket }) => (confirm(), socket.send('{'), send(odd, completed(1)));
    script.stream = (response) => writeEvents(response, odd, completed(1));
    script.poll = () => ({ taskId: TASK, events: [odd, completed(1)], nextAfterEventId: '1-1000', hasMore: false });
    const told: unknown[] = [];
    const reports: ClientReport[] = [];
    const context = { tenant: 'north' };
    for (const transport of ['ws', 'sse', 'poll'] as const)
      await numbers(
        world
          .client({
            transports: [transport],
            listener: { onMalformedWirePayload: ({ source, text }) => void told.push([source, text]) },
            onReport: (report) => void reports.push(report),
          })
          .observe(TASK, { context }),
      );
    const text = JSON.stringify(odd);
    expect(told).toEqual([
      ['ws', '{'],
      ['ws', text],
      ['sse', text],
      ['poll', text],
    ]);
    expect(reports[0]).toEqual({ type: 'malformed', taskId: TASK, context, transport: 'ws', reason: 'no JSON' });
    expect(reports.every((report) => report.taskId === TASK && report.context === context && 'transport' in report)).toBe(true);
  });
});

describe('facts', () => {
  test('whose numbers are 2^53 or more stay apart, also where the server counts without holes', async () => {
    const at = (n: bigint, type?: string, payload?: object): object => ({ ...fact(1, type, payload), eventId: `${n}-0` });
    const first = 2n ** 53n;
    world.server.script.subscribed = ({ confirm, send }) => {
      confirm(['gap']);
      send(at(first + 1n), at(first + 2n), at(first + 3n), at(first + 4n, 'TASK_COMPLETED', { result: 'all' }));
    };
    expect(await idsOf(world.client().observe(TASK, { lastEventId: `${first}-0` }))).toEqual(
      [1n, 2n, 3n, 4n].map((more) => `${first + more}-0`),
    );
    expect(world.server.seen.filter((name) => name === 'ws')).toHaveLength(1);
  });

  test('without a payload have an empty one', async () => {
    const { payload: _, ...bare } = fact(1, 'TASK_STARTED') as { payload: unknown };
    world.server.script.subscribed = ({ confirm, send }) => (
      confirm(),
      send(
        bare,
        { ...fact(2), payload: null },
        { ...fact(3, 'TASK_CANCEL_REQUESTED'), payload: undefined },
        { ...completed(4), payload: 7 },
      )
    );
    const observation = world.client().observe(TASK);
    const payloads: unknown[] = [];
    const states: string[] = [];
    observation.subscribe(({ task }) => void states.push(task.state));
    for await (const { payload } of observation) payloads.push(payload);
    expect(payloads).toEqual([{}, {}, {}, {}]);
    expect(observation.getSnapshot().task).toMatchObject({ state: 'completed', progress: null });
  });
});

describe('a hook that throws', () => {
  const broken = new Error('broken');
  const fail = (): never => {
    throw broken;
  };
  const everyHook = (): Partial<TransportListener> =>
    new Proxy({}, { get: () => fail, has: () => true }) as unknown as Partial<TransportListener>;

  test.each(['ws', 'sse', 'poll'] as const)('loses nothing over %s, and is reported by its name', async (transport) => {
    const { script, seen } = world.server;
    script.subscribed = ({ confirm, send, socket }) => (confirm(['gap']), socket.send('{'), send(fact(4), completed(5)));
    script.stream = (response) => writeEvents(response, { type: 'NONSENSE' }, fact(4), completed(5));
    script.poll = () => ({ taskId: TASK, events: [{}, fact(4), completed(5)], nextAfterEventId: '5-1000', hasMore: false, terminal: true });
    const reports: ClientReport[] = [];
    const client = world.client({ transports: [transport], listener: everyHook(), onReport: (report) => void reports.push(report) });
    expect(await numbers(client.observe(TASK))).toEqual([4, 5]);
    expect(seen.filter((name) => name === transport)).toHaveLength(1);
    const hooks = reports.flatMap((report) => (report.type === 'hook' ? [report] : []));
    expect(hooks.map(({ hook }) => hook)).toEqual(expect.arrayContaining(['onRawPayload', 'onMalformedWirePayload']));
    for (const { taskId, cause } of hooks) expect([taskId, cause]).toEqual([TASK, broken]);
  });

  test('later, as an async one does, is reported too', async () => {
    world.server.script.subscribed = ({ confirm, send }) => (confirm(), send(completed(1)));
    const reports: ClientReport[] = [];
    // A hook is typed to answer nothing; hosts hand in async functions all the same.
    const onWsRawMessage = (() => Promise.reject(broken)) as unknown as () => void;
    await numbers(world.client({ listener: { onWsRawMessage }, onReport: (report) => void reports.push(report) }).observe(TASK));
    await vi.waitFor(() => expect(reports.map(({ type }) => type)).toEqual(['hook', 'hook']));
  });

  test('of diagnosis loses nothing: reports, inspection, the classifier, the policy of retries', async () => {
    const { script, seen } = world.server;
    const reports: ClientReport[] = [];
    script.subscribed = ({ confirm, send, socket, lastEventId }) => {
      confirm();
      if (lastEventId !== null) return send(completed(2));
      send(fact(1));
      socket.close(1011);
    };
    const options = { classify: fail, inspect: fail, retryPolicy: fail };
    const client = world.client({ ...options, onReport: (report) => void reports.push(report) });
    expect(await numbers(client.observe(TASK))).toEqual([1, 2]);
    expect(seen.filter((name) => name === 'ws')).toHaveLength(2);
    expect(new Set(reports.flatMap((report) => (report.type === 'hook' ? [report.hook] : [])))).toEqual(
      new Set(['classify', 'inspect', 'retryPolicy']),
    );
    expect(await numbers(world.client({ ...options, onReport: fail }).observe(TASK))).toEqual([1, 2]);
  });

  test('of an upload does not stop it', async () => {
    world.server.script.command = () => [201, { taskId: TASK, status: 'ACCEPTED' }];
    const reports: ClientReport[] = [];
    const attachments = [{ fileName: 'a', content: new Blob(['text']) }];
    const client = world.client({ onReport: (report) => void reports.push(report) });
    expect(await client.start({ taskType: 'report', attachments }, { onUpload: fail })).toMatchObject({ taskId: TASK });
    expect(reports[0]).toEqual({ type: 'hook', hook: 'onUpload', cause: broken });
  });
});

describe('an answer that says too little', () => {
  test('is filled in as far as its type promises and the call knows', async () => {
    const client = world.client();
    const answers: object[] = [{ taskId: TASK, status: 'ACCEPTED' }, { status: 'ACCEPTED' }, { status: 'ALREADY_TERMINAL' }];
    world.server.script.command = () => [202, answers.shift() ?? {}];
    world.server.script.snapshot = () => ({ taskId: TASK, status: 'RUNNING', state: 'running' });
    expect(await client.start({ taskType: 'report', clientRequestId: 'mine' })).toEqual({
      taskId: TASK,
      status: 'ACCEPTED',
      clientRequestId: 'mine',
      deduplicated: false,
    });
    expect(await client.act(TASK, { suspendId: 's', actionType: 'left', clientActionId: 'c' })).toEqual({
      taskId: TASK,
      suspendId: 's',
      clientActionId: 'c',
      status: 'ACCEPTED',
    });
    expect(await client.cancel(TASK)).toEqual({ taskId: TASK, status: 'ALREADY_TERMINAL' });
    expect(await client.get(TASK)).toMatchObject({ progress: null, suspensions: [], firstEventId: null, lastEventId: null });
  });

  test.each([
    [404, { code: 'TASK_NOT_FOUND', message: 'no' }, 'TASK_NOT_FOUND', 'server'],
    // The same word, by two: the field says whose it is.
    [400, { code: 'TIMEOUT', message: 'no' }, 'TIMEOUT', 'server'],
    [400, {}, 'REQUEST_REFUSED', 'client'],
  ] as const)('%i %j is refused with %s of the %s', async (status, body, code, codeFrom) => {
    world.server.script.snapshot = () => [status, body];
    await expect(world.client().get(TASK)).rejects.toMatchObject({ code, codeFrom });
    await expect(world.client().get('../')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', codeFrom: 'client' });
  });
});

test.each([
  [undefined, true, 'attachments'],
  ['attachment', true, 'attachment'],
  ['file "of" mine', false, 'file %22of%22 mine'],
  ['file "of" mine', true, 'file %22of%22 mine'],
] as const)('attachments go in the field %j (as a stream: %j)', async (attachmentField, streamsUploads, sent) => {
  let body = '';
  world.server.script.command = (_, form) => ((body = form), [201, { taskId: TASK, status: 'ACCEPTED' }]);
  const client = world.client({ streamsUploads, ...(attachmentField && { attachmentField }) });
  await client.start({ taskType: 'report', attachments: [{ fileName: 'a', content: new Blob(['x']) }] }, { onUpload: () => undefined });
  expect(body).toContain(`name="${sent}"; filename="a"`);
  expect(() => world.client({ attachmentField: '' })).toThrow(/attachmentField must name a field/);
});
