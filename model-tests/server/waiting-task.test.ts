import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { emptyAggregate } from '../../machines/index.ts';
import type { JsonObject } from '../../machines/wire/index.ts';
import type { Work, WorkReport } from '../../server/ports/index.ts';
import { emptyExecutionRecord } from '../../server/attempt/execution-record.ts';
import { reportCommand } from '../../server/attempt/work.ts';
import { systemChance, systemClock } from '../../server/index.ts';
import { CommandProcessor } from '../../server/task/command-processor.ts';
import { taskSettings } from '../../server/task/settings.ts';
import { storeClock } from '../../server/task/store-clock.ts';
import { initialFields } from '../../server/task/task-record.ts';

setFlagsFromString('--expose-gc');
// What the flag brings is there in contexts that are made from then on.
const collect = runInNewContext('gc') as () => void;

const taskId = 'ab'.repeat(16);
const suspended: WorkReport['intents'] = [
  {
    type: 'report.suspended',
    payload: { suspendId: 'q', kind: 'USER_ACTION_REQUIRED', reasonCode: 'GO_ON', allowedActions: ['yes'], schemaVersion: 1 },
  },
];
const progress: WorkReport['intents'] = [{ type: 'report.progress', payload: { progress: 1 } }];

/** A task whose work runs here, and how often the store was asked for it. */
async function runningTask() {
  const store = memoryStore();
  await store.open();
  let loads = 0;
  const counted: typeof store = { ...store, load: (id) => ((loads += 1), store.load(id)) };
  const deps = { store: counted, clock: systemClock, time: storeClock(store, systemClock), chance: systemChance };
  const logger = { warn: () => undefined, error: () => undefined };
  const processor = new CommandProcessor({ ...deps, logger, settings: taskSettings() });
  const about = { taskId, taskType: 'work', clientRequestId: 'r', owner: 'ada', contentHash: 'c', requestKey: 'ab', createdAt: 0 };
  const fields = initialFields(about, emptyAggregate, emptyExecutionRecord);
  const ids = { taskId, requestKey: 'ab', owner: 'ada', taskType: 'work' };
  await processor.create({
    ...ids,
    fields,
    sideValues: {},
    plan: { wakeAt: null, work: null },
    state: 'accepted',
    adds: {},
    sharesMax: {},
  });
  await processor.execute(taskId, { decide: (unit) => unit.record({ type: 'attempt.claimed', node: 'here', startBy: 1 }) });
  let seq = 0;
  return {
    report: (intents: WorkReport['intents']) =>
      processor.execute(taskId, reportCommand({ taskId, attempt: 1 }, { source: 'main', seq: ++seq, intents })),
    async loadsOfRead() {
      await turn();
      loads = 0;
      await processor.read(taskId);
      return loads;
    },
  };
}

test('a node lets go of what it knows of a task that waits for a person, and loads it when somebody asks', async () => {
  const { report, loadsOfRead } = await runningTask();
  await report(progress);
  expect(await loadsOfRead()).toBe(0);
  expect(await report(suspended)).toMatchObject({ status: 'committed', refusals: [undefined] });
  expect(await loadsOfRead()).toBe(1);
  // As a run after a crash asks: nothing is written, and it waits as before.
  expect(await report(suspended)).toMatchObject({ refusals: ['ALREADY_ASKED'] });
  expect(await loadsOfRead()).toBe(1);
});

test('a node keeps at hand a task that asks and goes on reporting', async () => {
  const { report, loadsOfRead } = await runningTask();
  await report(suspended);
  await report(progress);
  expect(await loadsOfRead()).toBe(0);
});

test('a run that waits for a person holds no input that its handler let go of', async () => {
  const executor = inProcess({ ask: (task) => task.suspend('q', { reasonCode: 'GO_ON', allowedActions: ['yes'] }).then(() => null) });
  let input: WeakRef<JsonObject> | undefined;
  let reports = 0;
  function workWithInput(): Work {
    const given = { text: 'x'.repeat(1000) };
    input = new WeakRef(given);
    return {
      ...{
        taskId,
        attempt: 1,
        taskType: 'ask',
        owner: 'ada',
        clientRequestId: 'r',
        metadata: {},
        params: {},
        attachments: [],
        saved: undefined,
      },
      input: given,
      attach: () => Promise.reject(new Error('No file is made here.')),
      report: async ({ intents }) => ((reports += 1), { status: 'committed', refusals: intents.map(() => undefined) }),
      resolution: async () => undefined,
      now: () => 0,
    };
  }
  await executor.start(workWithInput());
  while (reports < 2) await turn();
  await turn();
  collect();
  expect(input?.deref()).toBeUndefined();
  expect(executor.room?.()).toBe(1000);
});
