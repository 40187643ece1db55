import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { ActivityTask } from '../../adapters/temporal/activities/index.ts';
import type { Fact } from '../../machines/wire/index.ts';
import type { WorkParts } from '../../server/ports/index.ts';
import { createTaskReporter, type TaskReporter } from '../../server/reporter/index.ts';
import { faultyStore } from '../server/faulty-store.ts';
import { workerExecutor } from '../server/worker-executor.ts';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';

const quiet = { warn: () => undefined, error: () => undefined };
const warn = vi.fn();
let attempt = 1;

// Other files of this process have read these modules, and will again.
beforeAll(() => {
  vi.doMock('@temporalio/activity', () => ({
    activityInfo: () => ({ activityId: '1', attempt, workflowExecution: { workflowId: 'w', runId: 'a'.repeat(36) } }),
    cancellationSignal: () => new AbortController().signal,
    log: { warn },
  }));
  vi.resetModules();
});
afterAll(() => {
  vi.doUnmock('@temporalio/activity');
  vi.resetModules();
});

/** A task whose work is outside, and an activity of it. */
async function activity(): Promise<{
  of: RunningBridge;
  taskId: string;
  reporter: TaskReporter;
  task(nth?: number): Promise<ActivityTask>;
}> {
  const { activityTask } = await import('../../adapters/temporal/activities/index.ts');
  const memory = memoryStore();
  await memory.open();
  const store = faultyStore(memory, { shared: true });
  const of = await bridgeOf(workerExecutor().executor, { store, logger: quiet });
  const reporter = createTaskReporter({ store, logger: quiet });
  const taskId = await of.start('work');
  const ref = await vi.waitFor(async () => {
    const found = { taskId, attempt: 1 };
    expect((await reporter.report(found, { source: 'main', seq: 1, intents: [{ type: 'report.started', payload: {} }] })).status).not.toBe(
      'fenced',
    );
    return found;
  });
  onTestFinished(() => void (attempt = 1));
  return {
    ...{ of, taskId, reporter },
    task: async (nth = 1) => {
      attempt = nth;
      return activityTask(reporter, ref);
    },
  };
}

const closings = (facts: readonly Fact[]) =>
  facts.flatMap((fact) => (fact.type === 'TASK_PART_CLOSED' ? [[fact.payload.part, fact.payload.outcome, fact.payload.text]] : []));

test('an activity writes a part word by word, and what it reports comes behind what it wrote', async () => {
  const { of, taskId, task } = await activity();
  const one = await task();
  const out = one.stream('answer', { kind: 'text', flushMs: 10 });
  for (let i = 0; i < 500; i++) void out.write(`word ${i} `);
  expect(await one.progress(50)).toBe(true);
  const read = await of.bridge.tasks({ subject: 'alice' }).readPart(taskId, 2);
  expect(read).toMatchObject({ open: true, bytes: Array.from({ length: 500 }, (_, i) => `word ${i} `).join('').length });
  await out.end();
  const facts = await of.facts(taskId);
  expect(facts.map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_PART_OPENED', 'TASK_PROGRESS', 'TASK_PART_CLOSED']);
  expect(closings(facts)).toEqual([[2, 'DONE', Array.from({ length: 500 }, (_, i) => `word ${i} `).join('')]]);
});

test('an activity replaces a value, and what it reports comes behind the newest one', async () => {
  const { of, taskId, task } = await activity();
  const one = await task();
  const cell = one.stream('cell', { kind: 'latest' });
  expect(await cell.value).toBeUndefined();
  for (let n = 0; n < 500; n++) void cell.write({ n });
  expect(await one.progress(50)).toBe(true);
  expect(await of.bridge.tasks({ subject: 'alice' }).readPart(taskId, 2)).toMatchObject({ open: true, kind: 'latest', text: '{"n":499}' });
  await cell.end();
  expect(closings(await of.facts(taskId))).toEqual([[2, 'DONE', '{"n":499}']]);
});

test('a try that Temporal runs again begins anew, and closes what the one before left', async () => {
  const { of, taskId, task } = await activity();
  const first = await task(1);
  const left = first.stream('answer', { kind: 'text', flushMs: 10 });
  void left.write('half of');
  await first.progress(10);
  const second = await task(2);
  const out = second.stream('answer', { kind: 'text', flushMs: 10 });
  void out.write('all of it');
  await out.end();
  // The one before may still be at work: what it writes is not taken, and it hears so.
  void left.write(' more');
  await expect(left.end()).rejects.toThrow();
  expect(closings(await of.facts(taskId))).toEqual([
    [2, 'ABANDONED', 'half of'],
    [5, 'DONE', 'all of it'],
  ]);
});

test('a try that Temporal runs again closes what the one before left, though it opens nothing itself', async () => {
  const { of, taskId, task } = await activity();
  const first = await task(1);
  void first.stream('answer', { kind: 'text', flushMs: 10 }).write('half of');
  await first.progress(10);
  const second = await task(2);
  expect(await second.progress(50)).toBe(true);
  await vi.waitFor(async () => expect(closings(await of.facts(taskId))).toEqual([[2, 'ABANDONED', 'half of']]));
});

test('a try that begins only when a later one is at work leaves its parts alone', async () => {
  const { of, taskId, task } = await activity();
  const third = await task(10);
  const out = third.stream('answer', { kind: 'text', flushMs: 10 });
  void out.write('of the ');
  await third.progress(10);
  const late = (await task(9)).stream('late', { kind: 'text', flushMs: 10 });
  await late.end();
  void out.write('latest');
  await out.end();
  expect(closings(await of.facts(taskId)).map(([, ...closed]) => closed)).toEqual([
    ['DONE', ''],
    ['DONE', 'of the latest'],
  ]);
});

test('what an earlier try left cannot be closed: the worker lives on, and its log has it', async () => {
  const { taskId, reporter, of } = await activity();
  attempt = 2;
  warn.mockClear();
  const { activityTask } = await import('../../adapters/temporal/activities/index.ts');
  const ref = { taskId, attempt: 1 };
  const refuses = () => Promise.reject(Object.assign(new Error('no such task'), { code: 'TASK_NOT_FOUND' }));
  const parts = { ...reporter.parts(ref), openedBy: refuses } as unknown as WorkParts;
  const task = activityTask({ report: reporter.report, parts: () => parts }, ref);
  await vi.waitFor(() => expect(warn).toHaveBeenCalledWith('What an earlier try left open was not closed.', expect.anything()));
  expect(await task.progress(50)).toBe(true);
  expect(closings(await of.facts(taskId))).toEqual([]);
});
