import type { InspectionEvent } from 'xstate';
import { expect, test, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import type { TaskBridgeOptions } from '../../server/index.ts';
import { TraceWriter } from '../../server/actors/unit-trace.ts';
import { seenActors } from '../support/inspector-record.ts';
import { bridgeOf } from './bridge-of.ts';

const asks = () =>
  inProcess({
    ask: async (task) => {
      await task.progress(40);
      const { expiresInMs } = task.input as { readonly expiresInMs?: number };
      const { actionType } = await task.suspend('sure', {
        reasonCode: 'SURE',
        allowedActions: ['yes'],
        ...(expiresInMs && { expiresInMs }),
      });
      return { actionType };
    },
  });

/** An inspector that notes what each actor is told. */
function inspector() {
  const { seen, inspect, toldTo } = seenActors();
  /** What was decided of a task: the intent, who wished for it, and its refusal. */
  const decided = (taskId: string): string[] =>
    seen
      .filter(({ id, type }) => id === taskId && type === '@xstate.event')
      .map(({ event }) => [event.type, event.source, event.refusal].filter(Boolean).join(' '));
  return { seen, inspect, toldTo, decided };
}

async function asking(options: Partial<TaskBridgeOptions>) {
  const of = await bridgeOf(asks(), options);
  const taskId = await of.start('ask');
  await vi.waitFor(async () => expect((await of.snapshot(taskId)).suspensions).toHaveLength(1));
  const [question] = (await of.snapshot(taskId)).suspensions;
  return { ...of, taskId, suspendId: question?.suspendId ?? '' };
}

test('shows each decision on the task’s root with its source, refusals among them, and what came of it beneath', async () => {
  const { inspect, seen, toldTo, decided } = inspector();
  const { act, bridge, taskId, suspendId, facts, cancel } = await asking({ inspect });
  await act(taskId, { clientActionId: 'a', suspendId, actionType: 'no' }).catch(() => undefined);
  await act(taskId, { clientActionId: 'b', suspendId: 'nobody', actionType: 'yes' }).catch(() => undefined);
  await bridge.tasks({ subject: 'alice' }).act(taskId, { clientActionId: 'c', suspendId, actionType: 'yes' });
  await vi.waitFor(async () => expect((await facts(taskId)).at(-1)?.type).toBe('TASK_COMPLETED'));
  await cancel(taskId);
  expect(decided(taskId)).toEqual([
    'task.create http',
    'report.started work',
    'report.progress work',
    'report.suspended work',
    'action.submit http ACTION_NOT_ALLOWED',
    'action.submit http SUSPENSION_NOT_FOUND',
    'action.submit host',
    'report.completed work',
    'task.cancel http ALREADY_TERMINAL',
  ]);
  const log = (await facts(taskId)).map(({ type }) => type);
  expect(toldTo('task')).toEqual(log);
  expect(toldTo(`questions.${suspendId}`)).toEqual(['TASK_SUSPENDED', 'TASK_ACTION_ACCEPTED']);
  expect(toldTo('attempt')).toEqual(expect.arrayContaining(['attempt.begun', 'attempt.suspended', 'resolution.pending', 'task.ended']));
  const parents = new Map(seen.map(({ id, parent }) => [id, parent]));
  expect(Object.fromEntries(parents)).toEqual({ [taskId]: undefined, task: taskId, attempt: taskId, [`questions.${suspendId}`]: taskId });
});

test('shows what the bridge decides by itself as the scheduler’s, and what an actor asks as the host’s', async () => {
  const { inspect, decided } = inspector();
  const of = await bridgeOf(asks(), { inspect });
  const { taskId } = await of.bridge
    .tasks({ subject: 'alice' })
    .start({ clientRequestId: 'x', taskType: 'ask', input: { expiresInMs: 20 } });
  await vi.waitFor(async () => {
    await of.bridge.reconcile();
    expect(decided(taskId)).toContain('suspension.expire scheduler');
  });
  const waiting = await of.start('ask');
  await vi.waitFor(() => expect(decided(waiting)).toContain('report.suspended work'));
  (await of.bridge.actor(waiting)).send({ type: 'task.cancel' });
  await vi.waitFor(() => expect(decided(waiting)).toContain('task.cancel host'));
});

test('shows what becomes of work that nobody has, as the chart of the attempt ordered it', async () => {
  const { inspect, seen } = inspector();
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const { start, facts } = await bridgeOf(inProcess({ hold: () => held.then(() => ({})) }, { concurrencyMax: 1 }), { inspect });
  const first = await start('hold');
  const second = await start('hold');
  release();
  for (const taskId of [first, second]) await vi.waitFor(async () => expect((await facts(taskId)).at(-1)?.type).toBe('TASK_COMPLETED'));
  const told = seen
    .filter(({ id, parent, type }) => id === 'attempt' && parent === second && type === '@xstate.event')
    .map(({ event }) => event);
  expect(told.slice(0, 2)).toMatchObject([{ type: 'work.due', order: { type: 'work.claim' } }, { type: 'attempt.claimed' }]);
});

test('shows a task anew where another node has written meanwhile', async () => {
  const memory = createMemory();
  const { inspect, seen, toldTo, decided } = inspector();
  const { taskId, suspendId, act } = await asking({ store: memoryStore({ memory }), inspect });
  const other = await bridgeOf(asks(), { store: memoryStore({ memory }) });
  await other.act(taskId, { clientActionId: 'a', suspendId, actionType: 'yes' });
  await vi.waitFor(() => expect(toldTo('task')).toContain('TASK_COMPLETED'));
  expect(seen.filter(({ id, type }) => id === taskId && type === '@xstate.actor').length).toBeGreaterThan(1);
  expect(decided(taskId)).not.toContain('action.submit http');
  // What the others have said is in the charts that it begins with.
  expect(await act(taskId, { clientActionId: 'b', suspendId, actionType: 'yes' })).toMatchObject({ status: 'REJECTED_ALREADY_RESOLVED' });
  expect(decided(taskId)).toContain('action.submit http REJECTED_ALREADY_RESOLVED');
});

test('shows those tasks only that the filter lets through, and as many at once as it may', async () => {
  const { inspect, seen } = inspector();
  const stopped: string[] = [];
  const both = (event: InspectionEvent): void => {
    inspect(event);
    const { id } = event.actorRef as { readonly id?: string };
    if (event.type === '@xstate.snapshot' && event.event.type === 'xstate.stop' && id) stopped.push(id);
  };
  const of = await bridgeOf([asks(), inProcess({ other: async () => 1 })], {
    inspect: { inspect: both, filter: ({ taskType }) => taskType === 'ask', tasksMax: 2 },
  });
  const shown = (taskId: string): boolean => seen.some(({ id }) => id === taskId);
  const hidden = await of.start('other');
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    const taskId = await of.start('ask');
    ids.push(taskId);
    await vi.waitFor(async () => expect((await of.snapshot(taskId)).suspensions).toHaveLength(1));
  }
  expect([hidden, ...ids].map(shown)).toEqual([false, true, true, true]);
  // The first gave its place to the third, with all that is beneath it.
  expect(stopped.map((id) => id.split('.')[0])).toEqual(expect.arrayContaining([ids[0], 'attempt', 'task', 'questions']));
  expect(stopped).not.toContain(ids[1]);
});

test('breaks no commit by an inspector or a filter that throws', async () => {
  const warn = vi.fn();
  const fail = (): never => {
    throw new Error('Broken glass.');
  };
  const logger = { warn, error: warn };
  for (const inspect of [fail, { next: fail }, { inspect: () => undefined, filter: fail }]) {
    const { act, taskId, suspendId, facts } = await asking({ inspect, logger });
    await act(taskId, { clientActionId: 'a', suspendId, actionType: 'yes' });
    await vi.waitFor(async () => expect((await facts(taskId)).at(-1)?.type).toBe('TASK_COMPLETED'));
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('inspect failed'), expect.anything());
    warn.mockClear();
  }
});

test('refuses an inspector that is none, and a limit that cannot be', async () => {
  const make = (inspect: unknown) => bridgeOf(asks(), { inspect: inspect as never });
  await expect(make({ inspect: 'yes' })).rejects.toThrow('inspect must be a function or an observer');
  for (const tasksMax of [0, 1.5, Number.NaN])
    await expect(make({ inspect: () => undefined, tasksMax })).rejects.toThrow('inspect.tasksMax');
});

test('costs nothing where nobody inspects: nothing is taken down', async () => {
  const decided = vi.spyOn(TraceWriter.prototype, 'decided');
  const add = vi.spyOn(TraceWriter.prototype, 'add');
  const { act, taskId, suspendId, facts } = await asking({});
  await act(taskId, { clientActionId: 'a', suspendId, actionType: 'yes' });
  await vi.waitFor(async () => expect((await facts(taskId)).at(-1)?.type).toBe('TASK_COMPLETED'));
  expect([decided.mock.calls, add.mock.calls]).toEqual([[], []]);
  vi.restoreAllMocks();
});
