import { expect, test, vi } from 'vitest';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { emptyAggregate } from '../../machines/index.ts';
import type { FactPayload } from '../../machines/wire/index.ts';
import { attemptState, emptyExecutionRecord } from '../../server/attempt/execution-record.ts';
import { giveUp } from '../../server/attempt/giving-up.ts';
import { reportCommand } from '../../server/attempt/work.ts';
import { systemChance, systemClock, type Commit, type Lease } from '../../server/index.ts';
import { CommandProcessor } from '../../server/task/command-processor.ts';
import { planOf } from '../../server/task/plan.ts';
import { taskSettings } from '../../server/task/settings.ts';
import { storeClock } from '../../server/task/store-clock.ts';
import { initialFields } from '../../server/task/task-record.ts';
import type { UnitOfWork } from '../../server/task/unit-of-work.ts';

const taskId = 'ab'.repeat(16);

/** A task that node `gone` holds, whose lease was last seen with beat 3. */
async function stage() {
  const memory = memoryStore({ memory: createMemory() });
  await memory.open();
  const commits: Commit[] = [];
  const store: typeof memory = { ...memory, append: (commit) => (commits.push(commit), memory.append(commit)) };
  const settings = taskSettings({});
  const time = storeClock(store, systemClock);
  const logger = { warn: vi.fn(), error: () => undefined };
  const processor = new CommandProcessor({ store, clock: systemClock, time, chance: systemChance, logger, settings });
  const about = { taskId, taskType: 'work', clientRequestId: 'r', owner: 'ada', contentHash: 'c', requestKey: 'ab', createdAt: 0 };
  const execution = emptyExecutionRecord;
  await processor.create({
    taskId,
    requestKey: 'ab',
    owner: 'ada',
    taskType: 'work',
    fields: initialFields(about, emptyAggregate, execution),
    sideValues: {},
    plan: planOf({ about, revision: 1, aggregate: emptyAggregate, execution }, time.now(), settings),
    state: 'accepted',
    adds: {},
    sharesMax: {},
  });
  await processor.execute(taskId, {
    decide(unit) {
      unit.record({ type: 'attempt.claimed', node: 'gone', startBy: 1 });
      unit.record({ type: 'attempt.begun' });
      unit.decide({ type: 'report.started', payload: {} });
    },
  });
  await store.renew('gone', 0, 3);
  commits.length = 0;
  const lease: Lease = { bucket: '', node: 'gone', beat: 3 };
  const take = () =>
    giveUp(taskId, { processor, executors: [], settings, logger }, { of: { node: 'gone' }, crashed: true, over: { lease, silentMs: 7 } });
  const say = (message: string) =>
    processor.execute(taskId, { decide: (unit: UnitOfWork) => unit.decide({ type: 'report.message', payload: { message } }).facts.length });
  return {
    store,
    processor,
    commits,
    lease,
    take,
    say,
    logger,
    stateOf: async () => attemptState((await processor.read(taskId)).execution),
  };
}

test('work is given up while the lease of its holder stands as it was seen, in one commit with what else there is to write', async () => {
  const { take, say, stateOf, commits, lease } = await stage();
  expect(await Promise.all([say('before'), take(), say('after')])).toEqual([1, true, 1]);
  expect(commits).toMatchObject([{ ifLease: lease, facts: [{}, {}] }]);
  expect(await stateOf()).toBe('suspected');
});

test('where the holder beat once more nothing is taken from it, and what else was to be written loses nothing', async () => {
  const { take, say, stateOf, commits, store, logger } = await stage();
  await store.renew('gone', 3, 4);
  expect(await Promise.all([say('before'), take(), say('after'), take()])).toEqual([1, false, 1, false]);
  expect(commits.map(({ ifLease, facts }) => [ifLease?.beat, facts.length])).toEqual([
    [3, 2],
    [undefined, 2],
  ]);
  expect(await stateOf()).toBe('starting');
  expect(logger.warn).not.toHaveBeenCalled();
});

test('where it is all that was to be written, nothing is', async () => {
  const { take, stateOf, commits, store } = await stage();
  await store.renew('gone', 3, 4);
  expect(await take()).toBe(false);
  expect(commits).toHaveLength(1);
  expect(await stateOf()).toBe('starting');
});

test('commands that name different leases do not share a commit', async () => {
  const { processor, commits, lease, say } = await stage();
  const named = (beat: number) =>
    processor.execute(taskId, {
      onlyWhile: { lease: { ...lease, beat }, otherwise: 'refused' },
      decide: (unit: UnitOfWork) => (unit.decide({ type: 'report.message', payload: { message: `${beat}` } }), 'written'),
    });
  expect(await Promise.all([named(2), say('between'), named(3)])).toEqual(['refused', 1, 'written']);
  expect(commits.map(({ ifLease }) => ifLease?.beat)).toEqual([2, 3]);
});

test.each([
  ['who only waits for a person is no suspect of a crash', ['q'], 'lost'],
  ['who asks and works on is one', [], 'suspected'],
])('%s', async (_, awaits, became) => {
  const { processor, take, stateOf } = await stage();
  const question: FactPayload<'TASK_SUSPENDED'> = {
    suspendId: 'q',
    kind: 'USER_ACTION_REQUIRED',
    reasonCode: 'Q',
    allowedActions: ['ok'],
    schemaVersion: 1,
  };
  const intents = [{ type: 'report.suspended', payload: question }] as const;
  await processor.execute(taskId, reportCommand({ taskId, attempt: 1 }, { source: 'main', seq: 1, intents, awaits }));
  expect(await take()).toBe(true);
  expect(await stateOf()).toBe(became);
});

test('nothing is taken of a task that another holds, or that is gone', async () => {
  const { processor, store, logger } = await stage();
  const deps = { processor, executors: [], settings: taskSettings({}), logger };
  expect(await giveUp(taskId, deps, { of: { node: 'another' }, crashed: true })).toBe(false);
  expect(await giveUp(taskId, deps, { of: { attempt: 2 }, crashed: true })).toBe(false);
  await store.remove(taskId, 'ab', (await processor.read(taskId)).revision);
  expect(await giveUp(taskId, deps, { of: { node: 'gone' }, crashed: true })).toBe(false);
});
