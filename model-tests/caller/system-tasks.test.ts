import { describe, expect, it, vi } from 'vitest';
import { denyAll, requireScopes } from 'taskbridge/server/access';
import { idsOf, ownBridge } from './own-bridge.ts';

const UNKNOWN = 'f'.repeat(32);

describe('tasks of an owner whom the host names', () => {
  it('are started, read, answered and followed where nobody else may', async () => {
    const { bridge } = await ownBridge({ ownership: denyAll });
    const tasks = bridge.system.tasks('ann');
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'ask' });
    await expect(bridge.tasks({ subject: 'ann' }).get(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await vi.waitFor(async () => expect((await tasks.get(taskId)).state).toBe('suspended'));
    const [question] = (await tasks.get(taskId)).suspensions;
    const action = { clientActionId: 'a', suspendId: question?.suspendId ?? '', actionType: 'first' };
    expect(await tasks.act(taskId, action)).toMatchObject({ status: 'ACCEPTED' });
    expect(await idsOf(tasks.watch(taskId))).toHaveLength(4);
    expect(await tasks.poll(taskId)).toMatchObject({ terminal: true });
    expect(await tasks.cancel(taskId)).toEqual({ taskId, status: 'ALREADY_TERMINAL' });
  });

  it('are those that the owner has, with one receipt for both', async () => {
    const { bridge } = await ownBridge({ ownership: requireScopes() });
    const ann = bridge.tasks({ subject: 'ann', scopes: ['tasks:read', 'tasks:write'] });
    const task = { clientRequestId: 'r', taskType: 'ask' };
    const { taskId } = await bridge.system.tasks('ann').start(task);
    expect(await ann.start(task)).toMatchObject({ taskId, deduplicated: true });
    await expect(bridge.system.tasks('ann').start({ ...task, input: { other: true } })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('are not found under another name, nor is an unknown one', async () => {
    const { bridge, start } = await ownBridge();
    const { taskId } = await start('ann');
    const tasks = bridge.system.tasks('bob');
    for (const id of [taskId, UNKNOWN])
      for (const asked of [
        () => tasks.get(id),
        () => tasks.cancel(id),
        () => tasks.act(id, { clientActionId: 'a', suspendId: 's', actionType: 't' }),
        () => tasks.prepare(id),
        () => idsOf(tasks.watch(id)),
      ])
        await expect(asked()).rejects.toMatchObject({ name: 'TaskBridgeError', code: 'TASK_NOT_FOUND' });
    expect(() => bridge.system.tasks('')).toThrow('without a subject');
  });

  it('are held to what is sound, and to the shares of their owner', async () => {
    const { bridge } = await ownBridge({
      uploads: { refuseUpload: (_auth, files) => (files.length > 0 ? 'No files.' : undefined) },
      actions: { refuseAction: ({ subject }) => `Not so, ${subject}.` },
      tasks: { tasksPerOwnerMax: 1, reconcileMs: 20 },
    });
    const tasks = bridge.system.tasks('ann');
    const rows: [() => Promise<unknown>, string][] = [
      [() => tasks.start({ clientRequestId: '', taskType: 'ask' }), 'REQUEST_VALIDATION_ERROR'],
      [() => tasks.start({ clientRequestId: 'r', taskType: 'nobody runs it' }), 'REQUEST_VALIDATION_ERROR'],
      [
        () => tasks.start({ clientRequestId: 'r', taskType: 'ask', attachments: [{ fileName: 'a', content: 'a' }] }),
        'UPLOAD_VALIDATION_ERROR',
      ],
    ];
    for (const [asked, code] of rows) await expect(asked()).rejects.toMatchObject({ code });
    const { taskId } = await tasks.start({ clientRequestId: 'r', taskType: 'ask' });
    await vi.waitFor(async () => expect((await tasks.get(taskId)).state).toBe('suspended'));
    const suspendId = (await tasks.get(taskId)).suspensions[0]?.suspendId ?? '';
    await expect(tasks.act(taskId, { clientActionId: 'a', suspendId, actionType: 'first' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: 'Not so, ann.',
    });
    await expect(tasks.start({ clientRequestId: 'r2', taskType: 'ask' })).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(await bridge.system.tasks('bob').start({ clientRequestId: 'r', taskType: 'ask' })).toMatchObject({ deduplicated: false });
  });
});
