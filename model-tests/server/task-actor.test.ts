import { toPromise, waitFor } from 'xstate';
import { expect, test, vi } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import type { TaskActor, TaskBridgeOptions } from '../../server/index.ts';
import { bridgeOf } from './bridge-of.ts';

/** Work that asks and tells what it was answered. */
const asks = () =>
  inProcess({
    ask: async (task) => {
      const { actionType, payload } = await task.suspend('sure', {
        kind: 'USER_ACTION_REQUIRED',
        reasonCode: 'SURE',
        allowedActions: ['yes'],
      });
      return { actionType, payload };
    },
    fail: async () => {
      throw new Error('No.');
    },
  });

async function asking(options: Partial<TaskBridgeOptions> = {}) {
  const of = await bridgeOf(asks(), options);
  const taskId = await of.start('ask');
  const actor = await of.bridge.actor(taskId);
  await waitFor(actor, (now) => now.hasTag('waiting'));
  const [suspendId = ''] = actor.getSnapshot().context.openSuspensionIds;
  return { ...of, taskId, actor, suspendId };
}

/** All that an actor tells, by type, and the codes of what was refused. */
function heardOf(actor: TaskActor): string[] {
  const heard: string[] = [];
  actor.on('*', (told) => heard.push(told.type === 'refused' ? `refused ${told.request.type} ${told.code}` : told.type));
  return heard;
}

test('takes an answer and tells what it became, and ends with the result', async () => {
  const { actor, suspendId } = await asking();
  const heard = heardOf(actor);
  actor.send({ type: 'action.submit', suspendId, actionType: 'yes', payload: { note: 'By the host.' } });
  expect(await toPromise(actor)).toMatchObject({
    status: 'COMPLETED',
    result: { actionType: 'yes', payload: { note: 'By the host.' } },
  });
  expect(heard).toEqual(['TASK_ACTION_ACCEPTED', 'TASK_COMPLETED']);
});

test('takes a cancel, and refuses the one that comes behind it, whoever sent it', async () => {
  const { actor, bridge, taskId } = await asking();
  const late = await bridge.actor(taskId);
  const heard = heardOf(late);
  actor.send({ type: 'task.cancel', reason: 'By the host.' });
  late.send({ type: 'task.cancel' });
  expect(await toPromise(actor)).toEqual({ status: 'CANCELLED', cancellation: { reason: 'By the host.' } });
  await toPromise(late);
  // Also where the answer comes when the actor has ended.
  await vi.waitFor(() => expect(heard).toHaveLength(3));
  expect(new Set(heard)).toEqual(new Set(['refused task.cancel ALREADY_TERMINAL', 'TASK_SUSPENSION_CLOSED', 'TASK_CANCELLED']));
});

test('refuses reports, facts and whatever else moves nothing, by their names', async () => {
  const warn = vi.fn();
  const { actor, bridge, taskId, facts } = await asking({ logger: { warn, error: warn } });
  const other = await bridge.actor(taskId);
  const before = await facts(taskId);
  const heard = heardOf(actor);
  const forged = [
    { type: 'TASK_COMPLETED', taskId, eventId: '9-9', createdAt: '2026-01-01T00:00:00Z', payload: { result: 1 } },
    { type: 'report.completed', payload: { result: 1 } },
    { type: 'task.fail', payload: { code: 'X', message: 'X', retryable: false } },
    { type: 'log.joined' },
    { type: 'log.advanced', fact: before[0], snapshot: { status: 'done', output: 1 } },
  ];
  for (const event of forged) actor.send(event as never);
  expect(heard).toEqual(forged.map(({ type }) => `refused ${type} INVALID_REQUEST`));
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('sent what a host may not say'), { taskId, type: 'TASK_COMPLETED' });
  for (const one of [actor, other]) expect(one.getSnapshot()).toMatchObject({ status: 'active', value: { active: 'suspended' } });
  expect(await facts(taskId)).toEqual(before);
});

test('refuses with the codes of the routes what is not whole, not allowed or not there', async () => {
  const { actor, suspendId } = await asking();
  const refused: unknown[] = [];
  actor.on('refused', ({ code, message, request }) => refused.push([code, 'clientActionId' in request && request.clientActionId, message]));
  const send = (request: object) => actor.send({ type: 'action.submit', suspendId, actionType: 'yes', ...request });
  send({ clientActionId: 'a', actionType: 'no' });
  send({ clientActionId: 'b', suspendId: 'nobody' });
  send({ clientActionId: 'c', suspendId: undefined });
  send({ clientActionId: 'd', payload: 'text' });
  await vi.waitFor(() => expect(refused).toHaveLength(4));
  expect(new Set(refused)).toEqual(
    new Set([
      ['ACTION_NOT_ALLOWED', 'a', expect.stringContaining('"no"')],
      ['TASK_NOT_FOUND', 'b', expect.any(String)],
      ['REQUEST_VALIDATION_ERROR', 'c', expect.any(String)],
      ['REQUEST_VALIDATION_ERROR', 'd', expect.any(String)],
    ]),
  );
});

test('asks the host’s policy in the name of the owner, keeps the answer and takes it once', async () => {
  const refuseAction = vi.fn((_auth, _about, { payload }: { payload: { amount?: number } }) =>
    payload.amount === 1 ? undefined : 'Too much.',
  );
  const { actor, suspendId, taskId, act } = await asking({ actions: { refuseAction: refuseAction as never } });
  const heard = heardOf(actor);
  const answer = { type: 'action.submit', suspendId, actionType: 'yes', clientActionId: 'mine' } as const;
  actor.send({ ...answer, payload: { amount: 2 } });
  await vi.waitFor(() => expect(heard).toEqual(['refused action.submit INVALID_REQUEST']));
  actor.send({ ...answer, payload: { amount: 1 } });
  expect(await toPromise(actor)).toMatchObject({ result: { payload: { amount: 1 } } });
  expect(refuseAction.mock.calls[0]?.slice(0, 2)).toMatchObject([{ subject: 'alice' }, { taskId }]);
  // The receipt is that of a route's answer.
  const again = { clientActionId: 'mine', suspendId, actionType: 'yes', payload: { amount: 1 } };
  expect(await act(taskId, again)).toMatchObject({ status: 'DEDUPLICATED' });
});

test('is a handle for each caller: one lets go, and the other goes on', async () => {
  const { actor, bridge, taskId, suspendId } = await asking();
  const mine = await bridge.actor(taskId);
  expect(mine).not.toBe(actor);
  const complete = vi.fn();
  mine.subscribe({ complete });
  mine.stop();
  expect([mine.getSnapshot().status, actor.getSnapshot().status, complete.mock.calls.length]).toEqual(['stopped', 'active', 1]);
  actor.send({ type: 'action.submit', suspendId, actionType: 'yes' });
  expect(await toPromise(actor)).toMatchObject({ status: 'COMPLETED' });
  expect(mine.getSnapshot().value).toEqual({ active: 'suspended' });
});

test('says what it can by what this node knows', async () => {
  const { actor, suspendId } = await asking();
  const can = (request: object) => actor.getSnapshot().can(request as never);
  const asked = [
    { type: 'task.cancel' },
    { type: 'action.submit', suspendId, actionType: 'yes' },
    { type: 'action.submit', suspendId, actionType: 'no' },
    { type: 'action.submit', suspendId: 'nobody', actionType: 'yes' },
    { type: 'report.completed', payload: {} },
    { type: 'TASK_COMPLETED', payload: {} },
  ];
  expect(asked.map(can)).toEqual([true, true, false, false, false, false]);
  const before = actor.getSnapshot();
  actor.send({ type: 'task.cancel' });
  await toPromise(actor);
  expect(asked.map(can)).toEqual(asked.map(() => false));
  // A snapshot is of its moment.
  expect(before.can({ type: 'task.cancel' })).toBe(true);
});

test('ends with a failure as its output, and begins so where the task had ended', async () => {
  const { bridge, start } = await bridgeOf(asks());
  const taskId = await start('fail');
  const output = await toPromise(await bridge.actor(taskId));
  expect(output).toMatchObject({ status: 'FAILED', failure: { code: 'HANDLER_FAILED' } });
  const again = await bridge.actor(taskId);
  expect(again.getSnapshot()).toMatchObject({ status: 'done', value: 'failed', output });
  expect(await toPromise(again)).toEqual(output);
});

test('finds the result of a task that ended on another node in its log', async () => {
  const memory = createMemory();
  const { actor, suspendId, taskId } = await asking({ store: memoryStore({ memory }) });
  actor.send({ type: 'action.submit', suspendId, actionType: 'yes' });
  const output = await toPromise(actor);
  const other = await bridgeOf(asks(), { store: memoryStore({ memory }) });
  expect(await toPromise(await other.bridge.actor(taskId))).toEqual(output);
  // Typed by the status.
  expect(output.status === 'COMPLETED' && output.result).toMatchObject({ actionType: 'yes' });
});

test('refuses more requests than may wait for their answers, and takes more when they have come', async () => {
  const answered: ((refusal: string | undefined) => void)[] = [];
  const allow = (refusal: string | undefined) => answered.splice(0).forEach((answer) => answer(refusal));
  const refuseAction = () => new Promise<string | undefined>((resolve) => answered.push(resolve));
  const { actor, suspendId } = await asking({ actions: { refuseAction }, tasks: { waitingIntentsMax: 2 } });
  const heard = heardOf(actor);
  const send = () => actor.send({ type: 'action.submit', suspendId, actionType: 'yes' });
  [send, send, send].forEach((one) => one());
  expect(heard).toEqual(['refused action.submit RATE_LIMITED']);
  await vi.waitFor(() => expect(answered).toHaveLength(2));
  allow('Not now.');
  await vi.waitFor(() => expect(heard).toHaveLength(3));
  send();
  await vi.waitFor(() => expect(answered).toHaveLength(1));
  allow(undefined);
  expect(await toPromise(actor)).toMatchObject({ status: 'COMPLETED' });
});

test('selects, persists and observes as XState’s own actors do', async () => {
  const { actor, suspendId } = await asking();
  expect(JSON.parse(JSON.stringify(actor.getPersistedSnapshot()))).toMatchObject({ status: 'active', value: { active: 'suspended' } });
  const states: unknown[] = [];
  const selected = actor.select(({ value }) => (typeof value === 'string' ? value : value.active));
  selected.subscribe((value) => states.push(value));
  expect(selected.get()).toBe('suspended');
  const end = waitFor(actor, (now) => now.status === 'done');
  actor.send({ type: 'action.submit', suspendId, actionType: 'yes' });
  expect((await end).output).toMatchObject({ status: 'COMPLETED' });
  expect(states).toEqual(['running', 'completed']);
});
