import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished } from 'vitest';
import type { Task } from 'taskbridge/adapters/in-process';
import { memoryAttachments } from 'taskbridge/adapters/memory';
import { createTestBridge, type TestBridgeOptions } from 'taskbridge/server/testing';

/** A bridge whose one task does what it is told to. */
export async function attachFixture(work: (task: Task) => Promise<unknown>, options: TestBridgeOptions = {}) {
  const attachments = options.attachments ?? memoryAttachments();
  const test = await createTestBridge({
    work: { make: { repeatable: true, run: async (task) => void (await work(task)) } },
    logger: { warn: () => undefined, error: () => undefined },
    ...options,
    attachments,
  });
  onTestFinished(test.close);
  const tasks = test.bridge.tasks({ subject: 'ann' });
  const keys = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const key of attachments.keys(Number.MAX_SAFE_INTEGER)) found.push(key);
    return found;
  };
  const start = async (clientRequestId = 'r') => (await tasks.start({ clientRequestId, taskType: 'make' })).taskId;
  const textOf = async (taskId: string, name: string) => (await buffer(await (await tasks.attachment(taskId, name)).open())).toString();
  return { ...test, attachments, tasks, keys, start, textOf };
}

/** What a file of work means, on any store. */
export async function keepsFiles(options: TestBridgeOptions): Promise<void> {
  const { tasks, start, ended, keys, textOf, store } = await attachFixture(async (task) => {
    await task.attach('rows.csv', 'first', 'text/csv');
    await task.attach(
      'rows.csv',
      (async function* () {
        yield 'x,';
        yield new TextEncoder().encode('y');
      })(),
      'text/csv; charset=utf-8',
    );
    await task.attach('Übersicht.txt', new Uint8Array(4));
  }, options);
  const taskId = await start();
  expect((await ended('ann', taskId)).attachments).toEqual([
    { name: 'rows.csv', contentType: 'text/csv; charset=utf-8', bytes: 3, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    { name: 'Übersicht.txt', contentType: 'application/octet-stream', bytes: 4, sha256: expect.any(String) as string },
  ]);
  expect(await textOf(taskId, 'rows.csv')).toBe('x,y');
  expect(await keys()).toHaveLength(2);
  // It counts for its owner as long as it is there.
  const { bytes } = (await store.shares('ann')).shares;
  expect(bytes).toBeGreaterThan(7);
  await tasks.remove(taskId);
  expect(await keys()).toEqual([]);
  await expect(tasks.attachment(taskId, 'rows.csv')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
}
