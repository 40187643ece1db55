import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { temporalExecutor, type TemporalExecutorOptions } from '../../adapters/temporal/index.ts';
import type { JsonObject } from '../../machines/wire/index.ts';
import { tasks } from '../contract/tasks.ts';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';
import { patience } from '../support/patience.ts';
import { temporalHarness, type TemporalHarness } from './temporal-harness.ts';

const WAIT = { interval: 10 };
const workflow = { 'report.build': 'built', echo: 'echoed' };

/** Starts a task by a contract, on a host whose worker has it or not. */
async function start(world: TemporalHarness, month: string, more: JsonObject = {}) {
  const executor = temporalExecutor({ client: world.client, taskQueue: world.taskQueue, contract: tasks, workflow });
  const of = await bridgeOf(executor, { store: world.store, tasks: { inspectMs: 50 } });
  return { of, taskId: await of.start('report.build', { month, ...more }) };
}

const question = (of: RunningBridge, taskId: string, reasonCode: string) =>
  vi.waitFor(
    async () => (await of.snapshot(taskId)).suspensions.find((one) => one.reasonCode === reasonCode) ?? expect.fail('no question'),
    WAIT,
  );
const ended = (of: RunningBridge, taskId: string, type: string) =>
  vi.waitFor(async () => {
    const last = (await of.facts(taskId)).at(-1);
    expect(last?.type).toBe(type);
    return last?.payload;
  }, WAIT);

describe('a workflow by a contract', () => {
  let world: TemporalHarness;
  beforeAll(async () => {
    world = await temporalHarness({}, { contract: tasks });
  }, patience(120_000));
  afterAll(() => world?.close());

  test('is given its input by its schema, asks what the contract has, and completes with what the schema makes', async () => {
    const { of, taskId } = await start(world, 'May');
    expect(await question(of, taskId, 'ARE_YOU_SURE')).toMatchObject({ allowedActions: ['yes'], interaction: { $actions: { yes: {} } } });
    await of.act(taskId, {
      clientActionId: 'a',
      suspendId: (await question(of, taskId, 'ARE_YOU_SURE')).suspendId,
      actionType: 'yes',
      payload: {},
    });
    const { suspendId, ...asked } = await question(of, taskId, 'duplicates');
    expect(asked).toMatchObject({ allowedActions: ['keep-first', 'custom'], interaction: { samples: ['May'] } });
    const answer = { suspendId, actionType: 'custom' };
    await expect(of.act(taskId, { ...answer, clientActionId: 'b', payload: { column: ' ' } })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      details: { errors: [{ path: 'payload.column', reason: expect.any(String) as string }] },
    });
    await of.act(taskId, { ...answer, clientActionId: 'b', payload: { column: ' id ' } });
    expect(await ended(of, taskId, 'TASK_COMPLETED')).toEqual({ result: { rows: 3, kept: 'id' } });
  });

  test.each([
    ['result', 'result.rows'],
    ['interaction', 'interaction.samples.0'],
    ['foreign action', 'allowedActions.0'],
    ['foreign question', 'names no question of report.build: its questions are duplicates, sure'],
  ])('that breaks it fails its task, which names what is wrong: %s', async (month, named) => {
    const { of, taskId } = await start(world, month);
    expect(await ended(of, taskId, 'TASK_FAILED')).toMatchObject({
      code: 'REPORT_REFUSED',
      message: expect.stringContaining(named) as string,
    });
  });

  test('is not started with an input that does not fit', async () => {
    await expect(start(world, '')).rejects.toMatchObject({
      code: 'REQUEST_VALIDATION_ERROR',
      details: { errors: [{ path: 'input.month', reason: expect.any(String) as string }] },
    });
  });

  test('has to be named for each type, and for no other', () => {
    const made = (named: object) => () =>
      temporalExecutor({ client: world.client, taskQueue: 'x', contract: tasks, workflow: named as typeof workflow });
    expect(made({ echo: 'echoed' })).toThrow('The type "report.build" of the contract has no workflow');
    expect(made({ ...workflow, 'report.biuld': 'built' })).toThrow('The workflow of "report.biuld" is of no type of the contract');
    const options: TemporalExecutorOptions = { client: world.client, taskQueue: 'x', contract: {} as never, workflow: 'any' };
    expect(() => temporalExecutor(options)).toThrow('contract is none');
    const all = temporalExecutor({ client: world.client, taskQueue: 'x', contract: tasks, workflow: 'any' });
    expect([all.types, all.handles('echo'), all.handles('other')]).toEqual([['report.build', 'echo'], true, false]);
  });
});

describe('a worker without the contract of its workflows', () => {
  let world: TemporalHarness;
  beforeAll(async () => {
    world = await temporalHarness();
  }, patience(120_000));
  afterAll(() => world?.close());

  test('fails the task that asks by it, with a sentence', async () => {
    const { of, taskId } = await start(world, 'May');
    expect(await ended(of, taskId, 'TASK_FAILED')).toMatchObject({
      code: 'REPORT_REFUSED',
      message: expect.stringContaining('the reporter of this worker has no contract of it') as string,
    });
  });
});
