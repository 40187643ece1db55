import type { InspectionEvent } from 'xstate';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryAttachments } from '../../adapters/memory/index.ts';
import { defineTasks, task } from '../../machines/contract/index.ts';
import type { TaskBridgeOptions } from '../../server/index.ts';
import { CommandProcessor } from '../../server/task/command-processor.ts';
import { seenActors } from '../support/inspector-record.ts';
import { bridgeOf } from './bridge-of.ts';

const quick = () =>
  inProcess({ quick: async () => 1, ask: async (run) => void (await run.suspend('q', { reasonCode: 'Q', allowedActions: ['yes'] })) });

/** A bridge that is inspected: what was decided of a task, or of creates that became none, and which actors have been stopped. */
async function inspected({
  tasksMax = 100,
  ...options
}: Partial<Omit<TaskBridgeOptions, 'inspect'>> & { readonly tasksMax?: number } = {}) {
  const { seen, inspect } = seenActors();
  const stopped = new Set<string>();
  const both = (event: InspectionEvent): void => {
    inspect(event);
    const { id } = event.actorRef as { readonly id?: string };
    if (event.type === '@xstate.snapshot' && event.event.type === 'xstate.stop' && id) stopped.add(id);
  };
  const host = await bridgeOf(quick(), { inspect: { inspect: both, tasksMax, filter: ({ owner }) => owner !== 'secret' }, ...options });
  const decided = (id: string): string[] =>
    seen
      .filter((one) => one.id === id && one.type === '@xstate.event')
      .map(({ event }) => [event.type, event.source, event.refusal].filter(Boolean).join(' '));
  const made = (id: string): number => seen.filter((one) => one.id === id && one.type === '@xstate.actor').length;
  return { ...host, seen, stopped, decided, made };
}

const body = { clientRequestId: 'r', taskType: 'ask' };

test('shows each create on the root of its task, with its source and what became of it', async () => {
  const { create, bridge, decided, seen } = await inspected();
  const { taskId } = await create(body);
  await create(body);
  await bridge.tasks({ subject: 'alice' }).start(body);
  await expect(create({ ...body, input: { other: 1 } })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  const creates = decided(taskId).filter((event) => event.startsWith('task.create'));
  expect(creates).toEqual([
    'task.create http',
    'task.create http DEDUPLICATED',
    'task.create host DEDUPLICATED',
    'task.create http IDEMPOTENCY_CONFLICT',
  ]);
  // The first thing of all; the claim that was in it is the first of its attempt.
  expect(decided(taskId)[0]).toBe('task.create http');
  const attempt = seen.filter(({ id, parent, type }) => id === 'attempt' && parent === taskId && type === '@xstate.event');
  expect(attempt[0]?.event.type).toBe('attempt.claimed');
  const own = seen.find(({ id, event }) => id === taskId && event.type === 'task.create');
  expect(own?.event).toEqual({ type: 'task.create', clientRequestId: 'r', taskType: 'ask', source: 'http' });
  const hosts = await bridge.tasks({ subject: 'bob' }).start({ ...body, title: 'Mine', labels: ['a'] });
  expect(seen.find(({ id, event }) => id === hosts.taskId && event.type === 'task.create')?.event).toMatchObject({
    ...{ title: 'Mine', labels: ['a'], source: 'host' },
  });
});

test('shows a create that became no task, and why, on one actor for all of them', async () => {
  const contract = defineTasks({ quick: task({ input: z.object({ rows: z.number() }) }) });
  const { create, bridge, decided, made, seen } = await inspected({
    contract,
    tasks: { tasksPerOwnerMax: 1 },
    attachments: memoryAttachments(),
    uploads: { refuseUpload: (_auth, files) => (files.length > 1 ? 'One is enough.' : undefined) },
    ownership: { allowAccess: () => true, refuseCreate: ({ subject }) => (subject === 'mallory' ? 'Not you.' : undefined) },
  });
  const alice = bridge.tasks({ subject: 'alice' });
  const file = { fileName: 'a.txt', contentType: 'text/plain', content: 'a' };
  await expect(create({ clientRequestId: '1', taskType: 'nothing' })).rejects.toMatchObject({ code: 'REQUEST_VALIDATION_ERROR' });
  await expect(create({ clientRequestId: '2', taskType: 'quick', input: { rows: 'many' } })).rejects.toMatchObject({
    code: 'REQUEST_VALIDATION_ERROR',
  });
  await expect(alice.start({ clientRequestId: '3', taskType: 'nothing', attachments: [file] })).rejects.toThrow();
  await expect(alice.start({ clientRequestId: '4', taskType: 'quick', input: { rows: 1 }, attachments: [file, file] })).rejects.toThrow(
    'One is enough',
  );
  await expect(bridge.tasks({ subject: 'mallory' }).start({ clientRequestId: '5', taskType: 'quick' })).rejects.toThrow('Not you');
  await create({ clientRequestId: '6', taskType: 'quick', input: { rows: 1 } });
  await expect(create({ clientRequestId: '7', taskType: 'quick', input: { rows: 1 } })).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await expect(bridge.tasks({ subject: 'secret' }).start({ clientRequestId: '8', taskType: 'nothing' })).rejects.toThrow();
  expect(decided('creates')).toEqual([
    'task.create http REQUEST_VALIDATION_ERROR',
    'task.create http REQUEST_VALIDATION_ERROR',
    'task.create host REQUEST_VALIDATION_ERROR',
    'task.create host UPLOAD_VALIDATION_ERROR',
    'task.create host TASK_OWNERSHIP_ERROR',
    'task.create http RATE_LIMITED',
  ]);
  expect(made('creates')).toBe(1);
  expect(seen.filter(({ id }) => id === 'creates').map(({ event }) => (event as { clientRequestId?: string }).clientRequestId)).toEqual([
    undefined,
    ...['1', '2', '3', '4', '5', '7'],
  ]);
});

test('shows a removal, by whom, and shows its task no longer', async () => {
  const { start, bridge, decided, stopped, snapshot, cancel } = await inspected();
  const alice = bridge.tasks({ subject: 'alice' });
  const taskId = await start('ask');
  await vi.waitFor(async () => expect((await snapshot(taskId)).state).toBe('suspended'));
  await expect(alice.remove(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_ENDED' });
  expect(decided(taskId).at(-1)).toBe('task.remove host TASK_NOT_ENDED');
  await cancel(taskId);
  await vi.waitFor(async () => expect((await snapshot(taskId)).state).toBe('cancelled'));
  await vi.waitFor(() => alice.remove(taskId));
  expect(decided(taskId).at(-1)).toBe('task.remove host');
  expect(stopped).toContain(taskId);
});

test('shows the end of a task that was kept for long enough as the scheduler’s', async () => {
  const { start, bridge, decided, stopped } = await inspected({ tasks: { retainedAfterEndMs: 1 } });
  const taskId = await start('quick');
  await vi.waitFor(async () => {
    await bridge.prune();
    expect(decided(taskId).at(-1)).toBe('task.remove scheduler');
  });
  expect(stopped).toContain(taskId);
});

test('shows what is refused before a chart is asked: of a stranger, and by whoever checks an answer', async () => {
  const { start, bridge, decided, snapshot, act } = await inspected({ actions: { refuseAction: () => 'Not so.' } });
  const taskId = await start('ask');
  await vi.waitFor(async () => expect((await snapshot(taskId)).suspensions).toHaveLength(1));
  const [question] = (await snapshot(taskId)).suspensions;
  const action = { clientActionId: 'c', suspendId: question?.suspendId ?? '', actionType: 'yes' };
  const begun = decided(taskId).length;
  await expect(act(taskId, action)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  const mallory = bridge.tasks({ subject: 'mallory' });
  await expect(mallory.cancel(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  await expect(mallory.act(taskId, action)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  await mallory.remove(taskId);
  expect(decided(taskId).slice(begun)).toEqual([
    'action.submit http INVALID_REQUEST',
    'task.cancel host TASK_NOT_FOUND',
    'action.submit host TASK_NOT_FOUND',
  ]);
});

test('makes nothing of what is decided without charts where nobody inspects', () => {
  const make = vi.fn();
  new CommandProcessor({ settings: {} } as never).decided(make);
  expect(make).not.toHaveBeenCalled();
});

test('shows a report that the contract of its task does not take, with the work as its source', async () => {
  const { seen, inspect } = seenActors();
  const tasks = defineTasks({ count: task({ input: z.object({}), result: z.object({ rows: z.number() }) }) });
  const executor = inProcess(
    tasks,
    { count: async () => ({ rows: 'many' }) as never },
    { logger: { warn: () => undefined, error: () => undefined } },
  );
  const host = await bridgeOf(executor, { inspect: { inspect } });
  const taskId = await host.start('count');
  await vi.waitFor(async () => expect((await host.snapshot(taskId)).state).toBe('failed'));
  const refused = seen.filter(({ type, event }) => type === '@xstate.event' && event.refusal === 'REQUEST_VALIDATION_ERROR');
  expect(refused.map(({ event }) => [event.type, event.source])).toEqual([['report.completed', 'work']]);
});
