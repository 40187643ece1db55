import { expect, onTestFinished, test, vi } from 'vitest';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import type { Store, TaskExecutor } from '../../server/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';
import { faultyStore } from './faulty-store.ts';

const forever = (): Promise<never> => new Promise(() => undefined);
const typesOf = async (of: RunningBridge, taskId: string) => (await of.facts(taskId)).map(({ type }) => type.replace('TASK_', ''));
const waitForState = (of: RunningBridge, taskId: string, state: string) =>
  vi.waitFor(async () => expect((await of.snapshot(taskId)).state).toBe(state));

/** A store that outlives the bridges that close it. */
async function lasting(): Promise<Store> {
  const store = memoryStore();
  await store.open();
  return { ...store, close: () => Promise.resolve() };
}

/** Asks for a start, and never says what became of it; its runs live as long as their node. */
const silent = (started: (taskId: string) => void): TaskExecutor => ({
  name: 'silent',
  leased: true,
  handles: () => true,
  repeatable: () => false,
  start: ({ taskId }) => {
    started(taskId);
    return Promise.resolve({ status: 'started' });
  },
  resume: () => Promise.resolve(),
  cancel: () => Promise.resolve(),
});

test('work that waited while its node closed is done by the next one, though it may not be repeated', async () => {
  const store = await lasting();
  const runs: unknown[] = [];
  const handler: Handler = ({ input }) => {
    runs.push(input['n']);
    return input['n'] === 1 ? forever() : Promise.resolve('done');
  };
  const one = await bridgeOf(inProcess({ work: handler }, { concurrencyMax: 1 }), { store });
  const first = await one.start('work', { n: 1 });
  const second = await one.start('work', { n: 2 });
  await waitForState(one, first, 'running');
  await one.close();
  const two = await bridgeOf(inProcess({ work: handler }, { concurrencyMax: 1 }), { store });
  await waitForState(two, second, 'completed');
  expect(await typesOf(two, second)).toEqual(['STARTED', 'COMPLETED']);
  expect((await two.snapshot(first)).failure).toMatchObject({ code: 'WORK_LOST', retryable: true });
  expect(runs).toEqual([1, 2]);
});

test('work that a node had claimed and not begun when it died is done by the next one', async () => {
  const memory = await lasting();
  const first = faultyStore(memory);
  const started: string[] = [];
  const one = await bridgeOf(
    silent((taskId) => started.push(taskId)),
    { store: first },
  );
  const taskId = await one.start('work');
  expect(started).toEqual([taskId]);
  first.kill();
  const two = await bridgeOf(inProcess({ work: () => Promise.resolve('done') }), { store: faultyStore(memory) });
  await waitForState(two, taskId, 'completed');
  expect(await typesOf(two, taskId)).toEqual(['STARTED', 'COMPLETED']);
  // No handler had it: the crash is none of its own.
  expect(JSON.parse((await memory.load(taskId))?.fields['ledger'] ?? '')).toMatchObject({ context: { attempt: 2, crashes: 0 } });
});

test('work that a node had claimed and not begun when it closed is put back, with no word to anybody', async () => {
  const store = await lasting();
  const one = await bridgeOf(
    silent(() => undefined),
    { store },
  );
  const taskId = await one.start('work');
  await one.close();
  const two = await bridgeOf(inProcess({ work: () => Promise.resolve('done') }), { store });
  await waitForState(two, taskId, 'completed');
  expect(await typesOf(two, taskId)).toEqual(['STARTED', 'COMPLETED']);
});

test('no handler begins before it is written that it does', async () => {
  const memory = await lasting();
  let letWrite: () => void = () => undefined;
  const written = new Promise<void>((resolve) => (letWrite = resolve));
  let asked = 0;
  const store: Store = {
    ...memory,
    async append(commit) {
      if (commit.facts.length > 0) {
        asked += 1;
        await written;
      }
      return memory.append(commit);
    },
  };
  const handler = vi.fn(() => Promise.resolve('done'));
  const of = await bridgeOf(inProcess({ work: handler }), { store });
  const taskId = of.start('work');
  await vi.waitFor(() => expect(asked).toBe(1));
  await quiesce();
  expect(handler).not.toHaveBeenCalled();
  letWrite();
  await waitForState(of, await taskId, 'completed');
  expect(handler).toHaveBeenCalledTimes(1);
});

test('queues nothing in the process: what there is no room for waits in the store, for any node', async () => {
  const memory = createMemory();
  const storeOf = () => memoryStore({ memory });
  const gates: (() => void)[] = [];
  const started = vi.fn();
  const busy = inProcess({ work: () => new Promise<void>((resolve) => gates.push(resolve)) }, { concurrencyMax: 1 });
  const one = await bridgeOf({ ...busy, start: (work) => (started(work.taskId), busy.start(work)) }, { store: storeOf() });
  const creates = await Promise.all(Array.from({ length: 5 }, () => one.start('work')));
  await vi.waitFor(() => expect(gates).toHaveLength(1));
  // However many came in one turn.
  expect(started).toHaveBeenCalledTimes(1);
  expect(busy.room?.()).toBe(0);
  const two = await bridgeOf(inProcess({ work: () => Promise.resolve('by another') }), { store: storeOf() });
  const [here] = started.mock.calls[0] as [string];
  for (const taskId of creates) if (taskId !== here) await waitForState(two, taskId, 'completed');
  gates[0]?.();
  await waitForState(one, here, 'completed');
});

test('a node whose loop was blocked for longer than a lease goes on with its own work', async () => {
  const clock = fakeClock();
  let finish: (result: string) => void = () => undefined;
  const of = await bridgeOf(inProcess({ work: () => new Promise<string>((resolve) => (finish = resolve)) }), {
    clock,
    store: memoryStore({ memory: createMemory(), clock }),
    tasks: { leaseMs: 1500, reconcileMs: 200 },
  });
  const taskId = await of.start('work');
  await waitForState(of, taskId, 'running');
  for (let looks = 0; looks < 10; looks++) {
    // All timers ring late, at once.
    clock.advance(4000);
    await quiesce();
  }
  finish('alive all the time');
  await waitForState(of, taskId, 'completed');
  expect((await of.snapshot(taskId)).result).toBe('alive all the time');
});

test('an outside system that does not answer keeps no deadline from passing', async () => {
  const clock = fakeClock();
  const inspected: string[] = [];
  let hangUp: () => void = () => undefined;
  const silence = new Promise<never>((_, reject) => (hangUp = () => reject(new Error('The line is dead.'))));
  silence.catch(() => undefined);
  const outside: TaskExecutor = {
    name: 'outside',
    leased: false,
    handles: (taskType) => taskType === 'outside',
    repeatable: () => true,
    start: () => Promise.resolve({ status: 'started' }),
    resume: () => silence,
    cancel: () => silence,
    inspect: ({ taskId }) => {
      inspected.push(taskId);
      return silence;
    },
  };
  const ask: Handler = async (task) => {
    const question = { reasonCode: 'Q', allowedActions: ['ok'], expiresInMs: 1000 };
    return task.suspend('q', question).then(
      () => 'answered',
      (error: unknown) => (error as { code: string }).code,
    );
  };
  const of = await bridgeOf([outside, inProcess({ ask })], {
    clock,
    store: memoryStore({ clock }),
    tasks: { reconcileMs: 200, inspectMs: 1000, executorCallsMax: 4 },
  });
  // Nobody waits for it when this is over.
  onTestFinished(() => hangUp());
  await Promise.all(Array.from({ length: 150 }, () => of.start('outside')));
  clock.advance(1000);
  await vi.waitFor(() => expect(inspected.length).toBeGreaterThanOrEqual(4));
  await quiesce();
  // So many at once, however many are due.
  expect(inspected).toHaveLength(4);
  // Somebody waits for a start: it stands behind none of them.
  await of.start('outside');
  const taskId = await of.start('ask');
  await waitForState(of, taskId, 'suspended');
  // A second after it was asked, and no answer has come or been given up meanwhile.
  for (let passed = 0; passed < 1200; passed += 200) {
    clock.advance(200);
    await quiesce();
  }
  await waitForState(of, taskId, 'completed');
  expect((await of.snapshot(taskId)).result).toBe('SUSPENSION_EXPIRED');
  expect(inspected).toHaveLength(4);
});

test('work that began though nobody said that it was started runs on', async () => {
  const handler = vi.fn(() => Promise.resolve('done'));
  const executor = inProcess({ work: handler });
  const ended = vi.fn();
  const of = await bridgeOf({
    ...executor,
    async start(work) {
      const begun = new Promise<void>((resolve) => {
        void executor.start({
          ...work,
          report: async (report) => {
            const outcome = await work.report(report);
            if (report.intents.some(({ type }) => type === 'report.started')) resolve();
            else ended();
            return outcome;
          },
        });
      });
      await begun;
      throw new Error('The reply was lost.');
    },
  });
  const taskId = await of.start('work');
  await waitForState(of, taskId, 'completed');
  expect(await typesOf(of, taskId)).toEqual(['STARTED', 'COMPLETED']);
  expect(handler).toHaveBeenCalledTimes(1);
  expect(ended).toHaveBeenCalledTimes(1);
});
