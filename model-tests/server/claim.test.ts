import { describe, expect, test, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { emptyAggregate } from '../../machines/index.ts';
import { claimWork, startWork } from '../../server/attempt/claim-and-start.ts';
import type { AttemptEvent } from '../../server/attempt/attempt.machine.ts';
import { attemptState, emptyExecutionRecord } from '../../server/attempt/execution-record.ts';
import { expireLease } from '../../server/attempt/lease.ts';
import { stopStaleRun } from '../../server/attempt/notifying.ts';
import type { ReconcileDeps } from '../../server/attempt/reconcile-step.ts';
import { RunningAttempts } from '../../server/attempt/running-attempts.ts';
import { Rooms } from '../../server/attempt/rooms.ts';
import { StopOrders } from '../../server/attempt/stop-orders.ts';
import { SuspectTurn } from '../../server/attempt/suspects.ts';
import { systemChance, systemClock } from '../../server/index.ts';
import { ShareBook } from '../../server/shares/share-book.ts';
import { CommandProcessor } from '../../server/task/command-processor.ts';
import { taskSettings } from '../../server/task/settings.ts';
import { storeClock } from '../../server/task/store-clock.ts';
import { initialFields } from '../../server/task/task-record.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { emptyTally } from '../../server/attempt/reconcile-counts.ts';

const taskId = 'ab'.repeat(16);
const claimed = (node: string, startBy = 1): AttemptEvent => ({ type: 'attempt.claimed', node, startBy });
const started: AttemptEvent = { type: 'attempt.started', keptOutside: false, retryAt: null };
const begun: AttemptEvent = { type: 'attempt.begun' };
const lost = (crashed: boolean, retryAt = 0): AttemptEvent => ({ type: 'attempt.lost', crashed, retryAt, restUntil: retryAt });

/** One task, and what steps work with on a node of the name `here`. */
async function stage({ repeatable, ledger }: { readonly repeatable: boolean; readonly ledger?: string }) {
  const store = memoryStore({ memory: createMemory() });
  await store.open();
  const settings = taskSettings({});
  const time = storeClock(store, systemClock);
  const logger = { warn: vi.fn(), error: () => undefined };
  const processor = new CommandProcessor({ store, clock: systemClock, time, chance: systemChance, logger, settings });
  const about = { taskId, taskType: 'work', clientRequestId: 'r', owner: 'ada', contentHash: 'c', requestKey: 'ab', createdAt: 0 };
  const fields = { ...initialFields(about, emptyAggregate, emptyExecutionRecord), ...(ledger !== undefined && { ledger }) };
  const ids = { taskId, requestKey: 'ab', owner: 'ada', taskType: 'work' };
  const owned = { state: 'accepted', adds: {}, sharesMax: {} };
  await processor.create({ ...ids, fields, sideValues: {}, plan: { wakeAt: null, work: null }, ...owned });
  const shares = new ShareBook({ store, logger, settings });
  const executor = inProcess({ work: { repeatable, run: () => Promise.resolve() } });
  const executors = [{ ...executor, start: vi.fn(executor.start), cancel: vi.fn(executor.cancel) }] as const;
  // What these steps work with, of all that steps do.
  const rooms = new Rooms({ executors, isDraining: () => false });
  const suspects = new SuspectTurn({
    clock: systemClock,
    crashesMax: 5,
    onTurn: () => Promise.resolve(),
    onWatched: () => Promise.resolve(),
  });
  const ignore = () => undefined;
  const running = new RunningAttempts({
    clock: systemClock,
    listen: () => ignore,
    settled: () => undefined,
    onCommit: ignore,
    onReleased: ignore,
  });
  const call: ReconcileDeps['call'] = (_, ask) => ask();
  const clock = fakeClock();
  const stops = new StopOrders({ executors, call, clock, logger, settings });
  const content = JSON.stringify({ input: {}, metadata: {}, attachments: [] });
  const contracts = { typeOf: () => undefined, names: () => [] };
  const some = {
    stops,
    content,
    contracts,
    processor,
    store,
    time,
    settings,
    logger,
    nodeId: 'here',
    executors,
    rooms,
    suspects,
    running,
    call,
    shares,
  };
  return {
    store,
    processor,
    running,
    cancel: executors[0].cancel,
    start: executors[0].start,
    clock,
    stops,
    logger,
    deps: { ...some, isLeaseOver: () => true, leaseOf: ignore } as unknown as ReconcileDeps,
    result: { tally: emptyTally() },
    read: () => processor.read(taskId),
    stateOf: async () => attemptState((await processor.read(taskId)).execution),
    happens: (...events: readonly AttemptEvent[]) =>
      processor.execute(taskId, { decide: (unit) => events.forEach((event) => void unit.record(event)) }),
  };
}

test('lost work of a task that was cancelled since it was looked at is not claimed: it ended with the cancel', async () => {
  const { processor, deps, result, read, happens } = await stage({ repeatable: true });
  await happens(claimed('gone'), started, begun, lost(true));
  await processor.execute(taskId, { decide: (unit) => unit.decide({ type: 'report.started', payload: {} }) });
  const seen = await read();
  await processor.execute(taskId, { decide: (unit) => unit.decide({ type: 'task.cancel' }) });
  expect(attemptState(seen.execution)).toBe('suspected');
  expect(await claimWork(seen, deps, result)).toBe(false);
  expect((await read()).aggregate.task.value).toBe('cancelled');
});

test('work that another node claimed, began and lost since it was looked at is not claimed: it may not be repeated', async () => {
  const { deps, result, read, happens, stateOf } = await stage({ repeatable: false });
  const seen = await read();
  // By a node that does not handle its type, which cannot know that the task has failed.
  await happens(claimed('gone'), started, begun, lost(true));
  expect(await claimWork(seen, deps, result)).toBe(false);
  expect(await stateOf()).toBe('suspected');
  expect(await claimWork(await read(), deps, result)).toBe(true);
  expect((await read()).aggregate.task.value).toBe('failed');
});

test('a task that was claimed in time since it was looked at does not fail as one that nobody could be asked to run', async () => {
  const { deps, result, read, happens } = await stage({ repeatable: true });
  await happens(claimed('here'), { type: 'attempt.deferred', retryAt: 0 });
  const seen = await read();
  await happens(claimed('there'), started, begun, lost(false));
  expect(await claimWork(seen, deps, result)).toBe(false);
  expect((await read()).aggregate.task.value).not.toBe('failed');
});

test.each([true, false])(
  'a run that was taken from this node stops when that is seen, and not when somebody claims it (crash: %s)',
  async (crashed) => {
    const { deps, result, read, happens, running, cancel } = await stage({ repeatable: true });
    await happens(claimed('here'), started, begun);
    running.add({ taskId, taskType: 'work' }, 1);
    expect(await stopStaleRun(await read(), deps, result)).toBe(false);
    await happens(lost(crashed, 60_000));
    expect(await stopStaleRun(await read(), deps, result)).toBe(true);
    expect(running.attemptOf(taskId)).toBeUndefined();
    expect(cancel.mock.calls).toEqual([[{ taskId, attempt: 1 }, { why: 'fenced' }]]);
  },
);

test('a lease of a date that was renewed since it was looked at is not over', async () => {
  const old = { v: 1, asked: {}, firstRetained: 1, endedAt: null, value: { unfinished: 'held' } };
  const context = { attempt: 1, node: 'old', tries: 0, retryAt: null, startBy: null, graceUntil: null, owed: [] };
  const until = (leaseUntil: number) => JSON.stringify({ ...old, context: { ...context, leaseUntil } });
  const { deps, result, read, store, stateOf } = await stage({ repeatable: true, ledger: until(7) });
  const seen = await read();
  const { revision } = seen;
  const commit = { taskId, expectedRevision: revision, facts: [], ended: false, sideValues: {}, firstRetained: 1 };
  await store.append({ ...commit, fields: { ledger: until(8) }, plan: { wakeAt: null, work: { heldBy: 'old', until: 8 } } });
  expect(await expireLease(seen, deps, result)).toBe(false);
  expect(await stateOf()).toBe('held');
  expect(await expireLease(await read(), deps, result)).toBe(true);
  expect(await stateOf()).not.toBe('held');
});

describe('a start of which nobody knows whether it came to pass', () => {
  /** Its answer is lost, and so is the first order to stop it. */
  async function lostStart() {
    const at = await stage({ repeatable: true });
    const { happens, start, cancel } = at;
    await happens(claimed('here', Number.MAX_SAFE_INTEGER));
    start.mockRejectedValueOnce(new Error('The answer was lost.'));
    cancel.mockRejectedValueOnce(new Error('Nobody hears.')).mockRejectedValueOnce(new Error('Nobody hears.'));
    return at;
  }

  test('is told to stop until it hears, where that cannot be recorded', async () => {
    const { deps, result, read, processor, cancel, clock, logger } = await lostStart();
    const seen = await read();
    vi.spyOn(processor, 'execute').mockRejectedValueOnce(new Error('The store is away.'));
    await expect(startWork(seen, deps, result)).rejects.toThrow('The store is away.');
    expect(cancel).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 5; i++) {
      clock.advance(30_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(cancel.mock.calls).toEqual(Array(3).fill([{ taskId, attempt: 1 }, { why: 'fenced' }]));
    expect(clock.armed).toEqual([]);
    expect(logger.warn.mock.calls.filter(([text]) => String(text).includes('told to stop'))).toHaveLength(1);
  });

  test('is not told any more once the same attempt is started again', async () => {
    const { deps, result, read, processor, cancel, clock, start } = await lostStart();
    const seen = await read();
    vi.spyOn(processor, 'execute').mockRejectedValueOnce(new Error('The store is away.'));
    await expect(startWork(seen, deps, result)).rejects.toThrow('The store is away.');
    await startWork(await read(), deps, result);
    expect(start).toHaveBeenCalledTimes(2);
    clock.advance(60_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect([cancel.mock.calls.length, clock.armed]).toEqual([1, []]);
  });

  test('is not told any more when its node closes', async () => {
    const { deps, result, read, cancel, clock, stops } = await lostStart();
    await startWork(await read(), deps, result);
    stops.close();
    clock.advance(60_000);
    expect([cancel.mock.calls.length, clock.armed]).toEqual([1, []]);
  });
});
