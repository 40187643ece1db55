import { expect, test, vi } from 'vitest';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import type { Intent, ReportIntent } from '../../machines/index.ts';
import type { Store, TaskExecutor, Work } from '../../server/index.ts';
import { createTaskReporter } from '../../server/reporter/index.ts';
import { bridgeOf } from './bridge-of.ts';
import { commandProcessorOn, commitPathOn } from './commit-path.ts';

/** A store that keeps no bytes of parts, as those that are older than parts. */
function withoutLanes(store: Store): Store {
  const { lanes: _, ...rest } = store;
  return rest;
}

/** A task at work on a node whose store keeps no parts, on what another node writes to as well whose store does. */
async function atWork() {
  const memory = createMemory();
  const works: Work[] = [];
  const executor: TaskExecutor = {
    name: 'outside',
    leased: false,
    handles: () => true,
    repeatable: () => true,
    start: (work) => (works.push(work), Promise.resolve({ status: 'started' })),
    resume: () => Promise.resolve(),
    cancel: () => Promise.resolve(),
  };
  const logger = { warn: () => undefined, error: () => undefined };
  const bridge = await bridgeOf(executor, { store: withoutLanes(memoryStore({ memory })), logger });
  const taskId = await bridge.start('any');
  const work = await vi.waitFor(() => {
    const [first] = works;
    if (!first) throw new Error('Nothing was started.');
    return first;
  });
  let seq = 0;
  const report = (...intents: readonly ReportIntent[]) => work.report({ source: 'main', seq: (seq += 1), intents });
  await report({ type: 'report.started', payload: {} });
  const elsewhere = memoryStore({ memory });
  await elsewhere.open();
  return { bridge, taskId, work, report, elsewhere };
}

const opens = { type: 'report.part.opened', payload: { name: 'answer', kind: 'text' } } as const;
const message: ReportIntent = { type: 'report.message', payload: { message: 'Read.' } };
const foreign = [opens, { type: 'part.abandon', payload: { part: 2, bytes: 0 } }, { type: 'task.cancel' }, { type: 'toString' }, {}];

test.each(foreign)('takes no report with %j, from whoever brings it, and writes nothing of it', async (intent) => {
  const { bridge, taskId, work, report, elsewhere } = await atWork();
  const reporter = createTaskReporter({ store: elsewhere });
  // Without TypeScript anything may be reported.
  const said = intent as unknown as ReportIntent;
  const path = expect.stringMatching(/^intents\.1\.(type|key)$/) as string;
  const refused = { code: 'REQUEST_VALIDATION_ERROR', details: { errors: [{ path }] } };
  await expect(report(message, said)).rejects.toMatchObject(refused);
  await expect(reporter.report(work, { source: 'other', seq: 1, intents: [message, said] })).rejects.toMatchObject(refused);
  expect((await bridge.facts(taskId)).map(({ type }) => type)).toEqual(['TASK_STARTED']);
  expect((await report(message)).status).toBe('committed');
});

test('leaves a task whose part a newer node opened to that node, and shows it meanwhile', async () => {
  const { bridge, taskId, report, elsewhere } = await atWork();
  const commit = commitPathOn(elsewhere);
  expect(await commit(taskId, opens)).toBe('taken');
  const later = {
    code: 'STORE_UNAVAILABLE',
    message: 'A newer version of this service has to close the parts of the task; try again later.',
  };
  const ends: readonly ReportIntent[] = [
    { type: 'report.completed', payload: { result: null } },
    { type: 'report.failed', payload: { code: 'BROKEN', message: 'It broke.', retryable: false } },
    { type: 'report.cancelled', payload: {} },
  ];
  for (const end of ends) await expect(report(message, end)).rejects.toMatchObject(later);
  // Of what cannot end as a whole nothing is written.
  expect((await bridge.facts(taskId)).map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_PART_OPENED']);
  expect(await bridge.snapshot(taskId)).toMatchObject({ state: 'running', lastEventId: expect.stringMatching(/^2-/) as string });
  // It waits for a person: then a cancel would be the end.
  await report({
    type: 'report.suspended',
    payload: { suspendId: 'q', kind: 'USER_ACTION_REQUIRED', reasonCode: 'Q', allowedActions: ['ok'], schemaVersion: 1 },
  });
  await expect(bridge.cancel(taskId, 'Enough.')).rejects.toMatchObject({ code: later.code });
  await bridge.act(taskId, { suspendId: 'q', clientActionId: 'c', actionType: 'ok' });

  expect(await commit(taskId, { type: 'report.part.closed', payload: { part: 2, bytes: 3, outcome: 'DONE' } })).toBe('taken');
  await report({ type: 'report.completed', payload: { result: 'all' } });
  await vi.waitFor(async () => expect(await bridge.snapshot(taskId)).toMatchObject({ state: 'completed', result: 'all' }));
});

test('begins no attempt beside a part that another one left open', async () => {
  const { taskId, elsewhere } = await atWork();
  const processor = commandProcessorOn(withoutLanes(elsewhere));
  const claims = () =>
    processor.execute(taskId, {
      decide(unit) {
        unit.record({ type: 'attempt.lost', crashed: false, retryAt: 0, restUntil: 0 });
        return unit.record({ type: 'attempt.claimed', node: 'n', startBy: 1 });
      },
    });
  expect(await commitPathOn(elsewhere)(taskId, opens)).toBe('taken');
  await expect(claims()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect((await processor.read(taskId)).execution.attempt.context.attempt).toBe(1);
  const abandons: Intent = { type: 'part.abandon', payload: { part: 2, bytes: 0 } };
  expect(await commitPathOn(withoutLanes(elsewhere))(taskId, abandons)).toBe('STORE_UNAVAILABLE');
  expect(await commitPathOn(elsewhere)(taskId, abandons)).toBe('taken');
  expect(await claims()).toBe(true);
});
