import { expect, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { emptyAggregate } from '../../machines/index.ts';
import { claimWork } from '../../server/attempt/claim-and-start.ts';
import { attemptState, emptyExecutionRecord } from '../../server/attempt/execution-record.ts';
import type { ReconcileDeps } from '../../server/attempt/reconcile-step.ts';
import { Rooms } from '../../server/attempt/rooms.ts';
import { SuspectTurn } from '../../server/attempt/suspects.ts';
import { systemChance, systemClock } from '../../server/index.ts';
import { CommandProcessor } from '../../server/task/command-processor.ts';
import { taskSettings } from '../../server/task/settings.ts';
import { storeClock } from '../../server/task/store-clock.ts';
import { initialFields } from '../../server/task/task-record.ts';
import { emptyTally } from '../../server/attempt/reconcile-counts.ts';

const taskId = 'ab'.repeat(16);

test('lost work of a task that was cancelled since it was looked at is not claimed: it ended with the cancel', async () => {
  const store = memoryStore();
  await store.open();
  const settings = taskSettings({});
  const time = storeClock(store, systemClock);
  const logger = { warn: () => undefined, error: () => undefined };
  const processor = new CommandProcessor({ store, clock: systemClock, time, chance: systemChance, logger, settings });
  const about = { taskId, taskType: 'work', clientRequestId: 'r', owner: 'ada', contentHash: 'c', requestKey: 'ab', createdAt: 0 };
  const ids = { taskId, requestKey: 'ab' };
  const fields = initialFields(about, emptyAggregate, emptyExecutionRecord);
  await processor.create({ ...ids, owner: 'ada', taskType: 'work', fields, sideValues: {}, plan: { wakeAt: null, work: null } });
  await processor.execute(taskId, {
    decide(unit) {
      unit.record({ type: 'attempt.claimed', node: 'gone', startBy: 1 });
      unit.record({ type: 'attempt.started', keptOutside: false, retryAt: null });
      unit.record({ type: 'attempt.begun' });
      unit.decide({ type: 'report.started', payload: {} });
      unit.record({ type: 'attempt.lost', crashed: true, retryAt: unit.now });
    },
  });
  const seen = await processor.read(taskId);
  await processor.execute(taskId, { decide: (unit) => unit.decide({ type: 'task.cancel' }) });
  const executors = [inProcess({ work: { repeatable: true, run: () => Promise.resolve() } })];
  // What this step works with, of all that steps do.
  const rooms = new Rooms({ executors, isDraining: () => false });
  const suspects = new SuspectTurn({ clock: systemClock, turnMs: settings.leaseMs, onTurn: () => Promise.resolve() });
  const deps = { processor, store, time, settings, nodeId: 'here', executors, rooms, suspects } as unknown as ReconcileDeps;
  const result = { tally: emptyTally() };
  expect(attemptState(seen.execution)).toBe('suspected');
  expect(await claimWork(seen, deps, result)).toBe(false);
  expect((await processor.read(taskId)).aggregate.task.value).toBe('cancelled');
});
