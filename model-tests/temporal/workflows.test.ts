import { ApplicationFailure } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { temporalExecutor, type TaskInput, type TemporalExecutorOptions } from '../../adapters/temporal/index.ts';
import { isTerminalType, parseEventId, type Fact, type JsonObject } from '../../machines/wire/index.ts';
import type { TaskExecutor } from '../../server/index.ts';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';
import { temporalHarness, type TemporalHarness } from './temporal-harness.ts';
import { patience } from '../support/patience.ts';

const WAIT = { interval: 10 };
const workflow = {
  rounds: 'rounds',
  steps: 'steps',
  endless: 'endless',
  breaking: 'breaking',
  talkative: 'talkative',
  refused: 'refused',
  plain: 'plain',
};

let world: TemporalHarness;
beforeAll(async () => {
  world = await temporalHarness({
    broken: () => Promise.reject(ApplicationFailure.create({ type: 'PRINTER_ON_FIRE', message: 'It burns.' })),
    work: (_: unknown, step: number) => Promise.resolve(`did ${step}`),
  });
}, patience(120_000));
afterAll(() => world?.close());

const executor = (options: Partial<TemporalExecutorOptions> = {}) =>
  temporalExecutor({ client: world.client, taskQueue: world.taskQueue, workflow, ...options });

async function run(taskType: string, by: TaskExecutor = executor(), input: JsonObject = {}) {
  const of = await bridgeOf(by, { store: world.store, tasks: { inspectMs: 50 } });
  const taskId = await of.start(taskType, input);
  return { of, taskId, handle: world.client.workflow.getHandle(`taskbridge:${taskId}`) };
}

const until = (of: RunningBridge, taskId: string, type: Fact['type']) =>
  vi.waitFor(async () => expect((await of.facts(taskId)).map((fact) => fact.type)).toContain(type), WAIT);

const question = (of: RunningBridge, taskId: string) =>
  vi.waitFor(async () => (await of.snapshot(taskId)).suspensions[0]?.suspendId ?? expect.fail('no question'), WAIT);

async function ended(of: RunningBridge, taskId: string): Promise<Fact[]> {
  const facts = await vi.waitFor(async () => {
    const so = await of.facts(taskId);
    expect(so.some(({ type }) => isTerminalType(type))).toBe(true);
    return so;
  }, WAIT);
  expect(facts.map(({ eventId }) => parseEventId(eventId)?.n)).toEqual(facts.map((_, i) => i + 1));
  expect(facts.findIndex(({ type }) => isTerminalType(type))).toBe(facts.length - 1);
  return facts;
}

const short = (facts: readonly Fact[]) => facts.map(({ type }) => type.replace('TASK_', ''));

describe('a workflow', () => {
  test('goes on in new runs with its numbers and its answers', async () => {
    const { of, taskId } = await run('rounds');
    await of.act(taskId, { clientActionId: 'a', suspendId: await question(of, taskId), actionType: 'ok', payload: { n: 1 } });
    const facts = await ended(of, taskId);
    expect(facts.flatMap(({ type, payload }) => (type === 'TASK_PROGRESS' ? payload.progress : []))).toEqual([10, 20, 30, 40]);
    expect(short(facts).filter((type) => type !== 'PROGRESS')).toEqual(['STARTED', 'SUSPENDED', 'ACTION_ACCEPTED', 'COMPLETED']);
    expect(facts.at(-1)?.payload).toEqual({ result: { round: 4, payload: { n: 1 } } });
  });

  test('says much at once, in its order', async () => {
    const { of, taskId } = await run('talkative');
    const facts = await ended(of, taskId);
    const kept = facts.flatMap(({ type, payload }) => (type === 'TASK_MESSAGE' ? payload.message : []));
    expect(kept).toEqual(Array.from({ length: 900 }, (_, i) => `message ${i + 1}`));
    expect(facts.at(-1)?.payload).toEqual({ result: 'said' });
  });

  test('that says what is refused fails its task, unless it hears of that', async () => {
    const deaf = await run('refused');
    expect((await ended(deaf.of, deaf.taskId)).at(-1)).toMatchObject({ type: 'TASK_FAILED', payload: { code: 'REPORT_REFUSED' } });
    const hearing = await run('refused', executor(), { hears: true });
    expect((await ended(hearing.of, hearing.taskId)).at(-1)).toMatchObject({ type: 'TASK_COMPLETED', payload: { result: 'done' } });
  });

  test('says each fact once though every reply to a report is lost', async () => {
    world.loseReplies(true);
    try {
      const { of, taskId } = await run('steps', executor(), { to: 3 });
      await of.act(taskId, { clientActionId: 'a', suspendId: await question(of, taskId), actionType: 'yes' });
      expect(short(await ended(of, taskId))).toEqual([
        'STARTED',
        'PROGRESS',
        'PROGRESS',
        'SUSPENDED',
        'ACTION_ACCEPTED',
        'PROGRESS',
        'COMPLETED',
      ]);
    } finally {
      world.loseReplies(false);
    }
  });

  test('fails its task with the code of the activity that broke', async () => {
    const { of, taskId, handle } = await run('breaking');
    expect((await ended(of, taskId)).at(-1)?.payload).toEqual({ code: 'PRINTER_ON_FIRE', message: 'It burns.', retryable: true });
    await vi.waitFor(async () => expect((await handle.describe()).status.name).toBe('FAILED'), WAIT);
  });

  test('that knows nothing of us completes its task by its result', async () => {
    const { of, taskId } = await run('plain', executor(), { n: 21 });
    expect((await ended(of, taskId)).map(({ type, payload }) => [type, payload])).toEqual([['TASK_COMPLETED', { result: 42 }]]);
  });

  test('is started with what the mapper makes of its input', async () => {
    const seen: TaskInput[] = [];
    const workflowInputMapper = (input: TaskInput) => (seen.push(input), { input: { n: Number(input.input['pages']) + 1 } });
    const { of, taskId } = await run('plain', executor({ workflowInputMapper }), { pages: 20 });
    expect((await ended(of, taskId)).at(-1)?.payload).toEqual({ result: 42 });
    expect(seen).toEqual([expect.objectContaining({ taskId, taskType: 'plain', attempt: 1, input: { pages: 20 }, attachments: [] })]);
  });
});

describe('no orphan: a workflow', () => {
  test('that is terminated fails its task', async () => {
    const { of, taskId, handle } = await run('endless');
    await until(of, taskId, 'TASK_PROGRESS');
    await handle.terminate('by hand');
    expect((await ended(of, taskId)).at(-1)?.payload).toMatchObject({ code: 'WORKFLOW_TERMINATED', message: 'by hand', retryable: true });
  });

  test('that is terminated while the host is down fails its task when a host is back', async () => {
    const { of, taskId, handle } = await run('endless');
    await until(of, taskId, 'TASK_PROGRESS');
    await of.bridge.close();
    await handle.terminate('meanwhile');
    const back = await bridgeOf(executor(), { store: world.store, tasks: { inspectMs: 50 } });
    expect((await ended(back, taskId)).at(-1)?.payload).toMatchObject({ code: 'WORKFLOW_TERMINATED', message: 'meanwhile' });
  });

  test('that is cancelled from outside cancels its task', async () => {
    const { of, taskId, handle } = await run('endless');
    await until(of, taskId, 'TASK_PROGRESS');
    await handle.cancel();
    expect(short(await ended(of, taskId))).toEqual(['STARTED', 'PROGRESS', 'CANCELLED']);
    await vi.waitFor(async () => expect((await handle.describe()).status.name).toBe('CANCELLED'), WAIT);
  });

  test('that runs longer than it may fails its task', async () => {
    const { of, taskId } = await run('endless', executor({ executionTimeoutMs: 1000 }));
    expect((await ended(of, taskId)).at(-1)?.payload).toMatchObject({ code: 'WORKFLOW_TIMED_OUT', retryable: true });
  });

  test('whose worker never comes fails its task when its time is over', async () => {
    const { of, taskId } = await run('endless', executor({ executionTimeoutMs: 1000, taskQueue: 'nobody' }));
    expect((await ended(of, taskId)).map(({ type, payload }) => [type, 'code' in payload && payload.code])).toEqual([
      ['TASK_FAILED', 'WORKFLOW_TIMED_OUT'],
    ]);
  });

  test('whose worker never comes is cancelled at once', async () => {
    const { of, taskId, handle } = await run('endless', executor({ taskQueue: 'nobody' }));
    await vi.waitFor(async () => expect((await handle.describe()).status.name).toBe('RUNNING'), WAIT);
    await of.cancel(taskId);
    expect(short(await ended(of, taskId))).toEqual(['CANCELLED']);
    await handle.terminate();
  });

  test('that is reset says its work again, and asks nobody twice', async () => {
    const { of, taskId, handle } = await run('steps');
    const suspendId = await question(of, taskId);
    const { runId } = await handle.describe();
    // The end of the first workflow task: everything is done again.
    const reset = { namespace: 'default', workflowExecution: { workflowId: handle.workflowId, runId }, reason: 'a test', requestId: runId };
    const { workflowService } = world.client;
    // A plain number is a Long to protobuf too.
    await workflowService.resetWorkflowExecution({ ...reset, workflowTaskFinishEventId: 4 } as unknown as Parameters<
      typeof workflowService.resetWorkflowExecution
    >[0]);
    await vi.waitFor(async () => expect((await of.facts(taskId)).filter(({ type }) => type === 'TASK_PROGRESS')).toHaveLength(6), WAIT);
    await of.act(taskId, { clientActionId: 'a', suspendId, actionType: 'yes' });
    const facts = await ended(of, taskId);
    expect(short(facts).filter((type) => type !== 'PROGRESS')).toEqual(['STARTED', 'SUSPENDED', 'ACTION_ACCEPTED', 'COMPLETED']);
    expect(facts.flatMap(({ type, payload }) => (type === 'TASK_PROGRESS' ? payload.progress : []))).toEqual([
      20, 40, 60, 20, 40, 60, 80, 100,
    ]);
  });
});

test('a workflow whose attempt does not count says nothing, and fails when nobody takes it over', async () => {
  const { of, taskId } = await run('endless');
  await until(of, taskId, 'TASK_PROGRESS');
  const input = {
    taskId,
    attempt: 99,
    taskType: 'impatient',
    owner: 'alice',
    clientRequestId: 'x',
    input: {},
    metadata: {},
    attachments: [],
  };
  const stray = await world.client.workflow.start('impatient', {
    taskQueue: world.taskQueue,
    workflowId: `stray:${taskId}`,
    args: [input],
  });
  await expect(stray.result()).rejects.toMatchObject({ cause: { type: 'WORK_UNREPORTED' } });
  expect(short(await of.facts(taskId))).toEqual(['STARTED', 'PROGRESS']);
  await of.cancel(taskId);
  expect(short(await ended(of, taskId))).toEqual(['STARTED', 'PROGRESS', 'CANCEL_REQUESTED', 'CANCELLED']);
});

describe('a start', () => {
  test('whose reply is lost is taken over by the next attempt, and every fact is said once', async () => {
    const real = executor();
    let starts = 0;
    const { of, taskId, handle } = await run('steps', {
      ...real,
      async start(work) {
        const outcome = await real.start(work);
        if (++starts === 1) throw new Error('The reply was lost.');
        return outcome;
      },
    });
    const first = await handle.describe();
    await of.act(taskId, { clientActionId: 'a', suspendId: await question(of, taskId), actionType: 'yes' });
    const facts = await ended(of, taskId);
    expect(short(facts)).toEqual([
      'STARTED',
      'PROGRESS',
      'PROGRESS',
      'PROGRESS',
      'SUSPENDED',
      'ACTION_ACCEPTED',
      'PROGRESS',
      'PROGRESS',
      'COMPLETED',
    ]);
    expect(starts).toBe(2);
    expect((await handle.describe()).runId).toBe(first.runId);
  });

  test('that Temporal refuses fails the task, and says so to whoever asked', async () => {
    const connection = await Connection.connect({ address: world.server.address });
    try {
      const refused = executor({ client: new Client({ connection, namespace: 'nowhere' }) });
      expect(await refused.health?.()).toMatch(/Temporal does not answer: .*nowhere/);
      await expect(run('endless', refused)).rejects.toMatchObject({ code: 'TASK_SUBMISSION_ERROR' });
    } finally {
      await connection.close();
    }
  });

  test('that nobody can be asked for stays pending', async () => {
    // Not closed: its client would go on trying on the closed channel.
    const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: 200 });
    const dead = executor({ client: new Client({ connection }), callTimeoutMs: 200 });
    const of = await bridgeOf(dead, { store: world.store });
    const taskId = await of.start('endless');
    expect((await of.snapshot(taskId)).state).toBe('accepted');
    await of.cancel(taskId);
    expect(short(await ended(of, taskId))).toEqual(['CANCELLED']);
  });
});

test('an executor without a client, a queue or a workflow is refused by name', () => {
  const given = { client: world.client, taskQueue: 'q', workflow: 'w' };
  for (const name of ['client', 'taskQueue', 'workflow'])
    expect(() => temporalExecutor({ ...given, [name]: undefined })).toThrow(new RegExp(`^${name} is missing`));
});
