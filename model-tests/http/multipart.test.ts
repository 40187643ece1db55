import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HttpRouterDeps } from '../../server/http/router.ts';
import type { HttpOptions } from '../../server/http/options.ts';
import type { NewTaskRequest } from '../../server/task/service.ts';
import { BOUNDARY, file, form, FORM_TYPE, ids, text, type FormPart } from './form.ts';
import { startHost, visibleAttachments, type Host } from './host.ts';
import { head, openRaw } from './raw.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a multipart create', () => {
  let host: Host;
  const restart = async (parts: Partial<HttpRouterDeps>) => {
    await host.close();
    host = await startHost(parts);
  };
  const withOptions = (options: Partial<HttpOptions>) => restart({ options });
  beforeEach(async () => void (host = await startHost()));
  afterEach(() => host.close());

  const post = async (parts: readonly FormPart[] | Uint8Array, contentType = FORM_TYPE) => {
    const headers = { authorization: 'Bearer ada', 'content-type': contentType };
    const body = parts instanceof Uint8Array ? parts : form(parts);
    const response = await fetch(`${host.url}/api/v1/tasks`, { method: 'POST', headers, body: body as BodyInit });
    // The wire's own JSON: an answer or an envelope.
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const refused = async (parts: readonly FormPart[] | Uint8Array, status: number, code: string, message: RegExp, contentType?: string) => {
    const answer = await post(parts, contentType);
    expect(answer).toMatchObject({ status, body: { code, message: expect.stringMatching(message) as string } });
    expect([await host.attachments.all(), host.calls]).toEqual([[], []]);
  };
  // The fake records the one argument that a create has.
  const request = () => host.calls.at(-1)?.args[0] as NewTaskRequest;

  it('streams its files into the store, under the id of the task', async () => {
    const bytes = Buffer.alloc(3 * MIB, 'ab');
    const answer = await post([
      ...ids,
      text('input', '{"rows":3}'),
      text('metadata', '{"from":"test"}'),
      file('one', 'dir/one.csv', { contentType: 'text/csv; charset=utf-8' }),
      file(bytes, 'C:\\dir\\two.bin', { name: 'attachments', contentType: 'image/png' }),
    ]);
    const { taskId } = request();
    expect(answer).toEqual({ status: 201, body: { taskId, status: 'ACCEPTED', clientRequestId: 'r1', deduplicated: false } });
    expect(request()).toEqual({
      taskId,
      clientRequestId: 'r1',
      taskType: 'report',
      input: { rows: 3 },
      metadata: { from: 'test' },
      attachments: [
        {
          key: `${taskId}/0`,
          fieldName: 'attachment',
          fileName: 'one.csv',
          contentType: 'text/csv; charset=utf-8',
          bytes: 3,
          sha256: sha256('one'),
        },
        {
          key: `${taskId}/1`,
          fieldName: 'attachments',
          fileName: 'two.bin',
          contentType: 'image/png',
          bytes: bytes.length,
          sha256: sha256(bytes),
        },
      ],
    });
    expect(await host.attachments.all()).toEqual([`${taskId}/0`, `${taskId}/1`]);
    expect(
      (await (await host.attachments.open(`${taskId}/1`)).toArray()).reduce((sum: number, chunk: Buffer) => sum + chunk.length, 0),
    ).toBe(bytes.length);
  });

  it('moves files that came before their fields', async () => {
    expect((await post([file('one'), text('taskType', 'report'), file('two'), text('clientRequestId', 'r1')])).status).toBe(201);
    const { taskId, attachments } = request();
    expect(attachments.map(({ key, sha256: hash }) => [key, hash])).toEqual([
      [`${taskId}/0`, sha256('one')],
      [`${taskId}/1`, sha256('two')],
    ]);
    expect(await host.attachments.all()).toEqual([`${taskId}/0`, `${taskId}/1`]);
  });

  it('without files is like a JSON one', async () => {
    expect((await post([...ids])).status).toBe(201);
    expect(request()).toMatchObject({ input: {}, metadata: {}, attachments: [] });
  });

  it('takes the form that fetch makes', async () => {
    const body = new FormData();
    body.set('clientRequestId', 'r1');
    body.set('taskType', 'report');
    body.set('input', new Blob(['{"a":"ä"}'], { type: 'application/json' }));
    body.set('attachment', new File(['x'], 'grün "1".txt'));
    const response = await fetch(`${host.url}/api/v1/tasks`, { method: 'POST', headers: { authorization: 'Bearer ada' }, body });
    expect(response.status).toBe(201);
    expect(request()).toMatchObject({
      input: { a: 'ä' },
      attachments: [{ fileName: 'grün %221%22.txt', contentType: 'application/octet-stream' }],
    });
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['a\\\\b\\\\c.txt', 'c.txt'],
    ['C:\\dir\\d.txt', 'd.txt'],
    ['dir/', 'upload.bin'],
    ['..', 'upload.bin'],
    ['', 'upload.bin'],
    ['a\u0000\u0007.txt', 'a.txt'],
    ['grün.txt', 'grün.txt'],
    ['x'.repeat(300), 'x'.repeat(255)],
  ])('names the file %j %j', async (sent, kept) => {
    await post([...ids, file('x', sent)]);
    expect(request().attachments[0]?.fileName).toBe(kept);
  });

  it('tells a file without a content type from one of plain text', async () => {
    await post([
      ...ids,
      { name: 'attachment', fileName: 'a', body: 'x' },
      { name: 'attachment', fileName: 'b', contentType: 'text/plain', body: 'x' },
      { name: 'attachment', contentType: 'image/png', body: 'x' },
    ]);
    expect(request().attachments.map(({ fileName, contentType }) => [fileName, contentType])).toEqual([
      ['a', 'application/octet-stream'],
      ['b', 'text/plain'],
      ['upload.bin', 'image/png'],
    ]);
  });

  it('forgets a content type that no header could carry', async () => {
    await post([...ids, file('x', 'a', { contentType: 'text/grün' }), file('x', 'b', { contentType: `text/${'x'.repeat(300)}` })]);
    expect(request().attachments.map(({ contentType }) => contentType)).toEqual(['application/octet-stream', 'application/octet-stream']);
  });

  it('keeps no half of a character in a file name', async () => {
    const disposition = `form-data; name="attachment"; filename*=utf-16le\'\'a%00%00%d8b%00`;
    await post([...ids, { disposition, contentType: 'text/plain', body: 'x' }]);
    expect(request().attachments[0]?.fileName).not.toMatch(/\p{Surrogate}/u);
  });

  it('throws files of other fields away, and says so', async () => {
    const answer = await post([
      file(Buffer.alloc(11 * MIB), 'x', { name: 'photo' }),
      ...ids,
      file('y', 'y', { name: 'photo' }),
      file('z', 'z', { name: 'file' }),
      { disposition: 'attachment', body: 'x' },
      { disposition: 'form-data', body: 'x' },
    ]);
    expect(answer).toMatchObject({ status: 201, body: { ignoredFields: ['photo', 'file'] } });
    expect([request().attachments, await host.attachments.all()]).toEqual([[], []]);
    const many = Array.from({ length: 20 }, (_, i) => file('x', 'x', { name: `${i}${'n'.repeat(200)}` }));
    const { ignoredFields } = (await post([...ids, ...many])).body as { ignoredFields: string[] };
    expect([ignoredFields.length, ...new Set(ignoredFields.map(({ length }) => length))]).toEqual([16, 100]);
  });

  it.each([
    ['an unknown name', text('__proto__', '{}'), '__proto__'],
    ['the name of files', text('attachment', 'no file'), 'attachment'],
  ])('refuses text under %s', async (_what, part, path) => {
    const { status, body } = await post([...ids, file('one'), part]);
    expect([status, body]).toMatchObject([422, { code: 'REQUEST_VALIDATION_ERROR', details: { errors: [{ path }] } }]);
    await vi.waitFor(async () => expect(await host.attachments.all()).toEqual([]));
  });

  it('keeps the files of the first one only when it is repeated, in any order', async () => {
    await post([...ids, file('one')]);
    const first = request().taskId;
    expect(await post([...ids, file('one', 'renamed.txt')])).toMatchObject({ status: 200, body: { taskId: first, deduplicated: true } });
    expect(await post([file('one'), ...ids])).toMatchObject({ status: 200, body: { taskId: first, deduplicated: true } });
    expect(await post([...ids, file('two')])).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
    expect(await post([...ids])).toMatchObject({ status: 409 });
    expect(await host.attachments.all()).toEqual([`${first}/0`]);
  });

  it('keeps its files where the task may exist', async () => {
    for (const taskType of ['refused', 'down', 'broken', 'busy'])
      await post([text('clientRequestId', taskType), text('taskType', taskType), file('one')]);
    expect((await host.attachments.all()).length).toBe(4);
    await post([text('clientRequestId', 'forbidden'), text('taskType', 'forbidden'), file('one')]);
    expect((await host.attachments.all()).length).toBe(4);
  });

  it('needs its two ids', async () => {
    await refused([], 400, 'INVALID_REQUEST', /clientRequestId is missing or blank/);
    await refused([file('x')], 400, 'INVALID_REQUEST', /clientRequestId is missing or blank/);
    await refused([text('clientRequestId', 'r1'), file('x')], 400, 'INVALID_REQUEST', /taskType is missing or blank/);
    await refused(
      [text('clientRequestId', ' '), text('taskType', 'report'), file('x')],
      400,
      'INVALID_REQUEST',
      /clientRequestId is missing or blank/,
    );
    await refused([...ids, text('taskType', 'report')], 400, 'INVALID_REQUEST', /taskType is given twice/);
    await refused(
      [text('clientRequestId', 'x'.repeat(257)), text('taskType', 'report'), file('x')],
      422,
      'REQUEST_VALIDATION_ERROR',
      /out of range/,
    );
    await refused([text('clientRequestId', 'r1'), text('taskType', 'unhandled'), file('x')], 422, 'REQUEST_VALIDATION_ERROR', /Nobody/);
  });

  it('needs JSON objects as input and metadata', async () => {
    await refused([...ids, text('input', '{'), file('x')], 400, 'INVALID_REQUEST', /input is not valid JSON/);
    await refused([...ids, text('input', '')], 400, 'INVALID_REQUEST', /input is not valid JSON/);
    await refused([...ids, text('metadata', '[]')], 400, 'INVALID_REQUEST', /metadata must hold a JSON object/);
    await refused([...ids, text('metadata', 'null')], 400, 'INVALID_REQUEST', /metadata must hold a JSON object/);
    await refused([...ids, { name: 'input', body: Buffer.from([0x22, 0xff, 0x22]) }], 400, 'INVALID_REQUEST', /input is not valid UTF-8/);
    await refused([...ids, text('input', `{"a":${'['.repeat(64)}${']'.repeat(64)}}`)], 422, 'REQUEST_VALIDATION_ERROR', /out of range/);
  });

  it('is refused where its body is malformed', async () => {
    const whole = form([...ids, file('x'.repeat(100_000))]);
    await refused(Buffer.alloc(0), 400, 'INVALID_REQUEST', /malformed/);
    await refused(Buffer.from('no parts at all'), 400, 'INVALID_REQUEST', /malformed/);
    await refused(whole, 400, 'INVALID_REQUEST', /names no boundary/, 'multipart/form-data');
    await refused(whole, 400, 'INVALID_REQUEST', /malformed/, 'multipart/form-data; boundary=');
    await refused(whole, 400, 'INVALID_REQUEST', /malformed/, 'multipart/form-data; boundary=other');
    const frameBytes = whole.length - 100_000;
    const cuts = [
      ...Array.from({ length: 30 }, (_, i) => i + 3),
      60,
      200,
      50_000,
      ...Array.from({ length: frameBytes / 7 }, (_, i) => whole.length - 7 * i),
    ];
    for (const cut of cuts) await refused(whole.subarray(0, whole.length - cut), 400, 'INVALID_REQUEST', /malformed|missing or blank/);
    await refused(Buffer.concat([whole.subarray(0, 150), Buffer.from(`\r\n--${BOUNDARY}\r\nbroken`)]), 400, 'INVALID_REQUEST', /malformed/);
    await refused(
      [...ids, ...Array.from({ length: 1000 }, () => file('', 'x', { name: 'x' }))],
      400,
      'INVALID_REQUEST',
      /more than 1000 parts/,
    );
  });

  it('has a limit for each file', async () => {
    await refused(
      [...ids, file('small'), file(Buffer.alloc(10 * MIB + 1), 'big.bin')],
      400,
      'UPLOAD_VALIDATION_ERROR',
      /"big.bin" is larger than 10485760 bytes/,
    );
    expect((await post([...ids, file(Buffer.alloc(10 * MIB))])).status).toBe(201);
  });

  it('has a limit for the number of files', async () => {
    const files = (count: number) => Array.from({ length: count }, (_, i) => file(`${i}`));
    await refused([...ids, ...files(17)], 400, 'UPLOAD_VALIDATION_ERROR', /more than 16 files/);
    expect((await post([...ids, ...files(16)])).status).toBe(201);
    expect(request().attachments.map(({ sha256: hash }) => hash)).toEqual(files(16).map(({ body }) => sha256(body)));
  });

  it('has a limit for its text', async () => {
    await refused([...ids, text('input', '{}'.padEnd(256 * KIB)), file('x')], 413, 'PAYLOAD_TOO_LARGE', /262144/);
    await refused(
      [file('x'), ...ids, text('input', 'x'.repeat(128 * KIB)), text('metadata', 'x'.repeat(128 * KIB))],
      413,
      'PAYLOAD_TOO_LARGE',
      /262144/,
    );
    expect((await post([...ids, text('input', '{}'.padEnd(255 * KIB))])).status).toBe(201);
  });

  it('has an allow-list', async () => {
    await withOptions({ uploadContentTypes: ['text/csv', 'image/*'] });
    await refused([...ids, file('x', 'a.txt')], 400, 'UPLOAD_VALIDATION_ERROR', /not allowed \(text\/plain\)/);
    await refused([...ids, { name: 'attachment', fileName: 'a', body: 'x' }], 400, 'UPLOAD_VALIDATION_ERROR', /application\/octet-stream/);
    expect(
      (await post([...ids, file('x', 'a', { contentType: 'Text/CSV; charset=utf-8' }), file('x', 'b', { contentType: 'image/png' })]))
        .status,
    ).toBe(201);
  });

  it('has a policy', async () => {
    await restart({
      uploadPolicy: { refuseUpload: (_auth, files) => (files.some(({ fileName }) => fileName === 'virus') ? 'It is a virus.' : undefined) },
    });
    await refused([...ids, file('x', 'virus')], 400, 'UPLOAD_VALIDATION_ERROR', /It is a virus/);
    expect((await post([...ids, file('x', 'a')])).status).toBe(201);
  });

  it('is refused without an attachment store', async () => {
    await restart({ attachments: undefined });
    await refused([...ids], 400, 'UPLOAD_VALIDATION_ERROR', /takes no uploads; send application\/json/);
  });

  it('above the limit of a request gets a 413 that a client reads while it still sends', async () => {
    await withOptions({ uploadBytesMax: MIB, uploadRequestBytesMax: 2 * MIB });
    for (const length of [{ 'content-length': 12 * MIB }, { 'transfer-encoding': 'chunked' }]) {
      const raw = openRaw(host.port);
      await raw.write(head('POST /api/v1/tasks', { 'content-type': FORM_TYPE, ...length }));
      const part = form([file(Buffer.alloc(MIB - 500, 'x'), 'a', { name: 'other' })], '');
      const chunk =
        'content-length' in length ? part : Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
      for (let i = 0; i < 10; i++) expect(await raw.write(chunk)).toBe(true);
      expect((await raw.answer).status).toBe(413);
      raw.socket.destroy();
    }
    expect(host.logged).toEqual([]);
  });

  it('whose file is too large is refused while the rest is still being sent', async () => {
    const raw = openRaw(host.port);
    await raw.write(head('POST /api/v1/tasks', { 'content-type': FORM_TYPE, 'content-length': 60 * MIB }));
    await raw.write(form([...ids, file('first')], ''));
    await raw.write(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="attachment"; filename="big"\r\n\r\n`);
    for (let i = 0; i < 20; i++) expect(await raw.write(Buffer.alloc(MIB))).toBe(true);
    const answer = await raw.answer;
    expect([answer.status, (JSON.parse(answer.body) as { code: string }).code]).toEqual([400, 'UPLOAD_VALIDATION_ERROR']);
    expect(await host.attachments.all()).toEqual([]);
    raw.socket.destroy();
  });

  it('of a type that nobody handles is refused before its files are sent', async () => {
    const raw = openRaw(host.port);
    await raw.write(head('POST /api/v1/tasks', { 'content-type': FORM_TYPE, 'content-length': 60 * MIB }));
    await raw.write(form([text('taskType', 'unhandled'), ...ids.slice(0, 1), file('first')], ''));
    expect((await raw.answer).status).toBe(422);
    expect(await host.attachments.all()).toEqual([]);
    raw.socket.destroy();
  });

  it('leaves nothing behind when its client goes', async () => {
    const store = visibleAttachments();
    const removed: string[] = [];
    let stored = () => {};
    let cleaned = () => {};
    const firstStored = new Promise<void>((resolve) => (stored = resolve));
    const secondRemoved = new Promise<void>((resolve) => (cleaned = resolve));
    await restart({
      attachments: {
        ...store,
        async put(key, bytes) {
          await store.put(key, bytes);
          stored();
        },
        async remove(key) {
          await store.remove(key);
          if (removed.push(key) === 2) cleaned();
        },
      },
    });
    const raw = openRaw(host.port);
    await raw.write(head('POST /api/v1/tasks', { 'content-type': FORM_TYPE, 'content-length': MIB }));
    await raw.write(Buffer.concat([form([...ids, file('first')], ''), form([file('x'.repeat(1000))], '').subarray(0, -100)]));
    await firstStored;
    expect((await store.all()).length).toBe(1);
    raw.socket.resetAndDestroy();
    await secondRemoved;
    expect([await store.all(), host.calls, host.logged]).toEqual([[], [], []]);
  });

  it('answers 500 where the store fails, and leaves nothing', async () => {
    const store = visibleAttachments();
    let puts = 0;
    const failing = {
      ...store,
      put: (key: string, bytes: AsyncIterable<Uint8Array>) =>
        ++puts === 2 ? Promise.reject(new Error('disk full')) : store.put(key, bytes),
    };
    await restart({ attachments: failing });
    expect((await post([...ids, file('one'), file(Buffer.alloc(MIB)), file('three')])).status).toBe(500);
    expect([await store.all(), host.logged.map(({ fields }) => String(fields?.['error']))]).toEqual([[], ['Error: disk full']]);
  });

  it('holds no more of a file in memory than its streams buffer', async () => {
    let taken = 0;
    let go = () => {};
    const gate = new Promise<void>((resolve) => (go = resolve));
    await restart({
      attachments: {
        ...visibleAttachments(),
        async put(_key, bytes) {
          await gate;
          for await (const chunk of bytes) taken += chunk.length;
        },
      },
    });
    const raw = openRaw(host.port);
    const body = form([...ids, file(Buffer.alloc(9 * MIB))]);
    await raw.write(head('POST /api/v1/tasks', { 'content-type': FORM_TYPE, 'content-length': body.length }));
    const written = raw.write(body).then(() => 'all taken');
    const probe = fetch(`${host.url}/health`).then(() => 'still sending');
    expect(await Promise.race([written, probe])).toBe('still sending');
    go();
    expect((await raw.answer).status).toBe(201);
    expect(taken).toBe(9 * MIB);
  });
});
