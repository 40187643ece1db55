import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { fileAttachments } from 'taskbridge/adapters/file';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import type { Task } from 'taskbridge/adapters/in-process';
import { AttachmentSweep } from '../../server/attachment-sweep.ts';
import { listen } from '../http/listen.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { attachFixture, keepsFiles } from '../caller/attachment-fixture.ts';

const HOUR_MS = 60 * 60 * 1000;

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield new Uint8Array(64 * 1024);
}

describe('a file that work makes', () => {
  it('is listed with its type, size and hash, read back, replaced by its name, and removed with its task', () => keepsFiles({}));

  it('is on a disk, too', async () => {
    const [data, files] = [await tempFolder('made'), await tempFolder('made-files')];
    onTestFinished(async () => void (await Promise.all([data.remove(), files.remove()])));
    await keepsFiles({ store: lmdbStore({ path: data.path }), attachments: fileAttachments({ path: files.path }) });
  });

  it('is what is left of its bytes on the owner’s share when it is replaced, and nothing when its task is removed', async () => {
    const { start, ended, tasks, store } = await attachFixture(async (task) => {
      for (const name of ['a', 'b']) await task.attach(name, 'x'.repeat(5000));
      await task.attach('a', 'x');
    });
    const taskId = await start();
    await ended('ann', taskId);
    const stored = async () => (await store.shares('ann')).shares.bytes;
    await vi.waitUntil(async () => (await stored()) > 5000);
    expect(await stored()).toBeLessThan(6000);
    await tasks.remove(taskId);
    await vi.waitFor(async () => expect((await store.shares('ann')).shares.bytes).toBe(0));
  });

  it('is listed only when its bytes are safe, and is no file where its source fails or it is too large', async () => {
    const codes: unknown[] = [];
    const failing = async function* (): AsyncGenerator<string> {
      yield 'x';
      throw new Error('away');
    };
    const { start, ended, keys, textOf } = await attachFixture(
      async (task) => {
        await task.attach('kept', 'before');
        for (const content of [failing(), endless(), 7 as never])
          await task.attach('kept', content).catch((error: Error & { code?: string }) => codes.push(error.code ?? error.message));
      },
      { tasks: { attachmentBytesMax: 1024 * 1024 } },
    );
    const taskId = await start();
    expect((await ended('ann', taskId)).attachments).toMatchObject([{ name: 'kept', bytes: 6 }]);
    expect(codes).toEqual(['away', 'PAYLOAD_TOO_LARGE', 'UPLOAD_VALIDATION_ERROR']);
    expect(await keys()).toHaveLength(1);
    expect(await textOf(taskId, 'kept')).toBe('before');
  });

  it('has a name that can stand in a path and in a header', async () => {
    const codes: unknown[] = [];
    const names = ['', ' ', '.', '..', 'a/b', 'a\\b', 'a\nb', 'x'.repeat(257), '\ud800', 7 as never];
    const { start, ended } = await attachFixture(async (task) => {
      for (const name of names) await task.attach(name, 'x').catch(({ code }: { code: string }) => codes.push(code));
      await task.attach('x'.repeat(256), 'x');
    });
    expect((await ended('ann', await start())).attachments).toHaveLength(1);
    expect(codes).toEqual(names.map(() => 'REQUEST_VALIDATION_ERROR'));
  });

  it('fails its task where nobody hears that it was refused, and is waited for where nobody awaits it', async () => {
    const unheard = await attachFixture(async (task) => void task.attach('a/b', 'x'));
    expect((await unheard.ended('ann', await unheard.start())).state).toBe('failed');
    const left = await attachFixture(async (task) => void task.attach('a', 'x'));
    expect((await left.ended('ann', await left.start())).attachments).toHaveLength(1);
  });

  it('is none of a run that counts no more: nothing is listed, and nothing is left', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let thrown: unknown;
    const slow = async function* (): AsyncGenerator<string> {
      await released;
      yield 'x';
    };
    const { start, tasks, keys, advance } = await attachFixture(
      async (task) => void (await task.attach('late', slow()).catch((error: unknown) => (thrown = error))),
      { tasks: { cancelGraceMs: 1000 } },
    );
    const taskId = await start();
    await advance(0);
    await tasks.cancel(taskId);
    await advance(5000);
    expect((await tasks.get(taskId)).state).toBe('cancelled');
    release();
    await vi.waitFor(() => expect(thrown).toMatchObject({ code: 'TASK_STOPPED' }));
    await vi.waitFor(async () => expect(await keys()).toEqual([]));
    expect((await tasks.get(taskId)).attachments).toBe(undefined);
  });

  it('is listed once where the store’s answer was lost', async () => {
    const inner = memoryStore();
    let losing = 0;
    const store = {
      ...inner,
      async append(...asked: Parameters<typeof inner.append>) {
        const outcome = await inner.append(...asked);
        if ('attachments' in asked[0].sideValues && (losing += 1) === 1) throw new Error('lost');
        return outcome;
      },
    };
    const { start, advance, tasks, keys } = await attachFixture((task) => task.attach('a', 'x'), { store });
    const taskId = await start();
    for (let nth = 0; nth < 20; nth += 1) await advance(1000);
    expect(await tasks.get(taskId)).toMatchObject({ state: 'completed', attachments: [{ name: 'a' }] });
    expect([losing, await keys()]).toEqual([1, [expect.stringContaining(taskId)]]);
  });

  it('is swept by nobody while its task has it, and swept where no commit listed it', async () => {
    const attachments = memoryAttachments({ clock: { ...performanceClock, now: () => 0 } });
    const { start, ended, keys, store } = await attachFixture((task) => task.attach('a', 'x'), { attachments });
    const taskId = await start();
    await ended('ann', taskId);
    const [listed] = await keys();
    await attachments.put(
      `${taskId}/77777`,
      (async function* () {
        yield new Uint8Array(1);
      })(),
    );
    let now = 10 * HOUR_MS;
    const clock = { ...performanceClock, now: () => now, monotonicMs: () => now };
    const sweep = new AttachmentSweep({ attachments, store, clock, logger: { warn: () => undefined, error: () => undefined } });
    await sweep.run(new AbortController().signal);
    now += 2 * HOUR_MS;
    expect(await sweep.run(new AbortController().signal)).toEqual({ swept: 1, failed: 0 });
    expect(await keys()).toEqual([listed]);
  });
});

const performanceClock = { now: () => 0, setTimeout: () => 0, clearTimeout: () => undefined };

/** A task with files, and what a request for one is answered. */
async function served(work: (task: Task) => Promise<unknown>) {
  const { bridge, start, ended, tasks, attachments } = await attachFixture(work);
  const { url, close } = await listen(bridge.middleware());
  onTestFinished(close);
  const taskId = await start();
  await ended('ann', taskId);
  const get = async (name: string, headers: Record<string, string> = {}, method = 'GET', as = 'ann') => {
    const path = `${url}/api/v1/tasks/${taskId}/attachments/${encodeURIComponent(name)}`;
    return fetch(path, { method, headers: { authorization: `Bearer ${as}`, ...headers } });
  };
  return { get, tasks, taskId, attachments };
}

describe('GET /tasks/{taskId}/attachments/{name}', () => {
  it('gives a file with its type, for nobody to take it for a page', async () => {
    const name = 'Bericht "7" – ü;.html';
    const { get } = await served((task) => task.attach(name, '<script>x</script>', 'text/html'));
    const response = await get(name);
    expect(await response.text()).toBe('<script>x</script>');
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html',
      'content-length': '18',
      'accept-ranges': 'bytes',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringMatching(/^sandbox; default-src 'none'/) as string,
      'content-disposition': `attachment; filename="Bericht _7_ _ _;.html"; filename*=UTF-8''Bericht%20%227%22%20%E2%80%93%20%C3%BC%3B.html`,
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/) as string,
    });
    const head = await get(name, {}, 'HEAD');
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '18', '']);
  });

  it('gives ranges as RFC 9110 has them', async () => {
    const { get } = await served(async (task) => {
      await task.attach('a', async0to9());
      await task.attach('empty', '');
    });
    const etag = (await get('a')).headers.get('etag') ?? '';
    for (const [range, status, text, said] of [
      ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
      ['bytes=4-', 206, '456789', 'bytes 4-9/10'],
      ['bytes=-3', 206, '789', 'bytes 7-9/10'],
      ['bytes=-30', 206, '0123456789', 'bytes 0-9/10'],
      ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
      ['bytes=10-', 416, '', 'bytes */10'],
      ['bytes=-0', 416, '', 'bytes */10'],
      ['bytes=5-4', 200, '0123456789', null],
      ['bytes=0-1,3-4', 200, '0123456789', null],
      ['lines=0-1', 200, '0123456789', null],
    ] as const) {
      const response = await get('a', { range });
      expect([range, response.status, await response.text(), response.headers.get('content-range')]).toEqual([range, status, text, said]);
    }
    expect((await get('a', { range: 'bytes=0-1', 'if-range': etag })).status).toBe(206);
    expect((await get('a', { range: 'bytes=0-1', 'if-range': '"other"' })).status).toBe(200);
    expect([(await get('empty')).status, (await get('empty', { range: 'bytes=0-' })).status]).toEqual([200, 416]);
  });

  it('is there for who may see the task, and for nobody else', async () => {
    const { get, tasks, taskId, attachments } = await served((task) => task.attach('a', 'x'));
    const codeOf = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code];
    expect(await codeOf(await get('a', {}, 'GET', 'bob'))).toEqual([404, 'TASK_NOT_FOUND']);
    expect(await codeOf(await get('b'))).toEqual([404, 'TASK_NOT_FOUND']);
    expect((await get('a', { authorization: '' })).status).toBe(401);
    expect(await codeOf(await get('a', {}, 'DELETE'))).toEqual([405, 'METHOD_NOT_ALLOWED']);
    attachments.open = () => Promise.reject(new Error('away'));
    expect(await codeOf(await get('a'))).toEqual([503, 'STORE_UNAVAILABLE']);
    const file = await tasks.attachment(taskId, 'a');
    await tasks.remove(taskId);
    await expect(file.open()).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });
});

async function* async0to9(): AsyncGenerator<string> {
  for (let digit = 0; digit < 10; digit += 1) yield String(digit);
}
