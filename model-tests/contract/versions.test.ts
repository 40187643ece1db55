import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { inProcess, type Task } from 'taskbridge/adapters/in-process';
import { createMemory, memoryStore } from 'taskbridge/adapters/memory';
import { defineTasks, question, task, type ContractSchema, type TaskContract } from 'taskbridge/contract';
import { createTestBridge, type TestBridge } from 'taskbridge/server/testing';

interface Version {
  /** Undefined for handlers without a contract. */
  readonly contract?: TaskContract | undefined;
  readonly actions?: readonly string[];
  /** Nothing runs the type any more. */
  readonly isGone?: boolean;
}

/** What one version of a host knows of the type. */
const contractOf = (input: ContractSchema, actions: Readonly<Record<string, ContractSchema>>): TaskContract =>
  defineTasks({ x: task({ input, questions: { which: question({ actions }) } }) });

/** One store, and hosts of one version after the other before it: each is closed before the next begins, as in a deploy. */
function deployments() {
  const memory = createMemory();
  let now: TestBridge | undefined;
  onTestFinished(() => now?.close());
  return async ({ contract, actions = ['a'], isGone = false }: Version) => {
    const at = now?.clock.now() ?? 1_000_000;
    await now?.close();
    const run = async (work: Task) => {
      const asked = contract ? {} : { reasonCode: 'which', allowedActions: actions };
      const { actionType, payload } = await work.suspend('which', asked as never);
      return { input: work.input, actionType, payload };
    };
    const handlers = { x: { repeatable: true, run } };
    now = await createTestBridge({
      store: memoryStore({ memory }),
      startsAt: at + 60_000,
      executor: (clock) =>
        isGone ? inProcess({}, { clock }) : contract ? inProcess(contract, handlers as never, { clock }) : inProcess(handlers, { clock }),
      logger: { warn: () => undefined, error: () => undefined },
    });
    const { bridge, advance, ended } = now;
    const ada = bridge.tasks({ subject: 'ada' });
    // Leases of the host before end, and its work begins again.
    await advance(60_000);
    return {
      ada,
      start: (input: object, clientRequestId = 'r') => ada.start({ clientRequestId, taskType: 'x', input: input as never }),
      async act(taskId: string, actionType: string, payload: object, clientActionId = 'answer') {
        const suspendId = (await ada.get(taskId)).suspensions[0]?.suspendId ?? '';
        return ada.act(taskId, { clientActionId, suspendId, actionType, payload: payload as never });
      },
      ended: (taskId: string) => ended('ada', taskId),
      async questions(taskId: string) {
        return (await ada.poll(taskId)).events.filter(({ type }) => type === 'TASK_SUSPENDED').length;
      },
    };
  };
}

const open = z.object({});
const v1 = contractOf(z.object({ month: z.string() }), { a: z.object({ n: z.number() }) });

describe('a repeat of a create that was taken', () => {
  it('is answered as before where the schema was tightened; what is new is refused', async () => {
    const deploy = deployments();
    const before = await deploy({ contract: v1 });
    const { taskId } = await before.start({ month: 'May' });
    const after = await deploy({ contract: contractOf(z.object({ month: z.iso.date() }), { a: open }) });
    expect(await after.start({ month: 'May' })).toMatchObject({ taskId, deduplicated: true });
    await expect(after.start({ month: 'June' })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    await expect(after.start({ month: 'May' }, 'another')).rejects.toMatchObject({ code: 'REQUEST_VALIDATION_ERROR' });
  });

  it('is so where nothing runs its type any more', async () => {
    const deploy = deployments();
    const { taskId } = await (await deploy({ contract: v1 })).start({ month: 'May' });
    const after = await deploy({ isGone: true });
    expect(await after.start({ month: 'May' })).toMatchObject({ taskId, deduplicated: true });
    await expect(after.start({ month: 'May' }, 'another')).rejects.toMatchObject({ details: { errors: [{ path: 'taskType' }] } });
  });

  it('is so where the schema makes something else of it by now', async () => {
    const deploy = deployments();
    const { taskId } = await (await deploy({ contract: v1 })).start({ month: 'May' });
    const after = await deploy({
      contract: contractOf(z.object({ month: z.string().default('June'), year: z.number().default(1) }), { a: open }),
    });
    expect(await after.start({ month: 'May' })).toMatchObject({ taskId, deduplicated: true });
  });
});

describe('a task that runs while its contract changes', () => {
  it('keeps the input that was taken, whatever its schema says now', async () => {
    const deploy = deployments();
    const { taskId } = await (await deploy({ contract: v1 })).start({ month: 'May' });
    const after = await deploy({ contract: contractOf(z.object({ month: z.iso.date(), year: z.number() }), { a: open }) });
    await after.act(taskId, 'a', {});
    expect(await after.ended(taskId)).toMatchObject({ result: { input: { month: 'May' } } });
  });

  it('has asked its question once, and is answered by what the contract says now', async () => {
    const deploy = deployments();
    const { taskId } = await (await deploy({ contract: v1 })).start({ month: 'May' });
    // Another schema, and an action more.
    const after = await deploy({ contract: contractOf(open, { a: z.object({ text: z.string() }), b: open }) });
    await expect(after.act(taskId, 'a', { n: 1 })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      details: { errors: [{ path: 'payload.text' }] },
    });
    expect(await after.act(taskId, 'a', { text: 'x' })).toMatchObject({ status: 'ACCEPTED' });
    expect(await after.ended(taskId)).toMatchObject({ result: { payload: { text: 'x' } } });
    expect(await after.questions(taskId)).toBe(1);
  });

  it('takes an action that the contract has no more as it comes', async () => {
    const deploy = deployments();
    const { taskId } = await (await deploy({ contract: v1 })).start({ month: 'May' });
    const after = await deploy({ contract: contractOf(open, { b: open }) });
    expect(await after.act(taskId, 'a', { n: 'whatever' })).toMatchObject({ status: 'ACCEPTED' });
    expect(await after.ended(taskId)).toMatchObject({ status: 'COMPLETED', result: { payload: { n: 'whatever' } } });
  });

  it.each<[string, Version, Version]>([
    ['left it', { contract: v1 }, { actions: ['a'] }],
    ['came to it', { actions: ['a'] }, { contract: v1 }],
  ])('goes on where its type %s', async (_, first, second) => {
    const deploy = deployments();
    const { taskId } = await (await deploy(first)).start({ month: 'May' });
    const after = await deploy(second);
    await after.act(taskId, 'a', { n: 1 });
    expect(await after.ended(taskId)).toMatchObject({ status: 'COMPLETED', result: { payload: { n: 1 } } });
    expect(await after.questions(taskId)).toBe(1);
  });

  it('waits where nothing runs its type, is answered meanwhile, and goes on when something does', async () => {
    const deploy = deployments();
    const { taskId } = await (await deploy({ contract: v1 })).start({ month: 'May' });
    const between = await deploy({ isGone: true });
    expect(await between.act(taskId, 'a', { n: 'unchecked' })).toMatchObject({ status: 'ACCEPTED' });
    expect((await between.ada.get(taskId)).state).toBe('running');
    const after = await deploy({ contract: v1 });
    expect(await after.ended(taskId)).toMatchObject({ status: 'COMPLETED', result: { payload: { n: 'unchecked' } } });
  });

  it('is asked something else only where it asks something else', async () => {
    const deploy = deployments();
    const { taskId } = await (await deploy({ actions: ['a'] })).start({ month: 'May' });
    const after = await deploy({ actions: ['a', 'b'] });
    expect(await after.ended(taskId)).toMatchObject({ failure: { code: 'SUSPENSION_KEY_USED' } });
  });
});
