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
