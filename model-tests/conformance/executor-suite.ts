import { describe, expect, test, vi } from 'vitest';
import { isTerminalType, parseEventId, type Fact, type JsonObject } from '../../machines/index.ts';
import type { Store, TaskExecutor } from '../../server/index.ts';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';
import type { Step } from './executor-script.ts';

/** An executor under test: its task type `scripted` plays the steps of its input by `play`. */
export interface ExecutorUnderTest {
  readonly executor: TaskExecutor;
  /** Where its work reports. It outlives the bridges that close it. */
  readonly store: Store;
}

const WAIT = { timeout: 15_000, interval: 10 };

/** Says what an executor means to a task, over the wire, and proves it for one adapter. */
export function describeExecutor(name: string, open: () => ExecutorUnderTest): void {
  const run = async (...steps: Step[]) => {
    const { executor, store } = open();
    const of = await bridgeOf(executor, { store });
    const taskId = await of.start('scripted', { steps: steps as unknown as JsonObject[] });
    return { of, taskId };
  };

  describe(`executor: ${name}`, () => {
    test('handles the types it was given, and is healthy', async () => {
      const { executor } = open();
      expect([executor.handles('scripted'), executor.handles('toString'), executor.handles('other')]).toEqual([true, false, false]);
      expect(await executor.health?.()).toBeUndefined();
    });

    test('writes what the work says in its order, and completes the task with its result', async () => {
      const { of, taskId } = await run(
        { do: 'progress', progress: 10, stage: 'begin' },
        { do: 'message', message: 'half' },
        { do: 'progress', progress: 99.5 },
      );
      expect((await told(of, taskId)).map(({ type, payload }) => [type, payload])).toEqual([
        ['TASK_STARTED', {}],
        ['TASK_PROGRESS', { progress: 10, stage: 'begin' }],
        ['TASK_MESSAGE', { message: 'half' }],
        ['TASK_PROGRESS', { progress: 99.5 }],
        ['TASK_COMPLETED', { result: { answers: {} } }],
      ]);
    });

    test('keeps two questions open at once, and takes their answers in any order', async () => {
      const { of, taskId } = await run(
        { do: 'ask', keys: ['left', 'right'] },
        { do: 'progress', progress: 50 },
        { do: 'ask', keys: ['late'] },
      );
      const [left = '', right = ''] = await questions(of, taskId, 2);
      await of.act(taskId, { clientActionId: 'r', suspendId: right, actionType: 'ok', payload: { side: 'right' } });
      expect((await of.snapshot(taskId)).state).toBe('suspended');
      await of.act(taskId, { clientActionId: 'l', suspendId: left, actionType: 'no', payload: { side: 'left' } });
      const [late = ''] = await questions(of, taskId, 1);
      await of.act(taskId, { clientActionId: 'late', suspendId: late, actionType: 'ok' });
      const facts = await told(of, taskId);
      expect(short(facts)).toEqual([
        'STARTED',
        'SUSPENDED',
        'SUSPENDED',
        'ACTION_ACCEPTED',
        'ACTION_ACCEPTED',
        'PROGRESS',
        'SUSPENDED',
        'ACTION_ACCEPTED',
        'COMPLETED',
      ]);
      expect(facts.at(-1)?.payload).toEqual({ result: { answers: { left: { side: 'left' }, right: { side: 'right' }, late: {} } } });
    });

    test('hears of the first accepted answer only', async () => {
      const { of, taskId } = await run({ do: 'ask', keys: ['q', 'other'] });
      const [q = '', other = ''] = await questions(of, taskId, 2);
      await expect(of.act(taskId, { clientActionId: 'x', suspendId: q, actionType: 'maybe' })).rejects.toMatchObject({
        code: 'ACTION_NOT_ALLOWED',
      });
      await of.act(taskId, { clientActionId: 'a', suspendId: q, actionType: 'ok', payload: { n: 1 } });
      expect(await of.act(taskId, { clientActionId: 'a', suspendId: q, actionType: 'ok', payload: { n: 1 } })).toMatchObject({
        status: 'DEDUPLICATED',
      });
      expect(await of.act(taskId, { clientActionId: 'b', suspendId: q, actionType: 'ok', payload: { n: 2 } })).toMatchObject({
        status: 'REJECTED_ALREADY_RESOLVED',
      });
      await of.act(taskId, { clientActionId: 'c', suspendId: other, actionType: 'ok' });
      const facts = await told(of, taskId);
      expect(short(facts)).toEqual(['STARTED', 'SUSPENDED', 'SUSPENDED', 'ACTION_ACCEPTED', 'ACTION_ACCEPTED', 'COMPLETED']);
      expect(facts.at(-1)?.payload).toEqual({ result: { answers: { q: { n: 1 }, other: {} } } });
    });

    test('tells the work of a question that nobody answered in time', async () => {
      const { of, taskId } = await run({ do: 'ask', keys: ['brief'], expiresInMs: 50 }, { do: 'progress', progress: 80 });
      const facts = await told(of, taskId);
      expect(short(facts)).toEqual(['STARTED', 'SUSPENDED', 'SUSPENSION_CLOSED', 'PROGRESS', 'COMPLETED']);
      expect(facts[2]?.payload).toMatchObject({ outcome: 'EXPIRED' });
      expect(facts.at(-1)?.payload).toEqual({ result: { answers: { brief: 'SUSPENSION_EXPIRED' } } });
    });

    test('fails work that cannot go on without an answer', async () => {
      const { of, taskId } = await run({ do: 'insist', keys: ['brief'], expiresInMs: 50 });
      expect((await told(of, taskId)).at(-1)).toMatchObject({
        type: 'TASK_FAILED',
        payload: { code: 'SUSPENSION_EXPIRED', retryable: false },
      });
    });

    test('fails the task with the code that the work gives, or with its own for any other throw', async () => {
      const given = await run({ do: 'fail', code: 'NO_FUNDS', message: 'The account is empty.', retryable: true });
      expect((await told(given.of, given.taskId)).at(-1)?.payload).toEqual({
        code: 'NO_FUNDS',
        message: 'The account is empty.',
        retryable: true,
      });
      const other = await run({ do: 'throw', message: 'oh' });
      expect((await told(other.of, other.taskId)).at(-1)?.payload).toEqual({ code: 'HANDLER_FAILED', message: 'oh', retryable: false });
    });

    test('fails work that reports what no fact may say', async () => {
      const { of, taskId } = await run({ do: 'progress', progress: 150 });
      const facts = await told(of, taskId);
      expect(short(facts)).toEqual(['STARTED', 'FAILED']);
      expect(facts.at(-1)?.payload).toMatchObject({ code: 'REPORT_REFUSED' });
    });

    test('never says a word of a task that was cancelled before it began', async () => {
      const { executor, store } = open();
      let release: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const asked: string[] = [];
      const orders: unknown[] = [];
      const of = await bridgeOf(
        {
          ...executor,
          start(work) {
            asked.push(work.taskId);
            return gate.then(() => executor.start(work));
          },
          cancel: (attempt, order) => executor.cancel(attempt, order).finally(() => orders.push(order)),
        },
        { store },
      );
      const created = of.start('scripted', { steps: [{ do: 'progress', progress: 1 }, { do: 'wait' }] });
      const taskId = await vi.waitFor(() => asked[0] ?? expect.fail('not asked to start yet'), WAIT);
      await of.cancel(taskId, 'too late');
      release();
      await created;
      // Told, it has nothing more to say.
      await vi.waitFor(() => expect(orders).toContainEqual({ why: 'ended' }), WAIT);
      expect(short(await told(of, taskId))).toEqual(['CANCELLED']);
    });

    test('stops running work that somebody cancels', async () => {
      const { of, taskId } = await run({ do: 'progress', progress: 1 }, { do: 'wait' });
      await vi.waitFor(async () => expect(await of.facts(taskId)).toHaveLength(2), WAIT);
      await of.cancel(taskId, 'enough');
      const facts = await told(of, taskId);
      expect(short(facts)).toEqual(['STARTED', 'PROGRESS', 'CANCEL_REQUESTED', 'CANCELLED']);
      expect(facts.at(-1)?.payload).toEqual({ reason: 'enough' });
    });

    test('withdraws the questions of work that waits, and ends it at once', async () => {
      const { of, taskId } = await run({ do: 'ask', keys: ['a', 'b'] }, { do: 'progress', progress: 99 });
      await questions(of, taskId, 2);
      await of.cancel(taskId);
      expect((await of.snapshot(taskId)).state).toBe('cancelled');
      expect(short(await told(of, taskId))).toEqual([
        'STARTED',
        'SUSPENDED',
        'SUSPENDED',
        'SUSPENSION_CLOSED',
        'SUSPENSION_CLOSED',
        'CANCELLED',
      ]);
    });

    test('bears being told everything twice', async () => {
      const { executor, store } = open();
      const twice: TaskExecutor = {
        ...executor,
        resume: (...args) => executor.resume(...args).then(() => executor.resume(...args)),
        cancel: (...args) => executor.cancel(...args).then(() => executor.cancel(...args)),
      };
      const of = await bridgeOf(twice, { store });
      const taskId = await of.start('scripted', { steps: [{ do: 'ask', keys: ['q'] }, { do: 'wait' }] });
      const [q = ''] = await questions(of, taskId, 1);
      await of.act(taskId, { clientActionId: 'a', suspendId: q, actionType: 'ok' });
      await of.cancel(taskId, 'enough');
      expect(short(await told(of, taskId))).toEqual(['STARTED', 'SUSPENDED', 'ACTION_ACCEPTED', 'CANCEL_REQUESTED', 'CANCELLED']);
    });
  });
}

/** The open questions, once there are as many. */
function questions(of: RunningBridge, taskId: string, count: number): Promise<string[]> {
  return vi.waitFor(async () => {
    const { suspensions } = await of.snapshot(taskId);
    expect(suspensions).toHaveLength(count);
    return suspensions.map(({ suspendId }) => suspendId);
  }, WAIT);
}

/** The whole log, once it has ended: dense, and nothing after its end. */
async function told(of: RunningBridge, taskId: string): Promise<Fact[]> {
  const facts = await vi.waitFor(async () => {
    const so = await of.facts(taskId);
    expect(so.some(({ type }) => isTerminalType(type))).toBe(true);
    return so;
  }, WAIT);
  expect(facts.map(({ eventId }) => parseEventId(eventId)?.n)).toEqual(facts.map((_, i) => i + 1));
  expect(facts.findIndex(({ type }) => isTerminalType(type))).toBe(facts.length - 1);
  return facts;
}

function short(facts: readonly Fact[]): string[] {
  return facts.map(({ type }) => type.replace('TASK_', ''));
}
