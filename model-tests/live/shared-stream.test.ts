import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { TaskBridgeOptions, TaskExecutor } from '../../server/index.ts';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';

const work = inProcess({
  count: async (task) => {
    for (let i = 1; i <= Number(task.input['to']); i += 1) await task.progress(i);
    return {};
  },
  ask: async (task) => void (await task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] })),
});

type Frame = { readonly type: string; readonly taskId: string; readonly [name: string]: unknown };

/** One stream that is being read. */
interface Watching {
  readonly response: IncomingMessage;
  readonly text: string;
  readonly frames: Frame[];
  of(taskId: string): string[];
  /** How the response came to its end. */
  readonly over: Promise<'end' | 'cut'>;
  stop(): void;
}

async function watch({ url }: RunningBridge, tasks: readonly string[], query = 'extensions=gap', as = 'alice'): Promise<Watching> {
  const path = `/api/v1/tasks/events/stream?${query}&tasks=${tasks.join(',')}`;
  const request = get(url + path, { headers: { authorization: as }, agent: false });
  onTestFinished(() => void request.destroy());
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => (text += chunk));
  response.on('error', () => undefined);
  const over = new Promise<'end' | 'cut'>((resolve) => response.on('close', () => resolve(response.complete ? 'end' : 'cut')));
  const frames = (): Frame[] =>
    text
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => JSON.parse(line.slice(5)) as Frame);
  return {
    response,
    get text() {
      return text;
    },
    get frames() {
      return frames();
    },
    of: (taskId) =>
      frames()
        .filter((frame) => frame.taskId === taskId)
        .map(({ type, code }) => (code === undefined ? type.replace('TASK_', '') : String(code as number))),
    over,
    stop: () => request.destroy(),
  };
}

const quiet = (options: Partial<TaskBridgeOptions> = {}): Promise<RunningBridge> => bridgeOf(work, options);
const asking = async (bridge: RunningBridge): Promise<string> => {
  const taskId = await bridge.start('ask');
  await vi.waitFor(async () => expect((await bridge.snapshot(taskId)).state).toBe('suspended'));
  return taskId;
};
const ASKED = ['HEARTBEAT', 'STARTED', 'SUSPENDED'];

/** Writes to a part, and goes on when it is told to. */
const writing = (): { readonly work: TaskExecutor; readonly goOn: (word: string) => void } => {
  const words: string[] = [];
  let wake = (): void => undefined;
  const run = inProcess({
    write: async (task) => {
      const out = task.stream('answer', { kind: 'text', flushMs: 10 });
      await out.write(task.input['begin'] as string);
      for (;;) {
        const word = words.shift();
        if (word !== undefined) await out.write(word);
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  });
  return {
    work: run,
    goOn: (word) => {
      words.push(word);
      wake();
    },
  };
};

describe('the text of parts on a stream of many tasks', () => {
  const textsOf = ({ frames }: Watching, taskId: string): unknown[] =>
    frames.flatMap((frame) => (frame.type === 'PART' && frame.taskId === taskId ? [frame['text']] : []));
  const cursorOf = ({ frames }: Watching, taskId: string): { readonly fact: unknown; readonly part: string } => {
    const [first] = frames.filter((frame) => frame.type === 'PART' && frame.taskId === taskId);
    return {
      fact: first?.['eventId'],
      part: `${taskId}@${String(first?.['eventId'])}.${String(first?.['to'])}.${String(first?.['epoch'])}`,
    };
  };

  it('is of the tasks that it names, and goes on by their part cursors', async () => {
    const { work: run, goOn } = writing();
    const bridge = await bridgeOf(run);
    const tasks = [await bridge.start('write', { begin: 'Once' }), await bridge.start('write', { begin: 'Twice' })];
    const [one = '', other = ''] = tasks;
    const first = await watch(bridge, [`${one}@`, `${other}@`], 'extensions=parts');
    await vi.waitFor(() => expect([textsOf(first, one), textsOf(first, other)]).toEqual([['Once'], ['Twice']]));
    expect(first.frames[0]).toEqual({ type: 'EXTENSIONS_GRANTED', extensions: ['parts', 'multiplex'] });
    first.stop();
    const [a, b] = [cursorOf(first, one), cursorOf(first, other)];
    goOn(' upon a time');
    const query = `extensions=parts&parts=${a.part},${b.part},${'0'.repeat(32)}@1-1.5.of-nobody`;
    const second = await watch(bridge, [`${one}@${String(a.fact)}`, `${other}@${String(b.fact)}`], query);
    await vi.waitFor(() => expect([...textsOf(second, one), ...textsOf(second, other)]).toEqual([' upon a time']));
  });

  it('is not there for who did not ask', async () => {
    const { work: run } = writing();
    const bridge = await bridgeOf(run);
    const taskId = await bridge.start('write', { begin: 'Once' });
    const [told, silent] = [await watch(bridge, [`${taskId}@`], 'extensions=parts'), await watch(bridge, [`${taskId}@`])];
    await vi.waitFor(() => expect(textsOf(told, taskId)).toEqual(['Once']));
    await vi.waitFor(() => expect(silent.of(taskId)).toContain('PART_OPENED'));
    expect(textsOf(silent, taskId)).toEqual([]);
  });

  it('ends a task whose part cursor is none, and no other', async () => {
    const { work: run } = writing();
    const bridge = await bridgeOf(run);
    const [bad, good] = [await bridge.start('write', { begin: 'Bad' }), await bridge.start('write', { begin: 'Good' })];
    const stream = await watch(bridge, [`${bad}@`, `${good}@`], `extensions=parts&parts=${bad}@12`);
    await vi.waitFor(() => expect(textsOf(stream, good)).toEqual(['Good']));
    expect(stream.frames.filter(({ type }) => type === 'SUBSCRIPTION_ENDED')).toMatchObject([
      { taskId: bad, code: 1008, reason: expect.stringContaining('part cursors') as string },
    ]);
  });

  it('is refused where it names no task', async () => {
    const bridge = await quiet();
    const taskId = await asking(bridge);
    const stream = await watch(bridge, [`${taskId}@`], 'extensions=parts&parts=12-1.5.mark');
    await stream.over;
    expect([stream.response.statusCode, stream.text]).toEqual([422, expect.stringContaining('"path":"parts"')]);
  });
});

describe('a stream of many tasks', () => {
  it('shows each from its cursor, without ids, says the end of each, and ends after the last', async () => {
    const bridge = await quiet();
    const tasks = await Promise.all([3, 5].map((to) => bridge.start('count', { to })));
    for (const taskId of tasks) await vi.waitFor(async () => expect((await bridge.snapshot(taskId)).state).toBe('completed'));
    const [first, second] = await Promise.all(tasks.map((taskId) => bridge.facts(taskId)));
    const stream = await watch(bridge, [`${tasks[0]}@${first?.[1]?.eventId}`, `${tasks[1]}@${second?.at(-1)?.eventId}`]);
    expect(await stream.over).toBe('end');
    expect(stream.response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    expect(stream.frames[0]).toEqual({ type: 'EXTENSIONS_GRANTED', extensions: ['gap', 'multiplex'] });
    expect(stream.of(tasks[0] ?? '')).toEqual(['HEARTBEAT', 'PROGRESS', 'PROGRESS', 'COMPLETED', '1000']);
    expect(stream.of(tasks[1] ?? '')).toEqual(['HEARTBEAT', '1000']);
    expect(stream.text).not.toMatch(/^id:/m);
  });

  it('ends what may not be shown, in the same words for unknown and foreign, and shows the rest', async () => {
    const bridge = await quiet();
    const mine = await asking(bridge);
    const bad = await asking(bridge);
    const { taskId: foreign } = await bridge.bridge.tasks({ subject: 'bob' }).start({ clientRequestId: 'r', taskType: 'ask' });
    const unknown = 'f'.repeat(32);
    const stream = await watch(bridge, [`${unknown}@`, `${foreign}@`, `${bad}@nonsense`, `${mine}@0-0`]);
    await vi.waitFor(() => expect(stream.of(mine)).toEqual(ASKED));
    expect([unknown, foreign, bad].map((taskId) => stream.of(taskId))).toEqual([['1008'], ['1008'], ['1008']]);
    const reasons = stream.frames.filter(({ type }) => type === 'SUBSCRIPTION_ENDED').map(({ reason }) => reason);
    expect(reasons).toEqual(['TASK_NOT_FOUND', 'TASK_NOT_FOUND', expect.stringContaining('lastEventId') as string]);
  });

  it.each([
    ['no set', ''],
    ['a task without its @', 'a'],
    ['a task without an id', '@1-2'],
    ['one task twice', 'a@,a@0-0'],
    ['65 tasks', Array.from({ length: 65 }, (_, i) => `t${i}@`).join(',')],
  ])('is refused before it begins for %s', async (_what, set) => {
    const { url } = await quiet();
    const response = await fetch(`${url}/api/v1/tasks/events/stream?tasks=${set}`, { headers: { authorization: 'alice' } });
    expect([response.status, await response.json()]).toMatchObject([422, { code: 'REQUEST_VALIDATION_ERROR' }]);
  });

  it('is refused as a whole without credentials, and where a fault of ours leaves no task to be shown', async () => {
    const store = memoryStore();
    const bridge = await quiet({ store });
    const taskId = await bridge.start('ask');
    const path = `${bridge.url}/api/v1/tasks/events/stream?tasks=${taskId}@`;
    expect((await fetch(path)).status).toBe(401);
    const load = vi.spyOn(store, 'load').mockRejectedValue(new Error('out of reach'));
    const response = await fetch(path, { headers: { authorization: 'alice' } });
    load.mockRestore();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, expect.any(String)]);
  });

  it('answers a HEAD with its head', async () => {
    const { url } = await quiet();
    const response = await fetch(`${url}/api/v1/tasks/events/stream?tasks=a@`, { method: 'HEAD', headers: { authorization: 'alice' } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  });

  it('counts each of its tasks as a viewer of its owner, ends those without room by 1013, and is refused where there is none at all', async () => {
    const bridge = await quiet({ live: { viewersPerOwnerMax: 2 } });
    const tasks = await Promise.all([1, 2, 3].map(() => asking(bridge)));
    const stream = await watch(
      bridge,
      tasks.map((taskId) => `${taskId}@`),
    );
    await vi.waitFor(() => expect(tasks.map((taskId) => stream.of(taskId))).toEqual([ASKED, ASKED, ['1013']]));
    const refused = await watch(bridge, [`${tasks[0]}@`]);
    expect([refused.response.statusCode, refused.response.headers['retry-after']]).toEqual([429, '5']);
    stream.stop();
    // What its tasks took is free again.
    await vi.waitFor(async () => expect((await watch(bridge, [`${tasks[0]}@`])).response.statusCode).toBe(200));
  });

  it('is cut with the credentials that it lives by', async () => {
    const bridge = await quiet({ auth: () => ({ subject: 'alice', expiresAt: Date.now() + 300 }) });
    const taskId = await bridge.start('ask');
    expect(await (await watch(bridge, [`${taskId}@`])).over).toBe('cut');
  });

  it('has a heartbeat for each task that is quiet, and one comment for all where frames are switched off', async () => {
    const live = { sseHeartbeatMs: 30 };
    const framed = await quiet({ live });
    const commented = await quiet({ live, streams: { sse: { heartbeatFrame: false } } });
    const tasks = [await asking(framed), await asking(framed)];
    const stream = await watch(
      framed,
      tasks.map((taskId) => `${taskId}@`),
    );
    const beats = (taskId: string): number => stream.of(taskId).filter((type) => type === 'HEARTBEAT').length;
    await vi.waitFor(() => expect(tasks.map(beats).every((count) => count > 2)).toBe(true));
    expect(stream.text).not.toContain(':heartbeat');
    const silent = await watch(commented, [`${await asking(commented)}@`]);
    await vi.waitFor(() => expect(silent.text.split(':heartbeat').length).toBeGreaterThan(2));
    expect(silent.text.split('HEARTBEAT')).toHaveLength(2);
  });

  it('ends one task that cannot be read on by 1006, and goes on with the others', async () => {
    const store = memoryStore();
    const bridge = await quiet({ store, live: { storeRetryMs: 1, storeTriesMax: 2 } });
    const [broken, sound] = [await asking(bridge), await asking(bridge)];
    const read = store.read.bind(store);
    vi.spyOn(store, 'read').mockImplementation((taskId, ...rest) =>
      taskId === broken ? Promise.reject(new Error('torn page')) : read(taskId, ...rest),
    );
    const stream = await watch(bridge, [`${broken}@`, `${sound}@`]);
    await vi.waitFor(() => expect([broken, sound].map((taskId) => stream.of(taskId))).toEqual([['HEARTBEAT', '1006'], ASKED]));
  });
});
