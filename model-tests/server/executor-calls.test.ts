import { expect, test } from 'vitest';
import { memoryStore } from '../../adapters/memory/index.ts';
import { inProcess } from '../../adapters/in-process/index.ts';
import { ExecutorCalls } from '../../server/attempt/executor-calls.ts';
import type { TaskExecutor } from '../../server/index.ts';
import { eventually, turns } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { bridgeOf } from './bridge-of.ts';

const hang = (): Promise<never> => new Promise(() => undefined);

/** An outside system that takes work, and then does not answer any more. */
const mute = (): TaskExecutor & { readonly asked: () => number } => {
  let asked = 0;
  return {
    name: 'mute',
    leased: false,
    types: ['out'],
    handles: (taskType) => taskType === 'out',
    repeatable: () => true,
    start: () => Promise.resolve({ status: 'started' }),
    resume: hang,
    cancel: hang,
    inspect() {
      asked += 1;
      return hang();
    },
    asked: () => asked,
  };
};

test('calls one executor so often at once, the others in turn, and gives up what has no answer in time', async () => {
  const clock = fakeClock();
  const calls = new ExecutorCalls({ clock, callsMax: 2, timeoutMs: 1000 });
  const executor = mute();
  const asked: number[] = [];
  const ends = Array.from({ length: 5 }, (_, i) =>
    calls
      .call(executor, () => {
        asked.push(i);
        return hang();
      })
      .catch((error: Error) => error.message),
  );
  await turns(2);
  expect([asked, calls.pending, calls.free(executor)]).toEqual([[0, 1], 5, 0]);
  clock.advance(1000);
  await turns(2);
  expect(asked).toEqual([0, 1, 2, 3]);
  calls.close();
  expect(await ends[4]).toBe('The executor mute was not asked: this server is closing.');
  clock.advance(1000);
  expect(await Promise.all(ends.slice(0, 4))).toEqual([
    ...Array.from({ length: 2 }, () => 'No answer within 1000 milliseconds.'),
    ...Array.from({ length: 2 }, () => 'An executor has not answered: this server is closing.'),
  ]);
  expect(calls.pending).toBe(0);
});

test('keeps the deadline of a question while 300 tasks of a system that does not answer are asked after', async () => {
  const clock = fakeClock();
  const executor = mute();
  const tasks = { inspectMs: 1000, executorTimeoutMs: 10_000 };
  const asking = inProcess(
    {
      ask: async (task) => {
        await task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'], expiresInMs: 1000 }).catch(() => undefined);
        return 'expired';
      },
    },
    { clock },
  );
  const of = await bridgeOf([executor, asking], { clock, store: memoryStore({ clock }), tasks });
  await Promise.all(Array.from({ length: 300 }, () => of.start('out')));
  for (let looks = 0; executor.asked() < 64; looks += 1) {
    expect(looks).toBeLessThan(20);
    clock.advance(500);
    await turns(20);
  }
  const begun = clock.now();
  const taskId = await of.start('ask');
  await eventually(async () => (await of.snapshot(taskId)).state === 'suspended');
  for (let looks = 0; (await of.snapshot(taskId)).state !== 'completed'; looks += 1) {
    expect(looks).toBeLessThan(20);
    clock.advance(500);
    await turns(20);
  }
  // Its second, and the two looks that follow it: none waited for the 64 questions that hang.
  expect(clock.now() - begun).toBeLessThan(5000);
  expect(executor.asked()).toBe(64);
  // What hangs is given up: the bridge closes.
  const closing = of.bridge.close();
  for (let waits = 0; waits < 20; waits += 1) {
    clock.advance(1000);
    await turns(20);
  }
  await closing;
});

/** An outside system whose tasks ask at once, for two seconds, and then answers nothing any more. */
const asksThenMute = (): TaskExecutor => ({
  ...mute(),
  async start(work) {
    const kind = 'USER_ACTION_REQUIRED' as const;
    const question = { suspendId: 's', kind, schemaVersion: 1, reasonCode: 'Q', allowedActions: ['ok'] };
    const expiresAt = new Date(work.now() + 2000).toISOString();
    await work.report({ source: 'main', seq: 1, intents: [{ type: 'report.suspended', payload: { ...question, expiresAt } }] });
    return { status: 'started' };
  },
});

test('keeps the deadline of a question whose own task is asked after by a call that hangs', async () => {
  const clock = fakeClock();
  const of = await bridgeOf(asksThenMute(), { clock, store: memoryStore({ clock }), tasks: { inspectMs: 500, executorTimeoutMs: 10_000 } });
  const taskId = await of.start('out');
  const begun = clock.now();
  for (let looks = 0; (await of.snapshot(taskId)).state === 'suspended'; looks += 1) {
    expect(looks).toBeLessThan(12);
    clock.advance(250);
    await turns(20);
  }
  expect(clock.now() - begun).toBeLessThan(3500);
  // Nor does a close wait for it.
  let isClosed = false;
  const closing = of.bridge.close({ drainMs: 0 }).then(() => (isClosed = true));
  for (let passed = 0; passed < 3000; passed += 250) {
    clock.advance(250);
    await turns(20);
  }
  expect(isClosed).toBe(true);
  await closing;
});

test('ends and removes a task in time though every call for it hangs', async () => {
  const clock = fakeClock();
  const tasks = { cancelGraceMs: 1000, retainedAfterEndMs: 2000, inspectMs: 500, executorTimeoutMs: 60_000 };
  const of = await bridgeOf(mute(), { clock, store: memoryStore({ clock }), tasks });
  const taskId = await of.start('out');
  await of.cancel(taskId);
  const until = async (limitMs: number, holds: () => Promise<boolean>): Promise<void> => {
    for (const begun = clock.now(); !(await holds());) {
      expect(clock.now() - begun).toBeLessThan(limitMs);
      clock.advance(250);
      await turns(20);
    }
  };
  await until(3000, async () => (await of.snapshot(taskId)).state === 'cancelled');
  const isGone = () =>
    of.snapshot(taskId).then(
      () => false,
      ({ code }: { readonly code?: unknown }) => code === 'TASK_NOT_FOUND',
    );
  await until(5000, isGone);
  const closing = of.bridge.close({ drainMs: 0 });
  for (let passed = 0; passed < 4000; passed += 250) {
    clock.advance(250);
    await turns(20);
  }
  await closing;
});

test('answers a create once it is written, whether or not the executor answers', async () => {
  const clock = fakeClock();
  const of = await bridgeOf({ ...mute(), start: hang }, { clock, store: memoryStore({ clock }), tasks: { executorTimeoutMs: 10_000 } });
  let taskId: string | undefined;
  const creating = of.start('out').then((id) => (taskId = id));
  for (let waits = 0; taskId === undefined; waits += 1) {
    expect(waits).toBeLessThan(20);
    clock.advance(waits > 5 ? 500 : 0);
    await turns(20);
  }
  await creating;
  expect(clock.now()).toBeLessThan(fakeClock().now() + 9000);
  let isClosed = false;
  const closing = of.bridge.close({ drainMs: 0 }).then(() => (isClosed = true));
  for (let passed = 0; passed < 4000; passed += 250) {
    clock.advance(250);
    await turns(20);
  }
  expect(isClosed).toBe(true);
  await closing;
});

test('gives executors a moment for what they were asked when the server closes, and for what they are asked then', async () => {
  const clock = fakeClock();
  const calls = new ExecutorCalls({ clock, callsMax: 2, timeoutMs: 10_000 });
  const executor = mute();
  const told: string[] = [];
  const call = (): unknown => calls.call(executor, hang).catch((error: Error) => told.push(error.message));
  call();
  calls.close();
  call();
  clock.advance(999);
  await turns(2);
  expect(told).toEqual([]);
  clock.advance(1);
  await turns(2);
  expect(told).toHaveLength(2);
});
