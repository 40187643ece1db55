import { expect, test, vi } from 'vitest';
import { inProcess, type Handler, type Task } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { Store } from '../../server/index.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';
import { faultyStore } from './faulty-store.ts';

const forever = (): Promise<never> => new Promise(() => undefined);
const tasks = { reconcileMs: 200, leaseMs: 1500 };

/** One store after whose nodes' deaths others start on it, as PM2 or systemd would. */
async function host(handler: Handler, options: { readonly crashesMax?: number } = {}) {
  const clock = fakeClock();
  const memory = memoryStore({ clock });
  await memory.open();
  const store: Store = { ...memory, close: () => Promise.resolve() };
  const warned: [message: string, fields: { readonly idleMs: number }][] = [];
  return {
    clock,
    /** What all nodes warned of. */
    warned,
    store,
    async node() {
      const mortal = faultyStore(store);
      const logger = { warn: (...told: unknown[]) => void warned.push(told as (typeof warned)[number]), error: vi.fn() };
      const of = await bridgeOf(inProcess({ work: { repeatable: true, run: handler } }, { logger }), {
        clock,
        store: mortal,
        logger,
        tasks: { ...tasks, ...options },
      });
      return { ...of, die: mortal.kill, logger };
    },
    recordOf: async (taskId: string) =>
      JSON.parse((await store.load(taskId))?.fields['ledger'] ?? '') as { value: unknown; context: { crashes: number; attempt: number } },
  };
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += tasks.reconcileMs) {
    clock.advance(tasks.reconcileMs);
    await quiesce();
  }
}

const state = async (of: RunningBridge, taskId: string): Promise<string> => (await of.snapshot(taskId)).state;

test('work that ends its process every time it runs fails in the end, with the count, and rests between', async () => {
  const restsFrom = [1000, 2000, 4000, 8000];
  const runs: { readonly attempt: number; readonly at: number }[] = [];
  const { clock, node, recordOf, warned } = await host(({ attempt }) => {
    runs.push({ attempt, at: clock.now() });
    return forever();
  });
  let of = await node();
  const taskId = await of.start('work');
  for (let crashes = 1; crashes <= 5; crashes++) {
    await vi.waitFor(() => expect(runs).toHaveLength(crashes));
    of.die();
    of = await node();
    await pass(clock, 20_000);
  }
  expect(await state(of, taskId)).toBe('failed');
  expect((await of.snapshot(taskId)).failure).toMatchObject({
    code: 'WORK_LOST',
    retryable: true,
    message: expect.stringContaining('5 times') as string,
  });
  expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
  expect((await recordOf(taskId)).context.crashes).toBe(5);
  // Each time somebody was told, with how long nobody had worked.
  const told = warned.flatMap(([message, fields]) => (message.startsWith('Work whose process crashed') ? [fields] : []));
  expect(told).toMatchObject([1, 2, 3, 4].map((crashes) => ({ taskId, crashes, attempt: crashes + 1 })));
  told.forEach(({ idleMs }, i) => expect(idleMs).toBeGreaterThanOrEqual(restsFrom[i] ?? 0));
  runs.slice(1).forEach(({ at }, i) => expect(at - (runs[i]?.at ?? 0)).toBeGreaterThanOrEqual(restsFrom[i] ?? 0));
});

test('a close is no crash, however often', async () => {
  let runs = 0;
  const { clock, node, recordOf } = await host(() => {
    runs += 1;
    return forever();
  });
  let of = await node();
  const taskId = await of.start('work');
  for (let closes = 1; closes <= 7; closes++) {
    await vi.waitFor(() => expect(runs).toBe(closes));
    await of.close();
    of = await node();
    await pass(clock, 400);
  }
  await vi.waitFor(() => expect(runs).toBe(8));
  expect(await state(of, taskId)).toBe('running');
  expect((await recordOf(taskId)).context.crashes).toBe(0);
});

test.each<[string, (task: Task) => Promise<unknown>, number]>([
  ['saves what no run had saved begins to count anew', (task) => task.save(task.attempt), 0],
  ['saves what the last run had saved counts on', (task) => task.save('here'), 3],
  ['says something counts on', (task) => task.message('again'), 3],
])('work that %s', async (_what, say, crashes) => {
  const said: number[] = [];
  const { clock, node, recordOf } = await host(
    async (task) => {
      await say(task);
      said.push(task.attempt);
      return forever();
    },
    { crashesMax: 10 },
  );
  let of = await node();
  const taskId = await of.start('work');
  for (let dies = 1; dies <= 3; dies++) {
    await vi.waitFor(() => expect(said).toHaveLength(dies));
    of.die();
    of = await node();
    await pass(clock, 10_000);
  }
  await vi.waitFor(() => expect(said).toHaveLength(4));
  of.die();
  // Of the last run nobody knows yet that it is lost.
  expect((await recordOf(taskId)).context.crashes).toBe(crashes);
});

test('after a crash those that ran begin one at a time, and work that is not suspected beside them', async () => {
  const begun: string[] = [];
  let isSecondHost = false;
  const gates = new Map<string, () => void>();
  const { clock, node } = await host(async (task) => {
    const name = task.input['n'] as string;
    begun.push(name);
    if (!isSecondHost) return forever();
    await new Promise<void>((resolve) => gates.set(name, resolve));
    return 'done';
  });
  const one = await node();
  const ids = [await one.start('work', { n: 'a' }), await one.start('work', { n: 'b' }), await one.start('work', { n: 'c' })];
  await vi.waitFor(() => expect(begun).toHaveLength(3));
  one.die();
  isSecondHost = true;
  begun.length = 0;
  const two = await node();
  // Beyond its rest; within a lease, so that nobody's time to prove himself is over.
  await pass(clock, 1400);
  await vi.waitFor(() => expect(begun).toHaveLength(1));
  const fresh = await two.start('work', { n: 'new' });
  await vi.waitFor(() => expect(gates.has('new')).toBe(true));
  expect(begun).toHaveLength(2);
  gates.get('new')?.();
  await vi.waitFor(async () => expect(await state(two, fresh)).toBe('completed'));
  for (let ended = 0; ended < 3; ended++) {
    const [name, end] = [...gates].find(([each]) => each !== 'new') ?? [];
    end?.();
    gates.delete(name ?? '');
    await vi.waitFor(async () => {
      await pass(clock, 200);
      expect(begun).toHaveLength(Math.min(4, ended + 3));
    });
  }
  for (const taskId of ids) await vi.waitFor(async () => expect(await state(two, taskId)).toBe('completed'));
});
