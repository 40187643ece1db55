import { expect, test, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore, type Memory } from '../../adapters/memory/index.ts';
import { systemClock, type Store, type StartOutcome, type TaskExecutor } from '../../server/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { bridgeOf } from './bridge-of.ts';

/** A node's own store on a memory that several share. */
async function storeOn(memory: Memory, clock = systemClock): Promise<Store> {
  const store = memoryStore({ memory, clock });
  await store.open();
  return store;
}

test('starts a task at once whose create was written although its reply was lost', async () => {
  const store = await storeOn(createMemory());
  let lost = 0;
  const lossy: Store = {
    ...store,
    async create(task) {
      const created = await store.create(task);
      if (lost++ === 0) throw new Error('The reply was lost.');
      return created;
    },
  };
  const node = await bridgeOf(inProcess({ work: async () => 'done' }), { store: lossy });
  const created = await node.create({ clientRequestId: 'one', taskType: 'work' });
  expect(created.deduplicated).toBe(false);
  await vi.waitFor(async () => expect((await node.snapshot(created.taskId)).state).toBe('completed'));
});

test('takes nothing that a node says of an attempt that another one has replaced', async () => {
  const memory = createMemory();
  const starts: ((outcome: StartOutcome) => void)[] = [];
  const slow: TaskExecutor = {
    name: 'slow',
    leased: false,
    handles: () => true,
    repeatable: () => true,
    start: () => new Promise((resolve) => starts.push(resolve)),
    resume: () => Promise.resolve(),
    cancel: () => Promise.resolve(),
  };
  const ledgers = () => [...memory.tasks.values()].map(({ fields }) => fields.get('ledger'));
  // A time that passes look by look: on one of its own the work of the second node would be lost in its turn wherever that was late.
  const clock = fakeClock();
  const tasks = { reconcileMs: 20, leaseMs: 60 };
  // It neither renews nor looks, and does not know: as a process that was stopped.
  const stopped: Store = {
    ...(await storeOn(memory, clock)),
    renew: async () => [{ bucket: '', outcome: 'renewed' }],
    take: async () => ({ due: [], ready: [] }),
  };
  const one = await bridgeOf(slow, { store: stopped, clock, tasks });
  const creating = one.create({ clientRequestId: 'one', taskType: 'work' });
  await vi.waitFor(() => expect(starts).toHaveLength(1));
  await bridgeOf(slow, { store: await storeOn(memory, clock), clock, tasks });
  while (starts.length < 2) {
    clock.advance(tasks.reconcileMs);
    await quiesce();
  }
  const claimed = ledgers();
  expect(JSON.parse(claimed[0] ?? '')).toMatchObject({ context: { attempt: 2 } });
  starts[0]?.({ status: 'started' });
  await creating;
  expect(ledgers()).toEqual(claimed);
  for (const start of starts) start({ status: 'started' });
});

test('goes by the store’s time again soon after its own clock was set back', async () => {
  let skewMs = 0;
  const clock = {
    now: () => Date.now() + skewMs,
    setTimeout: (fn: () => void, ms: number) => setTimeout(fn, ms),
    clearTimeout: (id: unknown) => clearTimeout(id as NodeJS.Timeout),
  };
  const store = await storeOn(createMemory());
  const askTime = vi.spyOn(store, 'now');
  const node = await bridgeOf(inProcess({ work: async () => 'done' }), { store, clock });
  // At the start, and in the first turn of the reconciler.
  await vi.waitFor(() => expect(askTime.mock.calls.length).toBeGreaterThan(1));
  skewMs = -3_600_000;
  await vi.waitFor(async () => {
    const taskId = await node.start('work');
    const [first] = await node.facts(taskId);
    expect(Math.abs(Date.parse(first?.createdAt ?? '') - Date.now())).toBeLessThan(60_000);
  });
});
