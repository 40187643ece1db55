import { expect, test, vi } from 'vitest';
import { inProcess, TaskFailure } from '../../adapters/in-process/index.ts';
import { bridgeOf } from './bridge-of.ts';

const types = async (facts: Promise<{ type: string }[]>) => (await facts).map(({ type }) => type.replace('TASK_', ''));

test('runs a task to its end, asking one question on the way', async () => {
  const { snapshot, act, facts, start } = await bridgeOf([
    inProcess({
      async ask(task) {
        await task.progress(10, { stage: 'reading' });
        void task.message('hello');
        const { actionType, payload } = await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['left', 'right'] });
        return { actionType, payload };
      },
    }),
  ]);
  const taskId = await start('ask');
  await vi.waitFor(async () => expect((await snapshot(taskId)).state).toBe('suspended'));
  const [question] = (await snapshot(taskId)).suspensions;
  const answer = { clientActionId: 'a1', suspendId: question?.suspendId ?? '', actionType: 'left', payload: { x: 1 } };
  const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await act(taskId, answer)).status));
  expect(statuses.filter((status) => status === 'ACCEPTED')).toHaveLength(1);
  expect(statuses.filter((status) => status === 'DEDUPLICATED')).toHaveLength(9);
  await vi.waitFor(async () => expect((await snapshot(taskId)).status).toBe('COMPLETED'));
  expect((await snapshot(taskId)).result).toEqual({ actionType: 'left', payload: { x: 1 } });
  expect(await types(facts(taskId))).toEqual(['STARTED', 'PROGRESS', 'MESSAGE', 'SUSPENDED', 'ACTION_ACCEPTED', 'COMPLETED']);
});

test('says of an answer to a question that was never asked that there is no such question, not that there is no task', async () => {
  const { act, start, snapshot } = await bridgeOf(
    inProcess({ wait: async (task) => void (await task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] })) }),
  );
  const taskId = await start('wait');
  await vi.waitFor(async () => expect((await snapshot(taskId)).state).toBe('suspended'));
  const answer = { suspendId: 'never', clientActionId: 'a', actionType: 'ok' };
  await expect(act(taskId, answer)).rejects.toMatchObject({
    code: 'TASK_NOT_FOUND',
    message: 'There is no suspension "never" in this task.',
  });
  await expect(act('f'.repeat(32), answer)).rejects.toMatchObject({ message: `There is no task "${'f'.repeat(32)}" for this caller.` });
});

test('expires a question without any visitor, and tells the handler', async () => {
  const { snapshot, facts, start } = await bridgeOf([
    inProcess({
      async ask(task) {
        try {
          await task.suspend('soon', { reasonCode: 'SOON', allowedActions: ['ok'], expiresInMs: 40 });
          return 'answered';
        } catch (error) {
          return (error as TaskFailure).code;
        }
      },
    }),
  ]);
  const taskId = await start('ask');
  await vi.waitFor(async () => expect((await snapshot(taskId)).result).toBe('SUSPENSION_EXPIRED'));
  expect(await types(facts(taskId))).toEqual(['STARTED', 'SUSPENDED', 'SUSPENSION_CLOSED', 'COMPLETED']);
});

test('cancels a running task that heeds the signal, with the given reason', async () => {
  const { snapshot, cancel, facts, start } = await bridgeOf([
    inProcess({
      run: (task) => new Promise((_, reject) => task.signal.addEventListener('abort', () => reject(task.signal.reason as Error))),
    }),
  ]);
  const taskId = await start('run');
  await vi.waitFor(async () => expect((await snapshot(taskId)).state).toBe('running'));
  expect((await cancel(taskId, 'enough')).status).toBe('CANCELLATION_REQUESTED');
  await vi.waitFor(async () => expect((await snapshot(taskId)).cancellation).toEqual({ reason: 'enough' }));
  expect(await types(facts(taskId))).toEqual(['STARTED', 'CANCEL_REQUESTED', 'CANCELLED']);
  expect((await cancel(taskId)).status).toBe('ALREADY_TERMINAL');
});

test('ends a running task that ignores a cancel after its time of grace', async () => {
  const { snapshot, cancel, facts, start } = await bridgeOf([inProcess({ run: () => new Promise(() => undefined) })], {
    tasks: { cancelGraceMs: 50 },
  });
  const taskId = await start('run');
  await vi.waitFor(async () => expect((await snapshot(taskId)).state).toBe('running'));
  await cancel(taskId);
  await vi.waitFor(async () => expect((await snapshot(taskId)).status).toBe('CANCELLED'));
  expect(await types(facts(taskId))).toEqual(['STARTED', 'CANCEL_REQUESTED', 'CANCELLED']);
});

test('fails a task with the code of its handler', async () => {
  const { snapshot, start } = await bridgeOf([
    inProcess({ run: () => Promise.reject(new TaskFailure('NO_LUCK', 'It did not work.', { retryable: true })) }),
  ]);
  const taskId = await start('run');
  await vi.waitFor(async () =>
    expect((await snapshot(taskId)).failure).toEqual({ code: 'NO_LUCK', message: 'It did not work.', retryable: true }),
  );
});

test('gives a running actor that is fed each committed fact', async () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const { bridge, start } = await bridgeOf([
    inProcess({
      async run(task) {
        await gate;
        for (let i = 1; i <= 5; i++) await task.progress(i * 20);
        return 1;
      },
    }),
  ]);
  const taskId = await start('run');
  const actor = await bridge.actor(taskId);
  const seen: unknown[] = [];
  actor.subscribe(({ context }) => seen.push(context.progress?.progress));
  release();
  await vi.waitFor(() => expect(actor.getSnapshot().status).toBe('done'));
  expect(seen.filter((value) => value !== undefined)).toEqual(expect.arrayContaining([20, 40, 60, 80, 100]));
});
