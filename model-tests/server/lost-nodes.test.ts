import { expect, test, vi } from 'vitest';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore, type Memory } from '../../adapters/memory/index.ts';
import type { Clock, Store } from '../../server/index.ts';
import { turns } from '../support/eventually.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';

const LEASE_MS = 6000;
const tasks = { leaseMs: LEASE_MS, reconcileMs: 500, retainedAfterEndMs: 10 * 60 * 60_000 };

/** A store that can be away: nothing is answered then, and what waits is refused when it is back. */
function awayStore(store: Store) {
  let isAway = false;
  const asked = ([name, verb]: [string, unknown]): [string, unknown] => {
    if (typeof verb !== 'function' || name === 'open' || name === 'close' || name === 'tail') return [name, verb];
    // Each verb of a store is a function that resolves.
    const ask = verb as (...args: unknown[]) => Promise<unknown>;
    return [name, (...args: unknown[]) => (isAway ? Promise.reject(new Error('The store is away.')) : ask(...args))];
  };
  // The same verbs, each of which asks first.
  return { store: Object.fromEntries(Object.entries(store).map(asked)) as unknown as Store, setAway: (is: boolean) => (isAway = is) };
}

/** Work that goes on until it is let go. It heeds no signal: it is the store's word that counts. */
function stubborn() {
  let letGo: () => void = () => undefined;
  const open = new Promise<void>((resolve) => (letGo = resolve));
  const attempts: number[] = [];
  const aborted: number[] = [];
  const run: Handler = async (task) => {
    attempts.push(task.attempt);
    task.signal.addEventListener('abort', () => aborted.push(task.attempt));
    await task.progress(1);
    await open;
    return `by attempt ${task.attempt}`;
  };
  return { run, attempts, aborted, letGo: () => letGo() };
}

/** Lets time pass on some clocks, a look at a time. */
async function pass(ms: number, ...clocks: readonly FakeClock[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    for (const clock of clocks) clock.advance(250);
    await turns(8);
  }
}

const stateOf = async (of: RunningBridge, taskId: string) => (await of.snapshot(taskId)).state;

async function nodeOn(memory: Memory, clock: Clock, handlers: Parameters<typeof inProcess>[0], wrap = (store: Store) => store) {
  const logger = { warn: vi.fn(), error: vi.fn() };
  const of = await bridgeOf(inProcess(handlers, { clock, logger }), { store: wrap(memoryStore({ memory, clock })), clock, tasks, logger });
  const said = () => logger.warn.mock.calls.map(([message]) => String(message));
  return { ...of, logger, said };
}

test('a node that stands still is given up after a lease, and what it says afterwards is refused', async () => {
  const [memory, here, there] = [createMemory(), fakeClock(), fakeClock()];
  const [work, other] = [stubborn(), stubborn()];
  const one = await nodeOn(memory, here, { work: { repeatable: true, run: work.run } });
  const two = await nodeOn(memory, there, { work: { repeatable: true, run: other.run } });
  await pass(1000, here, there);
  const taskId = await one.start('work');
  await pass(1000, here, there);
  expect([work.attempts, other.attempts]).toEqual([[1], []]);
  // The time of the first node does not pass: its process was stopped.
  await pass(LEASE_MS - 1000, there);
  expect(other.attempts).toEqual([]);
  await pass(LEASE_MS, there);
  expect(other.attempts).toEqual([2]);
  expect(two.logger.warn).toHaveBeenCalledWith(
    expect.stringContaining('A node is gone'),
    expect.objectContaining({ tasks: 1, taskIds: [taskId], silentMs: expect.any(Number) as number }),
  );
  work.letGo();
  other.letGo();
  await pass(1000, here, there);
  expect((await two.snapshot(taskId)).result).toBe('by attempt 2');
  expect(work.aborted).toEqual([1]);
});

test('a store that is away for many leases ends nothing: what may be repeated begins again, all else goes on', async () => {
  const [memory, clock] = [createMemory(), fakeClock()];
  const switches: ((is: boolean) => void)[] = [];
  const wrap = (store: Store) => {
    const wrapped = awayStore(store);
    switches.push(wrapped.setAway);
    return wrapped.store;
  };
  const [once, again] = [stubborn(), stubborn()];
  const handlers = { once: once.run, again: { repeatable: true, run: again.run } };
  const one = await nodeOn(memory, clock, handlers, wrap);
  const two = await nodeOn(memory, clock, handlers, wrap);
  await pass(1000, clock);
  const ids = [await one.start('once'), await one.start('again')];
  await pass(1000, clock);
  await pass(1000, clock);
  for (const setAway of switches) setAway(true);
  await pass(5 * LEASE_MS, clock);
  expect([once.aborted, again.aborted]).toEqual([[], [1]]);
  expect(one.said()).toContainEqual(expect.stringContaining('The store was silent for longer than a lease'));
  for (const setAway of switches) setAway(false);
  await pass(2 * LEASE_MS, clock);
  expect(one.logger.warn).toHaveBeenCalledWith('The store answers again.', expect.objectContaining({ tasks: 1, taskIds: [ids[1]] }));
  const [, { idleMs }] = one.logger.warn.mock.calls.find(([message]) => message === 'The store answers again.') as [
    string,
    { idleMs: number },
  ];
  expect(idleMs).toBeGreaterThanOrEqual(3 * LEASE_MS);
  // Nobody was taken for gone, and what was stopped began at once, without a rest.
  expect([one.said(), two.said()].flat().filter((message) => message.includes('A node is gone'))).toEqual([]);
  expect([once.attempts, again.attempts]).toEqual([[1], [1, 2]]);
  once.letGo();
  again.letGo();
  await pass(1000, clock);
  expect(await Promise.all(ids.map(async (id) => (await two.snapshot(id)).result))).toEqual(['by attempt 1', 'by attempt 2']);
});

test('a store’s clock that jumps by a day, forth and back, ends nothing', async () => {
  const [memory, clock] = [createMemory(), fakeClock()];
  let skewMs = 0;
  const wrap = (store: Store): Store => ({ ...store, now: async () => clock.now() + skewMs });
  const work = stubborn();
  const one = await nodeOn(memory, clock, { work: work.run }, wrap);
  const two = await nodeOn(memory, clock, { work: work.run }, wrap);
  const taskId = await one.start('work');
  for (const skew of [86_400_000, -86_400_000, 0]) {
    skewMs = skew;
    await pass(2 * LEASE_MS, clock);
    expect(await stateOf(two, taskId)).toBe('running');
  }
  work.letGo();
  await pass(1000, clock);
  expect([work.attempts, await stateOf(two, taskId)]).toEqual([[1], 'completed']);
});

test('the work of a node that is gone is taken over in pages, all of it, and its lease is dropped', async () => {
  const [memory, here, there] = [createMemory(), fakeClock(), fakeClock()];
  const stuck = stubborn();
  const one = await nodeOn(memory, here, { work: { repeatable: true, run: stuck.run } });
  const ids = await Promise.all(Array.from({ length: 250 }, () => one.start('work')));
  await pass(500, here);
  expect(memory.leases.size).toBe(1);
  const two = await nodeOn(memory, there, { work: { repeatable: true, run: async () => 'by the other' } });
  await pass(2 * LEASE_MS, there);
  for (let looks = 0; ![...memory.tasks.values()].every(({ ended }) => ended); looks += 1) {
    expect(looks).toBeLessThan(100);
    await pass(1000, there);
  }
  expect(await Promise.all(ids.slice(0, 3).map((id) => stateOf(two, id)))).toEqual(['completed', 'completed', 'completed']);
  const line = two.logger.warn.mock.calls.find(([message]) => String(message).includes('A node is gone'));
  // A count and no list.
  expect(line?.[1]).toMatchObject({ tasks: 250, failed: 0 });
  expect(line?.[1]).not.toHaveProperty('taskIds');
  expect(memory.leases.size).toBe(1);
  stuck.letGo();
});

test('a node that comes back while its work is taken over keeps what it still has', async () => {
  const [memory, here, there] = [createMemory(), fakeClock(), fakeClock()];
  const work = stubborn();
  const one = await nodeOn(memory, here, { work: { repeatable: true, run: work.run } });
  const ids = await Promise.all(Array.from({ length: 150 }, () => one.start('work')));
  await pass(500, here);
  const [node = '', beat = 0] = [...memory.leases][0] ?? [];
  let given = 0;
  const wrap = (store: Store): Store => ({
    ...store,
    append(commit) {
      // It beats once more in the middle of it.
      if (commit.ifLease && (given += 1) === 20) memory.leases.set(node, beat + 1);
      return store.append(commit);
    },
  });
  const two = await nodeOn(memory, there, {}, wrap);
  await pass(2 * LEASE_MS, there);
  const held = [...memory.tasks.values()].filter(({ plan }) => plan.work && 'heldBy' in plan.work && plan.work.heldBy === node);
  expect(held).toHaveLength(ids.length - 19);
  expect(two.said()).toContainEqual(expect.stringContaining('A node is gone'));
  work.letGo();
});

test('each take-over, loss and retry is told, with how long nobody worked', async () => {
  const [memory, here, there] = [createMemory(), fakeClock(), fakeClock()];
  const [work, other] = [stubborn(), stubborn()];
  const handlers = (run: Handler) => ({ once: run, again: { repeatable: true, run } });
  const one = await nodeOn(memory, here, handlers(work.run));
  const two = await nodeOn(memory, there, handlers(other.run));
  await pass(1000, here, there);
  const [once, again] = [await one.start('once'), await one.start('again')];
  await pass(1000, here, there);
  // Its process stands still.
  await pass(3 * LEASE_MS, there);
  expect(other.attempts).toEqual([2]);
  expect((await two.snapshot(once)).failure).toMatchObject({ code: 'WORK_LOST' });
  const told = (text: string) =>
    two.logger.warn.mock.calls.filter(([message]) => String(message).includes(text)).map(([, fields]) => fields as object);
  const [takeOver] = told('A node is gone');
  expect(takeOver).toMatchObject({ tasks: 2, taskIds: expect.arrayContaining([once, again]) as string[] });
  expect(told('may not be repeated')).toEqual([{ taskId: once, code: 'WORK_LOST', idleMs: expect.any(Number) as number }]);
  expect((takeOver as { readonly silentMs: number }).silentMs).toBeGreaterThanOrEqual(LEASE_MS);
  expect((told('may not be repeated')[0] as { readonly idleMs: number }).idleMs).toBeGreaterThanOrEqual(LEASE_MS);
  const [retry] = told('begins again');
  expect(retry).toMatchObject({ taskId: again, attempt: 2, crashes: 1 });
  expect((retry as { readonly idleMs: number }).idleMs).toBeGreaterThanOrEqual(1000);
  for (const each of [work, other]) each.letGo();
});
