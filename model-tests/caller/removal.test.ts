import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import type { TaskExecutor } from 'taskbridge/server';
import { createTestBridge, type TestBridgeOptions } from 'taskbridge/server/testing';
import { listen } from '../http/listen.ts';
import { idsOf } from './own-bridge.ts';

const UNKNOWN = 'f'.repeat(32);
const ann = { subject: 'ann' };

async function world(options: TestBridgeOptions = {}) {
  const script = { steps: [{ ask: 'which', question: { reasonCode: 'WHICH', allowedActions: ['one'] } }] } as const;
  const attachments = memoryAttachments();
  const test = await createTestBridge({
    work: { quick: {}, asking: script },
    logger: { warn: () => undefined, error: () => undefined },
    attachments,
    ...options,
  });
  onTestFinished(test.close);
  const tasks = test.bridge.tasks(ann);
  const start = async (taskType: string, clientRequestId: string, content?: string) => {
    const files = content === undefined ? [] : [{ fileName: 'a', content }];
    const { taskId, deduplicated } = await tasks.start({ clientRequestId, taskType, attachments: files });
    await test.advance(0);
    return { taskId, deduplicated };
  };
  const keys = async () => {
    const found: string[] = [];
    for await (const key of attachments.keys(Number.MAX_SAFE_INTEGER)) found.push(key);
    return found;
  };
  return { ...test, tasks, start, keys, attachments };
}

describe('a task that is removed', () => {
  it('is gone with its files, its place in the list, what it counted for and its request id, and nothing happens the second time', async () => {
    const { tasks, start, keys, bridge, store } = await world();
    const [gone, kept] = [await start('quick', 'r', 'a file'), await start('quick', 'other', 'another')];
    expect(await keys()).toHaveLength(2);
    await tasks.remove(gone.taskId);
    await tasks.remove(gone.taskId);
    await expect(tasks.get(gone.taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await expect(tasks.poll(gone.taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect((await tasks.list()).tasks.map(({ taskId }) => taskId)).toEqual([kept.taskId]);
    expect(await keys()).toEqual([`${kept.taskId}/0`]);
    expect(await bridge.system.counts()).toEqual([{ state: 'completed', type: 'quick', count: 1 }]);
    await vi.waitFor(async () => expect((await store.shares('ann')).shares.tasks).toBe(1));
    expect(await start('quick', 'r')).toMatchObject({ deduplicated: false });
  });

  it('has ended: one that has not is refused by name, and left as it is', async () => {
    const { tasks, start, advance } = await world();
    const { taskId } = await start('asking', 'r');
    await expect(tasks.remove(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_ENDED', retryAfterSeconds: undefined });
    expect((await tasks.get(taskId)).state).toBe('suspended');
    await tasks.cancel(taskId);
    await advance(0);
    await tasks.remove(taskId);
    await expect(tasks.get(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('is the caller’s own; another’s, an unknown one and what is no id are left alone without a word', async () => {
    const { tasks, start, bridge } = await world();
    const { taskId } = await start('quick', 'r');
    for (const id of [taskId, UNKNOWN, 'no id', '']) expect(await bridge.tasks({ subject: 'bob' }).remove(id)).toBe(undefined);
    await bridge.system.tasks('bob').remove(taskId);
    expect((await tasks.get(taskId)).state).toBe('completed');
    await bridge.system.tasks('ann').remove(taskId);
    await expect(tasks.get(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('may be changed by the caller, not only seen', async () => {
    const { tasks, start } = await world({ ownership: { allowAccess: (_auth, _about, access) => access === 'read' } });
    const { taskId } = await start('quick', 'r');
    await expect(tasks.remove(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect((await tasks.get(taskId)).state).toBe('completed');
  });

  it('is one whose work knows that it has ended', async () => {
    const inner = inProcess({ outside: () => new Promise(() => undefined) });
    let isReachable = false;
    // As an outside system that has the work, and cannot be told now.
    const outside: TaskExecutor = {
      ...inner,
      leased: false,
      start: async () => ({ status: 'started' }),
      cancel: async () => {
        if (!isReachable) throw new Error('away');
      },
      inspect: async () => ({ status: 'running' }),
    };
    const { tasks, start, advance } = await world({ executor: () => outside, tasks: { cancelGraceMs: 1000 } });
    const { taskId } = await start('outside', 'r');
    await tasks.cancel(taskId);
    await advance(5000);
    expect((await tasks.get(taskId)).state).toBe('cancelled');
    await expect(tasks.remove(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_ENDED', retryAfterSeconds: 1 });
    isReachable = true;
    await advance(60_000);
    await tasks.remove(taskId);
    await expect(tasks.get(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('is tried again where something happens to it meanwhile, and stays where that does not end', async () => {
    const inner = memoryStore();
    let conflicts = 0;
    const store = {
      ...inner,
      async remove(...asked: Parameters<typeof inner.remove>) {
        return (conflicts -= 1) >= 0 ? ('conflict' as const) : inner.remove(...asked);
      },
    };
    const { tasks, start } = await world({ store });
    const { taskId } = await start('quick', 'r');
    conflicts = 5;
    await expect(tasks.remove(taskId)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    conflicts = 4;
    await tasks.remove(taskId);
    await expect(tasks.get(taskId)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('is gone though its files cannot be removed, or its reply was lost', async () => {
    const inner = memoryStore();
    let isLost = true;
    const store = {
      ...inner,
      async remove(...asked: Parameters<typeof inner.remove>) {
        const outcome = await inner.remove(...asked);
        if (isLost) throw new Error('lost');
        return outcome;
      },
    };
    const attachments = { ...memoryAttachments(), remove: () => Promise.reject(new Error('away')) };
    const { tasks, start } = await world({ store, attachments });
    const { taskId } = await start('quick', 'r', 'a file');
    await expect(tasks.remove(taskId)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await tasks.remove(taskId);
    isLost = false;
    await tasks.remove((await start('quick', 'r2', 'a file')).taskId);
    expect((await tasks.list()).tasks).toEqual([]);
  });

  it('is told to those who read its log as one whose time was over', async () => {
    const { tasks, start } = await world();
    const { taskId } = await start('quick', 'r');
    const whole = await idsOf(tasks.watch(taskId));
    const watching = tasks.watch(taskId)[Symbol.asyncIterator]();
    await watching.next();
    await tasks.remove(taskId);
    // What it was given is what it has; the log is not asked for again.
    expect(whole.length).toBeGreaterThan(1);
    expect(await idsOf({ [Symbol.asyncIterator]: () => watching })).toEqual(whole.slice(1));
    await expect(tasks.watch(taskId)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('is removed over HTTP: 204 with nothing in it, 409 while it runs, and 403 from a foreign page', async () => {
    const { bridge, start, tasks } = await world({ auth: () => ann });
    const { url, close } = await listen(bridge.middleware());
    onTestFinished(close);
    const remove = async (id: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${url}/api/v1/tasks/${id}`, { method: 'DELETE', headers });
      const body = await response.text();
      return [response.status, body === '' ? '' : (JSON.parse(body) as { code: string }).code];
    };
    const [ended, running] = [await start('quick', 'r'), await start('asking', 'r2')];
    const foreign = { cookie: 'session=1', origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect(await remove(ended.taskId, foreign)).toEqual([403, 'ORIGIN_NOT_ALLOWED']);
    expect((await tasks.get(ended.taskId)).state).toBe('completed');
    expect(await remove(ended.taskId)).toEqual([204, '']);
    expect(await remove(ended.taskId)).toEqual([204, '']);
    expect(await remove(UNKNOWN)).toEqual([204, '']);
    expect(await remove(running.taskId)).toEqual([409, 'TASK_NOT_ENDED']);
  });
});
