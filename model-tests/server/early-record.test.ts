import { expect, test } from 'vitest';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { emptyAggregate } from '../../machines/index.ts';
import { emptyExecutionRecord } from '../../server/attempt/execution-record.ts';
import { systemChance, systemClock } from '../../server/index.ts';
import { CommandProcessor } from '../../server/task/command-processor.ts';
import { taskSettings } from '../../server/task/settings.ts';
import { storeClock } from '../../server/task/store-clock.ts';
import { initialFields, type TaskRecord } from '../../server/task/task-record.ts';

const taskId = 'ab'.repeat(16);
const about = { taskId, taskType: 'work', clientRequestId: 'r', owner: 'ada', contentHash: 'c', requestKey: 'ab', createdAt: 0 };
const record: TaskRecord = { about, revision: 1, aggregate: emptyAggregate, execution: emptyExecutionRecord };

/** Creates the task, where this happens between the write and its reply. */
async function created(meanwhile: (processor: CommandProcessor) => Promise<unknown>): Promise<CommandProcessor> {
  const memory = memoryStore({ memory: createMemory() });
  await memory.open();
  const store: typeof memory = {
    ...memory,
    async create(task) {
      const answer = await memory.create(task);
      await meanwhile(processor);
      return answer;
    },
  };
  const logger = { warn: () => undefined, error: () => undefined };
  const time = storeClock(store, systemClock);
  const processor = new CommandProcessor({ store, clock: systemClock, time, chance: systemChance, logger, settings: taskSettings({}) });
  const fields = initialFields(about, emptyAggregate, emptyExecutionRecord);
  const owned = { state: 'accepted', adds: {}, sharesMax: {} };
  const task = {
    taskId,
    requestKey: 'ab',
    owner: 'ada',
    taskType: 'work',
    fields,
    sideValues: {},
    plan: { wakeAt: null, work: null },
    ...owned,
  };
  await processor.create(task, record);
  return processor;
}

test('a task that was just created is at hand as it was written', async () => {
  const processor = await created(() => Promise.resolve());
  expect(processor.known(taskId)).toBe(record);
});

test('what a look has done before the reply to the create is not forgotten', async () => {
  const processor = await created((early) => early.execute(taskId, { decide: (unit) => unit.decide({ type: 'task.cancel' }) }));
  for (const state of [processor.known(taskId), await processor.read(taskId)])
    expect([state?.revision, state?.aggregate.task.value]).toEqual([2, 'cancelled']);
});
