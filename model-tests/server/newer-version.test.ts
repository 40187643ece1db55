import { expect, test, vi } from 'vitest';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { emptyAggregate } from '../../machines/index.ts';
import { emptyExecutionRecord } from '../../server/attempt/execution-record.ts';
import { systemChance } from '../../server/index.ts';
import { CommandProcessor } from '../../server/task/command-processor.ts';
import { taskSettings } from '../../server/task/settings.ts';
import { storeClock } from '../../server/task/store-clock.ts';
import { initialFields } from '../../server/task/task-record.ts';
import { sampleTask } from '../conformance/store/samples.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { fakeClock } from '../support/fake-clock.ts';

const taskId = 'a'.repeat(32);
const requestKey = 'a'.repeat(64);
const about = { taskId, taskType: 'work', clientRequestId: 'one', owner: 'ann', contentHash: '', requestKey, createdAt: 0 };

test('refuses a command at once, and without a warning, where a newer version wrote the task', async () => {
  const clock = fakeClock();
  const store = memoryStore({ memory: createMemory(), clock });
  await store.open();
  const { ledger = '', ...fields } = initialFields(about, emptyAggregate, emptyExecutionRecord);
  const newer = JSON.stringify({ ...(JSON.parse(ledger) as object), v: 99 });
  await store.create({ ...sampleTask(), taskId, requestKey, fields: { ...fields, ledger: newer } });
  const load = vi.spyOn(store, 'load');
  const logger = { warn: vi.fn(), error: vi.fn() };
  const time = storeClock(store, clock);
  const processor = new CommandProcessor({ store, clock, time, chance: systemChance, logger, settings: taskSettings() });

  const refusal = vi.fn();
  processor.execute(taskId, { decide: () => undefined }).catch(refusal);
  // The clock stands still: whoever rests before another try never comes back.
  await quiesce();
  expect(refusal).toHaveBeenCalledWith(
    expect.objectContaining({
      code: 'STORE_UNAVAILABLE',
      message: 'A newer version of this service looks after the task; try again later.',
      retryAfterSeconds: 5,
    }),
  );
  expect(load).toHaveBeenCalledTimes(1);
  expect(logger.warn).not.toHaveBeenCalled();
});
