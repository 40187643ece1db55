import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import type { Task } from 'taskbridge/adapters/in-process';
import type { TestBridgeOptions } from 'taskbridge/server/testing';
import { filesFixture } from './files-fixture.ts';

/** A bridge whose one task does what it is told to. */
export async function attachFixture(make: (task: Task) => Promise<unknown>, options: TestBridgeOptions = {}) {
  const work: TestBridgeOptions = { work: { make: { repeatable: true, run: async (task) => void (await make(task)) } } };
  const test = await filesFixture({ ...work, ...options });
  const { tasks } = test;
  const start = async (clientRequestId = 'r') => (await tasks.start({ clientRequestId, taskType: 'make' })).taskId;
  const textOf = async (taskId: string, name: string) => (await buffer(await (await tasks.attachment(taskId, name)).open())).toString();
  return { ...test, start, textOf };
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
