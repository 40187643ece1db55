import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fileAttachments } from 'taskbridge/adapters/file';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import type { AttachmentStore } from 'taskbridge/server';
import { listen } from '../http/listen.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { retryFixture, startsAgain } from './retry-fixture.ts';

const UNKNOWN = 'f'.repeat(32);
const ann = { subject: 'ann' };

describe('a task that is started again', () => {
  it('is a new one of the same type, input, names and files, in memory', () => startsAgain({}));

  it('is one on a disk, too', async () => {
    const [data, files] = [await tempFolder('retry'), await tempFolder('retry-files')];
    onTestFinished(async () => void (await Promise.all([data.remove(), files.remove()])));
    await startsAgain({ store: lmdbStore({ path: data.path }), attachments: fileAttachments({ path: files.path }) });
  });

  it('is one for a request id, whatever has become of the first, and takes other names where they are given', async () => {
    const { tasks, failed, mend, keys, advance } = await retryFixture();
    const first = await failed();
    mend();
    const named = { clientRequestId: 'again', title: 'August', labels: [], metadata: {} };
    const [one, two] = await Promise.all([tasks.retry(first, named), tasks.retry(first, named)]);
    expect(one.taskId).toBe(two.taskId);
    await advance(0);
    expect(await tasks.get(one.taskId)).toMatchObject({ title: 'August', metadata: {} });
    expect((await tasks.get(one.taskId)).labels).toBe(undefined);
    // Of the one that came too late nothing is left.
    expect(await keys()).toHaveLength(4);
    await tasks.remove(first);
    expect(await tasks.retry(first, named)).toMatchObject({ taskId: one.taskId, deduplicated: true });
    await expect(tasks.retry(one.taskId, named)).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    await expect(tasks.retry(first, { clientRequestId: 'new' })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('has ended, and is the caller’s own to change', async () => {
    const { tasks, bridge, failed, advance } = await retryFixture();
    const first = await failed();
    const again = { clientRequestId: 'again' };
    for (const id of [first, UNKNOWN, 'no id'])
      await expect(bridge.tasks({ subject: 'bob' }).retry(id, again)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    const { taskId } = await tasks.start({ clientRequestId: 'asking', taskType: 'ask' });
    await advance(0);
    await expect(tasks.retry(taskId, again)).rejects.toMatchObject({ code: 'TASK_NOT_ENDED' });
    expect((await bridge.system.tasks('ann').retry(first, again)).deduplicated).toBe(false);
    const seen = await retryFixture({ ownership: { allowAccess: (_auth, _about, access) => access === 'read' } });
    await expect(seen.tasks.retry(await seen.failed(), again)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('is asked of the policies of a create, and counts for its owner', async () => {
    const { tasks, attachments, keys, ended } = await retryFixture({ tasks: { bytesPerOwnerMax: 2000 } });
    const about = { taskType: 'count', attachments: [{ fileName: 'a', content: 'x'.repeat(1000) }] };
    const { taskId } = await tasks.start({ clientRequestId: 'first', ...about });
    await ended('ann', taskId);
    let opened = 0;
    const { open } = attachments;
    attachments.open = (key) => ((opened += 1), open(key));
    const full = tasks.retry(taskId, { clientRequestId: 'again' });
    await expect(full).rejects.toMatchObject({ code: 'RATE_LIMITED', details: { share: 'bytes', max: 2000 } });
    // Before anything was copied.
    expect([opened, await keys()]).toEqual([0, [`${taskId}/0`]]);
    const policed = await retryFixture({ ownership: { refuseCreate: (_, { metadata }) => (metadata['by'] === 'me' ? 'no' : undefined) } });
    const again = policed.tasks.retry(await policed.failed(), { clientRequestId: 'again', metadata: { by: 'me' } });
    await expect(again).rejects.toMatchObject({ code: 'TASK_OWNERSHIP_ERROR' });
  });

  it('is gone where the first was removed while its files were copied, and leaves nothing where they cannot be', async () => {
    const inner = memoryAttachments();
    let onOpen = async (): Promise<void> => undefined;
    const attachments: AttachmentStore = {
      ...inner,
      async open(key) {
        if (key.endsWith('/1')) await onOpen();
        return inner.open(key);
      },
    };
    const { tasks, failed, keys } = await retryFixture({ attachments });
    const first = await failed();
    const broken = Readable.from([Buffer.from('x')]);
    attachments.open = async (key) => (key.endsWith('/1') ? broken.destroy(new Error('away')) : inner.open(key));
    await expect(tasks.retry(first, { clientRequestId: 'again' })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await keys()).toEqual([`${first}/0`, `${first}/1`]);
    attachments.open = async (key) => (await onOpen(), inner.open(key));
    onOpen = () => tasks.remove(first);
    await expect(tasks.retry(first, { clientRequestId: 'again' })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect(await keys()).toEqual([]);
  });

  it('is given up in time by a store of files that never answers', async () => {
    const attachments = memoryAttachments();
    const { tasks, failed, advance, keys } = await retryFixture({ attachments });
    const first = await failed();
    attachments.open = () => new Promise(() => undefined);
    const again = tasks.retry(first, { clientRequestId: 'again' });
    const refusal = expect(again).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await advance(5 * 60 * 1000 + 1);
    await refusal;
    expect(await keys()).toHaveLength(2);
  });

  it('is found by its request id where the answer was lost', async () => {
    const inner = memoryStore();
    let isLost = false;
    const store = {
      ...inner,
      async create(...asked: Parameters<typeof inner.create>) {
        const created = await inner.create(...asked);
        if (isLost) throw new Error('lost');
        return created;
      },
    };
    const { tasks, failed, keys } = await retryFixture({ store });
    const first = await failed();
    isLost = true;
    await expect(tasks.retry(first, { clientRequestId: 'again' })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    isLost = false;
    const { taskId, deduplicated } = await tasks.retry(first, { clientRequestId: 'again' });
    expect(deduplicated).toBe(true);
    expect(await keys()).toEqual([first, taskId].flatMap((id) => [`${id}/0`, `${id}/1`]).sort());
  });

  it('is started again over HTTP: 201, then 200, 404, 409, and 422 for what is the first one’s', async () => {
    const { bridge, failed } = await retryFixture({ auth: () => ann });
    const first = await failed();
    const { url, close } = await listen(bridge.middleware());
    onTestFinished(close);
    const post = async (json: object) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}/api/v1/tasks`, { method: 'POST', headers, body: JSON.stringify(json) });
      const { code, deduplicated } = (await response.json()) as { code?: string; deduplicated?: boolean };
      return [response.status, code ?? deduplicated];
    };
    const again = { clientRequestId: 'again', retryOf: first };
    expect(await post(again)).toEqual([201, false]);
    expect(await post(again)).toEqual([200, true]);
    expect(await post({ ...again, retryOf: UNKNOWN })).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    expect(await post({ clientRequestId: 'other', retryOf: UNKNOWN })).toEqual([404, 'TASK_NOT_FOUND']);
    for (const wrong of [{ taskType: 'count' }, { input: {} }, { retryOf: null }, { labels: ['a', 'a'] }, { clientRequestId: '' }])
      expect(await post({ ...again, ...wrong })).toEqual([422, 'REQUEST_VALIDATION_ERROR']);
  });
});
