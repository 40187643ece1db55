import { expect, test, vi } from 'vitest';
import { inProcess, type Handler, type Task } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';

const ended = (of: RunningBridge, taskId: string) =>
  vi.waitFor(async () => {
    const snapshot = await of.snapshot(taskId);
    expect(['completed', 'failed', 'cancelled']).toContain(snapshot.state);
    return snapshot;
  });

const run = async (handler: Handler, options: Parameters<typeof bridgeOf>[1] = {}) => {
  const of = await bridgeOf(inProcess({ work: handler }), options);
  const taskId = await of.start('work', { n: 1 });
  return { of, taskId };
};

test('gives a handler its input, and completes the task with its result', async () => {
  const { of, taskId } = await run((task) => Promise.resolve({ got: task.input, attempt: task.attempt, saved: task.saved ?? 'nothing' }));
  expect((await ended(of, taskId)).result).toEqual({ got: { n: 1 }, attempt: 1, saved: 'nothing' });
});

test('refuses a report that breaks its schema before anything is written, and lets the handler go on', async () => {
  const { of, taskId } = await run(async (task) => {
    const refusal = await task.progress(150).catch((error: unknown) => (error as Error).message);
    await task.progress(50);
    return refusal as string;
  });
  const { result } = await ended(of, taskId);
  expect(result).toMatch(/TASK_PROGRESS was not written: payload\.progress/);
  expect((await of.facts(taskId)).map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_PROGRESS', 'TASK_COMPLETED']);
});

test('fails a task whose result is larger than a fact may be', async () => {
  const { of, taskId } = await run(() => Promise.resolve('x'.repeat(2000)), { tasks: { factBytesMax: 1000 } });
  expect((await ended(of, taskId)).failure).toMatchObject({ code: 'REPORT_REFUSED', retryable: false });
});

test('survives a handler that awaits none of its reports, even refused ones', async () => {
  const { of, taskId } = await run((task) => {
    for (let i = 0; i < 500; i++) void task.progress(i / 5);
    void task.progress(-1);
    return Promise.resolve();
  });
  expect((await ended(of, taskId)).state).toBe('completed');
  // All of one turn is one report: the one that was wrong refuses the others too, and the end still comes.
  expect((await of.facts(taskId)).map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_COMPLETED']);
});

test('asks at most 16 questions at once', async () => {
  const { of, taskId } = await run(async (task) => {
    const questions = Array.from({ length: 17 }, (_, i) => task.suspend(`q${i}`, { reasonCode: 'Q', allowedActions: ['ok'] }));
    questions.forEach((question) => void question.catch(() => undefined));
    return questions[16]?.then(
      () => 'asked',
      (error: unknown) => (error as { code: string }).code,
    ) as Promise<string>;
  });
  expect(await ended(of, taskId)).toMatchObject({ result: 'TOO_MANY_OPEN_SUSPENSIONS', suspensions: [] });
  const facts = await of.facts(taskId);
  expect(facts.filter(({ type }) => type === 'TASK_SUSPENDED')).toHaveLength(16);
  expect(facts.filter(({ type }) => type === 'TASK_SUSPENSION_CLOSED')).toHaveLength(16);
  expect(facts.at(-1)?.type).toBe('TASK_COMPLETED');
});

test('lets work wait in a queue beyond its concurrency, where a cancel ends it at once', async () => {
  const waiting: (() => void)[] = [];
  const order: number[] = [];
  const handler = async (task: Task) => {
    order.push(Number(task.input.n));
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const of = await bridgeOf(inProcess({ work: handler }, { concurrencyMax: 1 }));
  const [one = '', two = '', three = ''] = [
    await of.start('work', { n: 1 }),
    await of.start('work', { n: 2 }),
    await of.start('work', { n: 3 }),
  ];
  expect((await of.snapshot(two)).state).toBe('accepted');
  await of.cancel(two);
  expect((await of.snapshot(two)).state).toBe('cancelled');
  await vi.waitFor(() => expect(waiting).toHaveLength(1));
  waiting.pop()?.();
  await vi.waitFor(() => expect(waiting).toHaveLength(1));
  waiting.pop()?.();
  expect((await ended(of, three)).state).toBe('completed');
  expect((await ended(of, one)).state).toBe('completed');
  expect(order).toEqual([1, 3]);
});

test('withdraws open questions when the task is cancelled, and tells the handler', async () => {
  let told: unknown;
  const { of, taskId } = await run(async (task) => {
    told = await task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] }).catch((error: unknown) => (error as { code: string }).code);
  });
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('suspended'));
  await of.cancel(taskId, 'changed my mind');
  await vi.waitFor(() => expect(told).toBe('TASK_STOPPED'));
  const facts = await of.facts(taskId);
  expect(facts.slice(2).map(({ type, payload }) => [type, payload])).toEqual([
    ['TASK_SUSPENSION_CLOSED', { suspendId: facts[1]?.type === 'TASK_SUSPENDED' ? facts[1].payload.suspendId : '', outcome: 'CANCELLED' }],
    ['TASK_CANCELLED', { reason: 'changed my mind' }],
  ]);
});

test('tells a handler why it has to stop', async () => {
  let reason: unknown;
  const { of, taskId } = await run(async (task) => {
    await new Promise((resolve) => task.signal.addEventListener('abort', resolve));
    reason = task.signal.reason;
  });
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('running'));
  await of.cancel(taskId, 'enough');
  await vi.waitFor(() => expect(reason).toMatchObject({ why: 'cancel', code: 'TASK_STOPPED', message: 'enough' }));
});

test('lets running work finish while the bridge closes, as long as it may', async () => {
  let finish: (value: string) => void = () => undefined;
  // Read after the bridge has closed it.
  const store = { ...memoryStore(), close: () => Promise.resolve() };
  const { of, taskId } = await run(() => new Promise<string>((resolve) => (finish = resolve)), { store });
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe('running'));
  const closing = of.bridge.close({ drainMs: 60_000 });
  finish('in time');
  await closing;
  expect((await of.facts(taskId)).at(-1)).toMatchObject({ type: 'TASK_COMPLETED', payload: { result: 'in time' } });
});
