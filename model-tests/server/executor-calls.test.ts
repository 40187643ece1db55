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
  expect(await Promise.all(ends.slice(0, 4))).toEqual(Array.from({ length: 4 }, () => 'No answer within 1000 milliseconds.'));
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
