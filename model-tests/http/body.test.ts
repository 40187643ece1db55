import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHost, type Host } from './host.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { head, openRaw } from './raw.ts';

const MIB = 1024 * 1024;
const json = { 'content-type': 'application/json' };
const code = (body: string) => (JSON.parse(body) as { code: string }).code;

describe('a JSON body', () => {
  let host: Host;
  beforeEach(async () => void (host = await startHost()));
  afterEach(() => host.close());

  const post = (body: BodyInit) =>
    fetch(`${host.url}/api/v1/tasks`, { method: 'POST', headers: { authorization: 'Bearer ada', ...json }, body });
  const create = (input: string) => `{"clientRequestId":"r1","taskType":"report","input":${input}}`;

  it('that is no UTF-8 is refused', async () => {
    const response = await post(Buffer.concat([Buffer.from('{"clientRequestId":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]));
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { code: 'INVALID_REQUEST', message: 'The body is not valid UTF-8.' },
    ]);
  });

  it('may be 64 levels deep and no deeper, and the path says where', async () => {
    expect((await post(create(`{"a":${'['.repeat(63)}${']'.repeat(63)}}`))).status).toBe(201);
    const response = await post(create(`{"a":${'['.repeat(64)}${']'.repeat(64)}}`));
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      details: { errors: [{ path: `input.a${'.0'.repeat(63)}`, reason: 'is nested deeper than 64' }] },
    });
  });

  it('that is nested a hundred thousand deep is refused like any other', async () => {
    expect((await post(create(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`))).status).toBe(422);
    // Whether it would have been JSON is not looked at any more.
    expect((await post('['.repeat(100_000))).status).toBe(422);
  });

  it('with a thousand unknown fields is answered with a bounded list', async () => {
    const response = await post(JSON.stringify(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`${i}${'x'.repeat(500)}`, i]))));
    const text = await response.text();
    expect(response.status).toBe(422);
    expect(text.length).toBeLessThan(64 * 1024);
    expect((JSON.parse(text) as { details: { omitted: number } }).details.omitted).toBe(1002 - 64);
  });

  it('of exactly the limit is taken, one byte more is not', async () => {
    const fill = (bytes: number) => create(`{"a":"${'x'.repeat(bytes - create('{"a":""}').length)}"}`);
    expect((await post(fill(MIB))).status).toBe(201);
    const response = await post(fill(MIB + 1));
    expect([response.status, await response.json()]).toMatchObject([413, { code: 'PAYLOAD_TOO_LARGE', details: { bytesMax: MIB } }]);
  });

  it('of unknown length is counted as it comes: its 413 is read by a client that is still sending', async () => {
    const raw = openRaw(host.port);
    await raw.write(head('POST /api/v1/tasks', { ...json, 'transfer-encoding': 'chunked' }));
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 'x'), Buffer.from('\r\n')]);
    for (let sent = 0; sent < 8 * MIB; sent += 0x10000) expect(await raw.write(chunk)).toBe(true);
    await raw.write('0\r\n\r\n');
    const answer = await raw.answer;
    expect([answer.status, answer.headers['connection'], code(answer.body)]).toEqual([413, 'close', 'PAYLOAD_TOO_LARGE']);
    await raw.closed;
  });

  it('that announces too much is refused before it is sent, and read by a client that sends it all first', async () => {
    const early = openRaw(host.port);
    await early.write(head('POST /api/v1/tasks', { ...json, 'content-length': 2 * MIB }));
    expect((await early.answer).status).toBe(413);
    early.socket.destroy();

    const late = openRaw(host.port);
    late.socket.pause();
    await late.write(head('POST /api/v1/tasks', { ...json, 'content-length': 8 * MIB }));
    for (let sent = 0; sent < 8 * MIB; sent += MIB) expect(await late.write(Buffer.alloc(MIB, 'x'))).toBe(true);
    late.socket.resume();
    expect((await late.answer).status).toBe(413);
  });

  it('is drained for a bounded while only', async () => {
    await host.close();
    const clock = fakeClock();
    host = await startHost({ clock, options: { drainMs: 1000 } });
    const raw = openRaw(host.port);
    await raw.write(head('POST /api/v1/tasks', { ...json, 'content-length': 2 * MIB }));
    expect((await raw.answer).status).toBe(413);
    clock.advance(1000);
    await raw.closed;
  });

  it('is refused without credentials while it is still being sent', async () => {
    const raw = openRaw(host.port);
    await raw.write(head('POST /api/v1/tasks', { ...json, 'content-length': 1000, authorization: 'none' }) + '{');
    expect([(await raw.answer).status, (await raw.answer).headers['connection']]).toEqual([401, 'close']);
  });

  it('that never arrives whole is refused in time', async () => {
    await host.close();
    const clock = fakeClock();
    host = await startHost({ clock, options: { requestTimeoutMs: 5000 } });
    const raw = openRaw(host.port);
    let asked = () => {};
    const reading = new Promise<void>((resolve) => (asked = resolve));
    const setTimeout = clock.setTimeout.bind(clock);
    clock.setTimeout = (fn, ms) => (asked(), setTimeout(fn, ms));
    await raw.write(head('POST /api/v1/tasks', { ...json, 'content-length': 1000 }) + '{');
    await reading;
    clock.advance(5000);
    expect([(await raw.answer).status, code((await raw.answer).body)]).toEqual([400, 'INVALID_REQUEST']);
  });

  it('whose client goes in the middle is no fault of the server', async () => {
    const raw = openRaw(host.port);
    await raw.write(head('POST /api/v1/tasks', { ...json, 'content-length': 1000 }) + '{"a":');
    raw.socket.resetAndDestroy();
    await raw.closed;
    expect((await post(create('{}'))).status).toBe(201);
    expect([host.logged, host.calls.length]).toEqual([[], 1]);
  });

  it.each(['a request of Node’s', 'a request of Koa’s'])(
    'that a body parser read before us is taken from %s, within the same limits',
    async (whose) => {
      await host.close();
      host = await startHost({
        async before(ctx, next) {
          const chunks: Buffer[] = [];
          for await (const chunk of ctx.req) chunks.push(chunk as Buffer);
          const parsed = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
          Object.assign(whose === 'a request of Node’s' ? ctx.req : ctx.request, { body: parsed });
          await next();
        },
        options: { bodyBytesMax: 1000, bodyValuesMax: 100 },
      });
      expect((await post(create('{"a":[1,"\\u00e4"]}'))).status).toBe(201);
      expect(host.calls).toMatchObject([{ args: [{ input: { a: [1, 'ä'] } }] }]);
      expect((await post(create(`{"a":"${'x'.repeat(1000)}"}`))).status).toBe(413);
      expect((await post(create(`{"a":[${'1,'.repeat(150)}1]}`))).status).toBe(422);
      expect((await post('[]')).status).toBe(422);
    },
  );

  it('that somebody read before us is a fault of the host, said in its log', async () => {
    await host.close();
    host = await startHost({
      async before(ctx, next) {
        for await (const chunk of ctx.req) void chunk;
        await next();
      },
    });
    expect((await post(create('{}'))).status).toBe(500);
    expect(String(host.logged[0]?.fields?.['error'])).toMatch(/mount its middleware before any body parser/);
  });
});
