import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import { inProcess, TaskFailure } from 'taskbridge/adapters/in-process';
import type { TestBridgeOptions } from 'taskbridge/server/testing';
import { filesFixture } from './files-fixture.ts';

/** A bridge whose tasks fail until they are mended, and give what was in their files then. */
export async function retryFixture(options: TestBridgeOptions = {}) {
  let isMended = false;
  let mayRun: Promise<void> | undefined;
  /** Work that begins from now on waits until the answer is called. */
  const hold = (): (() => void) => {
    let release = (): void => undefined;
    mayRun = new Promise((resolve) => (release = resolve));
    return release;
  };
  const test = await filesFixture({
    executor: () =>
      inProcess({
        async count({ attachments: files, input, metadata }) {
          await mayRun;
          if (!isMended) throw new TaskFailure('BROKEN', 'It is broken.', { retryable: true });
          const texts = await Promise.all(files.map(async (file) => (await buffer(await file.open())).toString()));
          return { texts, input, metadata, names: files.map(({ fileName }) => fileName) };
        },
        ask: (task) => task.suspend('q', { reasonCode: 'Q', allowedActions: ['a'] }).then(() => ({})),
      }),
    ...options,
  });
  const { tasks } = test;
  const failed = async (): Promise<string> => {
    const files = [
      { fileName: 'a.csv', content: 'x,y' },
      { fileName: 'b.csv', content: 'z' },
    ];
    const about = { taskType: 'count', input: { n: 1 }, metadata: { by: 'page' }, title: 'July', labels: ['a'], attachments: files };
    const { taskId } = await tasks.start({ clientRequestId: 'first', ...about });
    expect((await test.ended('ann', taskId)).state).toBe('failed');
    return taskId;
  };
  return { ...test, failed, hold, mend: () => (isMended = true) };
}

/** What starting a task again means, on any store. */
export async function startsAgain(options: TestBridgeOptions): Promise<void> {
  const { tasks, failed, mend, hold, ended, keys } = await retryFixture(options);
  const first = await failed();
  mend();
  const release = hold();
  const { taskId, deduplicated } = await tasks.retry(first, { clientRequestId: 'again' });
  expect(deduplicated).toBe(false);
  expect(await keys()).toEqual([first, taskId].flatMap((id) => [`${id}/0`, `${id}/1`]).sort());
  // What becomes of the first is no matter to it.
  await tasks.remove(first);
  release();
  expect(await ended('ann', taskId)).toMatchObject({
    taskType: 'count',
    title: 'July',
    labels: ['a'],
    clientRequestId: 'again',
    result: { texts: ['x,y', 'z'], input: { n: 1 }, metadata: { by: 'page' }, names: ['a.csv', 'b.csv'] },
  });
  expect(await keys()).toEqual([`${taskId}/0`, `${taskId}/1`]);
  expect(await tasks.retry(first, { clientRequestId: 'again' })).toMatchObject({ taskId, deduplicated: true });
}
