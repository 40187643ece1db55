import { expect, test, vi } from 'vitest';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { FactPayload } from '../../machines/wire/index.ts';
import { systemClock, type Clock } from '../../server/index.ts';
import { createTaskReporter } from '../../server/reporter/index.ts';
import { bridgeOf } from './bridge-of.ts';
import { seenActors } from '../support/inspector-record.ts';
import { faultyStore } from './faulty-store.ts';
import { workerExecutor } from './worker-executor.ts';

test('takes reports from another process, each once, and hands answers and cancels over', async () => {
  const memory = memoryStore();
  await memory.open();
  const { executor, started, told } = workerExecutor();
  const of = await bridgeOf(executor, { store: faultyStore(memory, { shared: true }) });
  const losing = faultyStore(memory, { shared: true });
  const reporter = createTaskReporter({ store: losing, logger: { warn: () => undefined, error: () => undefined } });
  const taskId = await of.start('x');
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const ref = { taskId, attempt: started[0]?.attempt ?? 0 };
  const question = {
    suspendId: 'q',
    kind: 'USER_ACTION_REQUIRED',
    reasonCode: 'Q',
    allowedActions: ['ok'],
    schemaVersion: 1,
  } satisfies FactPayload<'TASK_SUSPENDED'>;

  await reporter.report(ref, { source: 'main', seq: 1, intents: [{ type: 'report.started', payload: {} }] });
  losing.loseReplies(1);
  // What turns out to be written is answered as it was decided.
  expect(await reporter.report(ref, { source: 'main', seq: 2, intents: [{ type: 'report.progress', payload: { progress: 5 } }] })).toEqual({
    status: 'committed',
    refusals: [undefined],
  });
  expect(await reporter.report(ref, { source: 'main', seq: 2, intents: [{ type: 'report.progress', payload: { progress: 5 } }] })).toEqual({
    status: 'duplicate',
  });
  await reporter.report(ref, { source: 'activity-1', seq: 1, intents: [{ type: 'report.suspended', payload: question }] });
  expect(await reporter.resolution(taskId, 'q')).toBeUndefined();
  await of.act(taskId, { clientActionId: 'a', suspendId: 'q', actionType: 'ok', payload: { n: 1 } });
  await vi.waitFor(() =>
    expect(told).toMatchObject([{ outcome: 'ANSWERED', suspendId: 'q', action: { actionType: 'ok', payload: { n: 1 } } }]),
  );
  expect(await reporter.resolution(taskId, 'q')).toMatchObject({ outcome: 'ANSWERED' });
  await of.cancel(taskId, 'enough');
  await vi.waitFor(() => expect(told[1]).toEqual({ why: 'cancel', reason: 'enough' }));
  expect(await reporter.report({ ...ref, attempt: 7 }, { source: 'main', seq: 3, intents: [] })).toEqual({ status: 'fenced' });
  await reporter.report(ref, { source: 'main', seq: 3, intents: [{ type: 'report.cancelled', payload: {} }] });
  expect(
    await reporter.report(ref, { source: 'main', seq: 4, intents: [{ type: 'report.message', payload: { message: 'late' } }] }),
  ).toEqual({ status: 'fenced' });
  expect((await of.facts(taskId)).map(({ type }) => type.replace('TASK_', ''))).toEqual([
    'STARTED',
    'PROGRESS',
    'SUSPENDED',
    'ACTION_ACCEPTED',
    'CANCEL_REQUESTED',
    'CANCELLED',
  ]);
});

test('refuses a store that one process owns', () => {
  expect(() => createTaskReporter({ store: memoryStore() })).toThrow(/belongs to one process/);
});

test.each([
  ['goes by its monotonic time when its date was set back', systemClock],
  ['goes by what has passed when its date was set back, where it has no other', { ...systemClock, monotonic: undefined }],
])('%s', async (_name, clock) => {
  const memory = memoryStore();
  await memory.open();
  const store = faultyStore(memory, { shared: true });
  let now = 10_000_000;
  let asked = 0;
  const reporter = createTaskReporter({
    store: {
      ...store,
      now: () => {
        asked++;
        return Promise.resolve(5_000_000);
      },
    },
    clock: { ...clock, now: () => now } as Clock,
  });
  expect(await reporter.now()).toBeCloseTo(5_000_000, -3);
  now -= 3_600_000;
  expect(await reporter.now()).toBeCloseTo(5_000_000, -3);
  expect(asked).toBe(1);
});

test('shows what is cosmetic as it can be shown, and refuses what is no number', async () => {
  const memory = memoryStore();
  await memory.open();
  const { executor, started } = workerExecutor();
  const of = await bridgeOf(executor, { store: faultyStore(memory, { shared: true }) });
  const reporter = createTaskReporter({ store: faultyStore(memory, { shared: true }) });
  const taskId = await of.start('x');
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const ref = { taskId, attempt: started[0]?.attempt ?? 0 };
  const progress = (seq: number, percent: number, stage: string) =>
    reporter.report(ref, { source: 'main', seq, intents: [{ type: 'report.progress', payload: { progress: percent, stage } }] });
  const half = '\uD83D';
  await progress(1, 6 * (100 / 6), `cut ${half}`);
  await progress(2, -1, 'below');
  for (const none of [Number.NaN, Infinity])
    await expect(progress(3, none, 'none')).rejects.toMatchObject({ code: 'REQUEST_VALIDATION_ERROR' });
  expect((await of.facts(taskId)).map(({ payload }) => payload)).toEqual([
    { progress: 100, stage: 'cut \uFFFD' },
    { progress: 0, stage: 'below' },
  ]);
});

test('shows an inspector what it decides, reports among it that no chart was asked of', async () => {
  const memory = memoryStore();
  await memory.open();
  const { executor, started } = workerExecutor();
  const of = await bridgeOf(executor, { store: faultyStore(memory, { shared: true }) });
  const { seen, inspect, toldTo } = seenActors();
  const reporter = createTaskReporter({ store: faultyStore(memory, { shared: true }), inspect });
  const taskId = await of.start('x');
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const ref = { taskId, attempt: started[0]?.attempt ?? 0 };
  const progress = { source: 'main', seq: 1, intents: [{ type: 'report.progress', payload: { progress: 5 } } as const] };
  for (const attempt of [ref, ref, { ...ref, attempt: ref.attempt + 1 }]) await reporter.report(attempt, progress);
  const decided = seen
    .filter(({ id, type }) => id === taskId && type === '@xstate.event')
    .map(({ event }) => [event.type, event.source, event.refusal]);
  expect(decided).toEqual([
    ['report.progress', 'work', undefined],
    ['report.progress', 'work', 'duplicate'],
    ['report.progress', 'work', 'fenced'],
  ]);
  expect(toldTo('task')).toEqual(['TASK_PROGRESS']);
});
