import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import { inProcess } from 'taskbridge/adapters/in-process';
import { TaskFailure, TaskStopped, workerTask } from 'taskbridge/adapters/worker';
import { createTaskReporter, type TaskReporterOptions } from 'taskbridge/server/reporter';
import type { TaskBridgeOptions } from '../../server/index.ts';
import { tasks } from '../contract/tasks.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { bridgeOf } from './bridge-of.ts';
import { faultyStore } from './faulty-store.ts';
import { workerExecutor } from './worker-executor.ts';

const quiet = { warn: () => undefined, error: () => undefined };
const question = { reasonCode: 'WHICH', allowedActions: ['first', 'last'] };

/** A host whose tasks workers run, and a process for each worker. */
async function withWorkers(options: Partial<TaskBridgeOptions> = {}) {
  const memory = memoryStore();
  await memory.open();
  const outside = workerExecutor();
  const of = await bridgeOf(outside.executor, { store: faultyStore(memory, { shared: true }), ...options });
  return {
    ...outside,
    of,
    /** A process of its own, with a clock that the test moves. */
    process(given: Partial<TaskReporterOptions<undefined>> = {}) {
      const store = faultyStore(memory, { shared: true });
      const clock = fakeClock();
      return { store, clock, reporter: createTaskReporter({ store, clock, logger: quiet, ...given }) };
    },
    /** The facts of a task, by their types and what they say. */
    said: async (taskId: string) =>
      (await of.facts(taskId)).map(({ type, payload }) => [type.replace('TASK_', ''), (payload as { message?: string }).message ?? '']),
    attempt: async (taskId: string) => (await memory.load(taskId))?.fields['ledger'] ?? '',
  };
}

/** What a promise rejects with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('It did not reject.'),
    (error: unknown) => error,
  );
/** Some turns of the loop, in which all is done that needs no time. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

test('gives a process the task that a handler has: what it was created with, reports, a question and its answer, the end', async () => {
  const attachments = { ...memoryAttachments(), shared: true };
  const { of, process, started, said } = await withWorkers({ attachments });
  const { reporter, clock } = process({ attachments });
  const taskId = await of.start('x', { rows: 3 });
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const task = await workerTask(reporter, { taskId });
  expect([task.taskId, task.taskType, task.owner, task.input, task.saved]).toEqual([taskId, 'x', 'alice', { rows: 3 }, undefined]);
  expect(task.attempt).toBe(2);
  await task.progress(10, { stage: 'reading' });
  await task.message('Read.');
  const answered = task.suspend('which', question);
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('suspended'));
  clock.advance(100);
  const [open] = (await of.snapshot(taskId)).suspensions;
  await of.act(taskId, { clientActionId: 'a', suspendId: open?.suspendId ?? '', actionType: 'last', payload: { n: 1 } });
  expect(await answered).toMatchObject({ actionType: 'last', payload: { n: 1 } });
  await task.save({ at: 7 });
  await task.complete({ done: true });
  expect(await of.snapshot(taskId)).toMatchObject({ state: 'completed', result: { done: true } });
  expect(await said(taskId)).toEqual([
    ['STARTED', ''],
    ['PROGRESS', ''],
    ['MESSAGE', 'Read.'],
    ['SUSPENDED', ''],
    ['ACTION_ACCEPTED', ''],
    ['COMPLETED', ''],
  ]);
  // Nothing of it is followed any more: neither timers nor a tail.
  expect(clock.armed).toEqual([]);
});

test('opens what the task was created with', async () => {
  const attachments = { ...memoryAttachments(), shared: true };
  const { of, process, started } = await withWorkers({ attachments });
  const form = new FormData();
  form.set('clientRequestId', 'files');
  form.set('taskType', 'x');
  form.set('input', '{}');
  form.set('attachment', new Blob(['a,b\n'], { type: 'text/csv' }), 'orders.csv');
  const response = await fetch(`${of.url}/api/v1/tasks`, { method: 'POST', headers: { authorization: 'Bearer alice' }, body: form });
  const { taskId } = (await response.json()) as { readonly taskId: string };
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const task = await workerTask(process({ attachments }).reporter, { taskId });
  const [file] = task.attachments;
  expect([file?.fileName, file && (await text(await file.open()))]).toEqual(['orders.csv', 'a,b\n']);
  const other = await workerTask(process().reporter, { taskId });
  await expect(other.attachments[0]?.open()).rejects.toThrow(/no attachment store/);
  expect(() => process({ attachments: memoryAttachments() })).toThrow(/kept on this node only/);
});

test('keeps a file, and only that of the run that holds the task', async () => {
  const attachments = { ...memoryAttachments(), shared: true };
  const { of, process, started } = await withWorkers({ attachments });
  const taskId = await of.start('x', {});
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const older = await workerTask(process({ attachments }).reporter, { taskId });
  const task = await workerTask(process({ attachments }).reporter, { taskId });
  await task.attach('rows.csv', 'x,y', 'text/csv');
  expect(await rejection(older.attach('rows.csv', 'older'))).toBeInstanceOf(TaskStopped);
  await task.complete(null);
  expect((await of.snapshot(taskId)).attachments).toMatchObject([{ name: 'rows.csv', contentType: 'text/csv', bytes: 3 }]);
  const keys: string[] = [];
  for await (const key of attachments.keys(Number.MAX_SAFE_INTEGER)) keys.push(key);
  expect(keys).toHaveLength(1);
});

test('a job that is run again is swallowed by nothing: it finds its answer and what was saved, and the task ends once', async () => {
  const { of, process, started, said, told } = await withWorkers();
  const taskId = await of.start('x');
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const first = process();
  const dying = await workerTask(first.reporter, { taskId });
  await dying.message('First.');
  await dying.save('half');
  void dying.suspend('which', question);
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('suspended'));
  first.store.kill();
  // Nobody lives: the executor is told, and is to have the job run again.
  const [open] = (await of.snapshot(taskId)).suspensions;
  await of.act(taskId, { clientActionId: 'a', suspendId: open?.suspendId ?? '', actionType: 'first' });
  await vi.waitFor(() => expect(told).toMatchObject([{ outcome: 'ANSWERED', action: { actionType: 'first' } }]));
  // Killed between its claim and its first report.
  const second = process();
  expect(await second.reporter.claim({ taskId })).toMatchObject({ attempt: 3 });
  second.store.kill();
  const again = await workerTask(process().reporter, { taskId });
  expect([again.attempt, again.saved]).toEqual([4, 'half']);
  await again.message('Again.');
  expect(await again.suspend('which', question)).toMatchObject({ actionType: 'first' });
  await again.complete(1);
  expect(await said(taskId)).toEqual([
    ['STARTED', ''],
    ['MESSAGE', 'First.'],
    ['SUSPENDED', ''],
    ['ACTION_ACCEPTED', ''],
    ['MESSAGE', 'Again.'],
    ['COMPLETED', ''],
  ]);
});

test('of two that run one job at once the older is fenced: its signal aborts though it reports nothing, and nothing of it counts', async () => {
  const { of, process, started, said } = await withWorkers();
  const taskId = await of.start('x');
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const [one, two] = [process(), process()];
  const older = await workerTask(one.reporter, { taskId });
  const { signal } = older;
  one.clock.advance(100);
  await turns();
  const newer = await workerTask(two.reporter, { taskId });
  expect(signal.aborted).toBe(false);
  one.clock.advance(5000);
  await vi.waitFor(() => expect(signal.aborted).toBe(true));
  expect(signal.reason).toBeInstanceOf(TaskStopped);
  expect(signal.reason).toMatchObject({ why: 'fenced', code: 'TASK_STOPPED' });
  expect(await rejection(older.message('Late.'))).toMatchObject({ why: 'fenced' });
  expect(await rejection(older.complete('older'))).toMatchObject({ why: 'fenced' });
  await newer.complete('newer');
  expect((await of.snapshot(taskId)).result).toBe('newer');
  expect(await said(taskId)).toEqual([
    ['STARTED', ''],
    ['COMPLETED', ''],
  ]);
});

test('a cancel reaches the run, and ends at once a task whose run is gone', async () => {
  const { of, process, started } = await withWorkers();
  const { reporter, clock } = process();
  const [lives, gone] = [await of.start('x'), await of.start('x')];
  await vi.waitFor(() => expect(started).toHaveLength(2));
  const task = await workerTask(reporter, { taskId: lives });
  clock.advance(100);
  await turns();
  await of.cancel(lives, 'enough');
  await vi.waitFor(() => expect(task.signal.aborted).toBe(true));
  expect(task.signal.reason).toMatchObject({ why: 'cancel', message: 'enough' });
  await task.fail(task.signal.reason);
  expect(await of.snapshot(lives)).toMatchObject({ state: 'cancelled', cancellation: { reason: 'enough' } });

  await workerTask(process().reporter, { taskId: gone });
  await of.cancel(gone, 'enough');
  expect(await rejection(workerTask(process().reporter, { taskId: gone }))).toMatchObject({ why: 'ended' });
  expect(await of.snapshot(gone)).toMatchObject({ state: 'cancelled', cancellation: { reason: 'enough' } });
});

test('claims nothing that has ended, is gone, runs in a node, or is of another type', async () => {
  const { of, process, started, attempt } = await withWorkers();
  const { reporter } = process();
  const taskId = await of.start('x');
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const before = await attempt(taskId);
  expect(await rejection(workerTask(reporter, { taskId, taskType: 'y' }))).toMatchObject({ message: /is of type x.*run as y/ });
  expect(await attempt(taskId)).toBe(before);
  const task = await workerTask(reporter, { taskId, taskType: 'x' });
  await task.complete(null);
  // What comes after the end is answered as the end was.
  await task.complete(2);
  const ended = await rejection(workerTask(reporter, { taskId }));
  expect(ended).toBeInstanceOf(TaskStopped);
  expect(ended).toMatchObject({ why: 'ended' });
  expect(await rejection(workerTask(reporter, { taskId: 'f'.repeat(32) }))).toMatchObject({ why: 'ended' });

  const memory = memoryStore();
  await memory.open();
  let end: () => void = () => undefined;
  const own = await bridgeOf(inProcess({ x: () => new Promise<void>((resolve) => (end = resolve)) }), {
    store: faultyStore(memory, { shared: true }),
  });
  onTestFinished(() => end());
  const held = await own.start('x');
  await vi.waitFor(async () => expect((await own.snapshot(held)).state).toBe('running'));
  const other = createTaskReporter({ store: faultyStore(memory, { shared: true }) });
  await expect(workerTask(other, { taskId: held })).rejects.toThrow(/runs in the process of the node/);
});

test('ends a task by what is thrown, and by a report that nobody heard was refused', async () => {
  const { of, process, started } = await withWorkers();
  const { reporter } = process();
  const [told, secret, refused] = [await of.start('x'), await of.start('x'), await of.start('x')];
  await vi.waitFor(() => expect(started).toHaveLength(3));
  const begun = async (taskId: string) => workerTask(reporter, { taskId });
  await (await begun(told)).fail(new TaskFailure('NO_ROUTE', 'There is no route.', { retryable: true }));
  await (await begun(secret)).fail(new Error('password=1234'));
  const task = await begun(refused);
  void task.progress(Number.NaN);
  expect(await rejection(task.complete('all well'))).toMatchObject({ code: 'REPORT_REFUSED' });
  expect([(await of.snapshot(told)).failure, (await of.snapshot(secret)).failure, (await of.snapshot(refused)).failure]).toMatchObject([
    { code: 'NO_ROUTE', message: 'There is no route.', retryable: true },
    { code: 'HANDLER_FAILED', message: 'The work failed.' },
    { code: 'REPORT_REFUSED' },
  ]);
});

test('a run that leaves ends nothing: the next one goes on', async () => {
  const { of, process, started } = await withWorkers();
  const { reporter, clock } = process();
  const taskId = await of.start('x');
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const task = await workerTask(reporter, { taskId });
  await task.save(1);
  task.leave();
  expect(clock.armed).toEqual([]);
  expect(task.signal.reason).toMatchObject({ why: 'fenced' });
  expect(await rejection(task.complete(null))).toMatchObject({ why: 'fenced' });
  expect((await of.snapshot(taskId)).state).toBe('running');
  const next = await workerTask(reporter, { taskId });
  await next.complete(next.saved ?? null);
  expect((await of.snapshot(taskId)).result).toBe(1);
});

test('with a contract, questions and results are held to it, and what a run asks is its', async () => {
  const { of, process, started } = await withWorkers({ contract: tasks });
  const { clock, ...rest } = process();
  const reporter = createTaskReporter({ store: rest.store, clock, logger: quiet, contract: tasks });
  const [good, bad] = [await of.start('report.build', { month: 'May' }), await of.start('report.build', { month: 'May' })];
  await vi.waitFor(() => expect(started).toHaveLength(2));
  const task = await workerTask(reporter, { taskId: good, taskType: 'report.build' });
  const asked = task.suspend('duplicates', { interaction: { samples: [task.input.month] } });
  await vi.waitFor(async () => expect((await of.snapshot(good)).state).toBe('suspended'));
  clock.advance(100);
  const [open] = (await of.snapshot(good)).suspensions;
  expect(open).toMatchObject({ reasonCode: 'duplicates', allowedActions: ['keep-first', 'custom'] });
  await of.act(good, { clientActionId: 'a', suspendId: open?.suspendId ?? '', actionType: 'custom', payload: { column: ' id ' } });
  const answer = await asked;
  await task.complete({ rows: task.input.rows, kept: answer.actionType === 'custom' ? answer.payload.column : '' });
  expect((await of.snapshot(good)).result).toEqual({ rows: 3, kept: 'id' });

  const wrong = await workerTask(reporter, { taskId: bad, taskType: 'report.build' });
  // A result that the compiler would refuse.
  expect(await rejection(wrong.complete(JSON.parse('{"rows":"many"}') as { rows: number }))).toMatchObject({
    code: 'REQUEST_VALIDATION_ERROR',
  });
  expect((await of.snapshot(bad)).failure).toMatchObject({ code: 'REPORT_REFUSED', message: /result\.rows/ });
});

test('work that began before its start was noted is still asked after, where it can be, and else looked at no more', async () => {
  for (const [standing, wanted] of [
    [() => ({ status: 'ended', end: { type: 'report.completed', payload: { result: 'found out' } } }) as const, 'found out'],
    [undefined, 'reported'],
  ] as const) {
    const memory = memoryStore();
    await memory.open();
    const outside = workerExecutor(standing);
    const reporter = createTaskReporter({ store: faultyStore(memory, { shared: true }), tasks: { inspectMs: 20 } });
    let running: Awaited<ReturnType<typeof workerTask>> | undefined;
    const of = await bridgeOf(
      {
        ...outside.executor,
        // A job may be run before it is said that it is there.
        async start(work) {
          running = await workerTask(reporter, { taskId: work.taskId });
          return { status: 'started' };
        },
      },
      { store: faultyStore(memory, { shared: true }), tasks: { inspectMs: 20 } },
    );
    const taskId = await of.start('x');
    await vi.waitFor(() => expect(running).toBeDefined());
    if (!standing) {
      // Nobody can be asked: the task waits for nothing but its work.
      await vi.waitFor(async () => expect((await memory.load(taskId))?.fields['ledger']).toContain('"retryAt":null'));
      await running?.complete('reported');
    }
    await vi.waitFor(async () => expect((await of.snapshot(taskId)).result).toBe(wanted));
  }
});

test('waits with its reports for a store that is away, and says to whoever begins then that it is to be tried again', async () => {
  const { of, process, started, said } = await withWorkers();
  const { store, clock } = process();
  let isAway = false;
  const away = <A extends unknown[], R>(verb: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> => (isAway ? Promise.reject(new Error('The store is out of reach.')) : verb(...args));
  };
  const distant = {
    ...store,
    now: away(store.now),
    load: away(store.load),
    append: away(store.append),
    sideValues: away(store.sideValues),
  };
  const reporter = createTaskReporter({ store: distant, clock, logger: quiet });
  const taskId = await of.start('x');
  await vi.waitFor(() => expect(started).toHaveLength(1));
  const task = await workerTask(reporter, { taskId });
  // Its time is to be asked for anew.
  clock.advance(60_000);
  await turns();
  isAway = true;
  const message = task.message('Later.');
  await turns();
  expect(await rejection(workerTask(reporter, { taskId }))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  clock.advance(60_000);
  await turns();
  expect(task.signal.aborted).toBe(false);
  isAway = false;
  clock.advance(60_000);
  await message;
  await task.complete(null);
  expect(await said(taskId)).toEqual([
    ['STARTED', ''],
    ['MESSAGE', 'Later.'],
    ['COMPLETED', ''],
  ]);
});

test('gives it parts to write to, over the store that it shares with its host', async () => {
  const workers = await withWorkers();
  const taskId = await workers.of.start('work');
  const task = await workerTask(workers.process().reporter, { taskId });
  const out = task.stream('answer', { kind: 'text', closeAs: 'message' });
  void out.write('Once ');
  void out.write('upon a time');
  void task.progress(50);
  await out.end();
  await task.complete('told');
  expect((await workers.of.facts(taskId)).slice(1).map(({ type, payload }) => [type, payload])).toEqual([
    ['TASK_PART_OPENED', { name: 'answer', kind: 'text' }],
    ['TASK_PROGRESS', { progress: 50 }],
    ['TASK_PART_CLOSED', { part: 2, bytes: 16, outcome: 'DONE', text: 'Once upon a time' }],
    ['TASK_MESSAGE', { message: 'Once upon a time' }],
    ['TASK_COMPLETED', { result: 'told' }],
  ]);
});
