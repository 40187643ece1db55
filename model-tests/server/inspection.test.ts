import { expect, test, vi } from 'vitest';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { WorkStatus, TaskExecutor } from '../../server/index.ts';
import { bridgeOf } from './bridge-of.ts';

/** An executor whose work outlives its node; `standings` are what it answers, the last one for ever. */
function outside(...standings: readonly (WorkStatus | Error)[]) {
  const asked: number[] = [];
  const told: unknown[] = [];
  const executor: TaskExecutor = {
    name: 'outside',
    leased: false,
    handles: () => true,
    repeatable: () => false,
    start: () => Promise.resolve({ status: 'started' }),
    resume: () => Promise.resolve(),
    cancel: (attempt, order) => Promise.resolve(void told.push(order)),
    inspect({ attempt }) {
      const standing = standings[Math.min(asked.length, standings.length - 1)];
      asked.push(attempt);
      return standing instanceof Error ? Promise.reject(standing) : Promise.resolve(standing ?? { status: 'running' });
    },
  };
  return { executor, asked, told };
}

const terminated: WorkStatus = {
  status: 'ended',
  end: { type: 'report.failed', payload: { code: 'WORKFLOW_TERMINATED', message: 'By hand.', retryable: true } },
};
const tasks = { inspectMs: 20 };

test('asks after work that an outside system keeps until it hears of its end, whatever lies between', async () => {
  const { executor, asked, told } = outside({ status: 'running' }, new Error('out of reach'), { status: 'running' }, terminated);
  const of = await bridgeOf(executor, { tasks });
  const taskId = await of.start('x');
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('failed'));
  expect((await of.facts(taskId)).map(({ type, payload }) => [type, payload])).toEqual([
    ['TASK_FAILED', { code: 'WORKFLOW_TERMINATED', message: 'By hand.', retryable: true }],
  ]);
  expect(asked).toEqual([1, 1, 1, 1]);
  // Work that is over need not be told so.
  expect(told).toEqual([]);
});

test('hears, after the host was down, of work that ended meanwhile', async () => {
  const memory = memoryStore();
  const store = { ...memory, close: () => Promise.resolve() };
  const before = await bridgeOf(outside({ status: 'running' }).executor, { store, tasks });
  const taskId = await before.start('x');
  await before.bridge.close();
  const after = await bridgeOf(outside({ status: 'ended', end: { type: 'report.completed', payload: { result: 7 } } }).executor, {
    store,
    tasks,
  });
  await vi.waitFor(async () => expect((await after.snapshot(taskId)).result).toBe(7));
});

test('asks after work that was told to stop, and takes its word for the end', async () => {
  let standing: WorkStatus = { status: 'running' };
  const { executor, told } = outside();
  const of = await bridgeOf({ ...executor, inspect: () => Promise.resolve(standing) }, { tasks });
  const taskId = await of.start('x');
  await of.cancel(taskId, 'enough');
  await vi.waitFor(() => expect(told).toHaveLength(1));
  standing = { status: 'ended', end: { type: 'report.cancelled', payload: {} } };
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).cancellation).toEqual({ reason: 'enough' }));
});

const half = '\uD83D';
const unwritable: readonly [what: string, end: Extract<WorkStatus, { readonly status: 'ended' }>['end'], message: RegExp][] = [
  ['a code that is none', { type: 'report.failed', payload: { code: '', message: 'x', retryable: true } }, /payload\.code/],
  ['a text that is too long', { type: 'report.cancelled', payload: { reason: 'x'.repeat(1025) } }, /payload\.reason/],
  ['a result that is too large', { type: 'report.completed', payload: { result: 'x'.repeat(2000) } }, /one fact may have 1000/],
  ['a result of half a character', { type: 'report.completed', payload: { result: `cut ${half}` } }, /payload\.result/],
];

test.each(unwritable)(
  'an end that no fact may say fails its task and is logged, instead of being asked for ever: %s',
  async (_, end, message) => {
    const { executor, asked } = outside({ status: 'ended', end });
    const warn = vi.fn();
    const of = await bridgeOf(executor, { tasks: { ...tasks, factBytesMax: 1000 }, logger: { warn, error: vi.fn() } });
    const taskId = await of.start('x');
    await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('failed'));
    expect((await of.snapshot(taskId)).failure).toMatchObject({
      code: 'REPORT_REFUSED',
      message: expect.stringMatching(message) as string,
    });
    expect(asked).toHaveLength(1);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('cannot be written; the task failed'), expect.objectContaining({ taskId }));
  },
);

test('an end with half a character, as a text that was cut inside an emoji has it, is shown to people', async () => {
  const payload = { code: 'BROKE', message: `cut ${half}`, retryable: true };
  const of = await bridgeOf(outside({ status: 'ended', end: { type: 'report.failed', payload } }).executor, { tasks });
  const taskId = await of.start('x');
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).failure).toEqual({ ...payload, message: 'cut \uFFFD' }));
});

test.each([
  [
    'is shown to people',
    { code: 'FULL', message: `cut ${half}`, retryable: true },
    { code: 'FULL', message: 'cut \uFFFD', retryable: true },
  ],
  [
    'fails the task by that where no fact may say it',
    { code: '', message: 'x', retryable: true },
    { code: 'REPORT_REFUSED', retryable: false },
  ],
])('a refusal to start %s', async (_, failure, shown) => {
  const start = vi.fn<TaskExecutor['start']>(() => Promise.resolve({ status: 'refused', failure }));
  const of = await bridgeOf({ ...outside().executor, start }, { logger: { warn: vi.fn(), error: vi.fn() } });
  await expect(of.start('x')).rejects.toMatchObject({ code: 'TASK_SUBMISSION_ERROR', details: { failure: shown } });
  expect(start).toHaveBeenCalledTimes(1);
});
