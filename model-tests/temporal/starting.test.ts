import { activityInfo } from '@temporalio/activity';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { taskBridgeActivities } from '../../adapters/temporal/activities/index.ts';
import { temporalExecutor } from '../../adapters/temporal/index.ts';
import type { TaskReporter } from '../../server/reporter/index.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { patience } from '../support/patience.ts';
import { temporalHarness, workflowBundle, type TemporalHarness } from './temporal-harness.ts';

const WAIT = { interval: 10 };

let world: TemporalHarness;
beforeAll(async () => {
  world = await temporalHarness();
}, patience(120_000));
afterAll(() => world?.close());

/** Runs a task until it is cancelled; gives its facts, and how its workflow said that it starts, after its history was replayed. */
async function run(taskQueue: string) {
  const of = await bridgeOf(temporalExecutor({ client: world.client, taskQueue, workflow: { endless: 'endless' } }), {
    store: world.store,
  });
  const taskId = await of.start('endless');
  const types = async () => (await of.facts(taskId)).map(({ type }) => type);
  await vi.waitFor(async () => expect(await types()).toContain('TASK_PROGRESS'), WAIT);
  const history = await world.client.workflow.getHandle(`taskbridge:${taskId}`).fetchHistory();
  await of.cancel(taskId);
  await vi.waitFor(async () => expect(await types()).toContain('TASK_CANCELLED'), WAIT);
  await Worker.runReplayHistory(await bundled(), history);
  const events = history.events ?? [];
  const local = events.filter(({ markerRecordedEventAttributes: marker }) => marker?.markerName === 'core_local_activity');
  const queued = events.filter(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === 'taskbridgeReport',
  );
  return {
    facts: await types(),
    local: local.map(({ markerRecordedEventAttributes: marker }) => marker?.failure != null),
    queued: queued.length,
  };
}

/** The same on a queue of its own, with workers of its own. */
async function runBy(...workers: readonly Partial<WorkerOptions>[]) {
  const taskQueue = `starts-${process.pid}-${Math.random()}`;
  const running = await world.more(taskQueue, workers);
  try {
    return await run(taskQueue);
  } finally {
    await running.close();
  }
}

const bundled = async () => ({ workflowBundle: await workflowBundle() });
const FACTS = ['TASK_STARTED', 'TASK_PROGRESS', 'TASK_CANCEL_REQUESTED', 'TASK_CANCELLED'];
/** By the one of a flow. */
const NOT_QUEUED = 1;
const QUEUED = 2;

describe('a workflow says that it starts', () => {
  test('where it runs', async () => {
    expect(await run(world.taskQueue)).toEqual({ facts: FACTS, local: [false], queued: NOT_QUEUED });
  });

  test('by another worker, where its own has no such activity', async () => {
    const answer = await runBy(await bundled(), { activities: taskBridgeActivities(world.reporter) });
    expect(answer).toEqual({ facts: FACTS, local: [], queued: QUEUED });
  });

  test('once more, where the reply to the first try is lost', async () => {
    world.loseReplies(true);
    try {
      expect(await run(world.taskQueue)).toEqual({ facts: FACTS, local: [true], queued: QUEUED });
    } finally {
      world.loseReplies(false);
    }
  });

  test('once more, where the first try does not come to an end in time', async () => {
    let letGo = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (letGo = resolve));
    const stuckHere: TaskReporter = {
      ...world.reporter,
      async report(...given) {
        if (activityInfo().isLocal) await stuck;
        else letGo();
        return world.reporter.report(...given);
      },
    };
    const answer = await runBy({ ...(await bundled()), activities: taskBridgeActivities(stuckHere) });
    expect(answer).toEqual({ facts: FACTS, local: [true], queued: QUEUED });
  });
});
