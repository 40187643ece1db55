import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../machines/wire/index.ts';
import { httpStatus } from '../../server/http/status.ts';
import { RUNNING } from './fake-service.ts';
import { file, form, FORM_TYPE, ids, text } from './form.ts';
import { startHost, type Host } from './host.ts';
import { head, openRaw } from './raw.ts';

const runs = { numRuns: 300 };
const FAULTS = [400, 404, 405, 409, 413, 422];

describe('garbage', () => {
  let host: Host;
  beforeEach(async () => void (host = await startHost()));
  afterEach(() => host.close());

  /** An answer is a success of the route, or an envelope whose status fits its code. */
  async function check(response: Response): Promise<boolean> {
    const body = await response.text();
    if (response.ok) return true;
    const { code, details } = JSON.parse(body) as { code: ErrorCode; details: object };
    expect([httpStatus[code], FAULTS.includes(response.status), typeof details]).toEqual([response.status, true, 'object']);
    return false;
  }
  const call = (method: string, path: string, init: RequestInit = {}) =>
    fetch(`${host.url}/api/v1/tasks${path}`, { method, ...init, headers: { authorization: 'Bearer ada', ...init.headers } });
  const body = (value: string | Uint8Array) => ({ body: value as BodyInit, headers: { 'content-type': 'application/json' } });
  afterEach(() => expect([host.logged, host.live.streams]).toEqual([[], []]));

  it('in a JSON body is answered with an envelope', async () => {
    const posts = ['', `/${RUNNING}/cancel`, `/${RUNNING}/actions`];
    const keys = fc.constantFrom(
      'clientRequestId',
      'taskType',
      'input',
      'metadata',
      'reason',
      'clientActionId',
      'suspendId',
      'actionType',
      'payload',
      '__proto__',
      'constructor',
    );
    const objects = fc
      .array(fc.tuple(fc.oneof(keys, fc.string({ unit: 'binary' })), fc.jsonValue()))
      .map((pairs) => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`);
    const bodies = fc.oneof(objects, fc.json(), fc.string(), fc.uint8Array());
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...posts), bodies, async (path, bytes) => void (await check(await call('POST', path, body(bytes))))),
      runs,
    );
  });

  it('in a path or a query is answered with an envelope', async () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }).map((one) => encodeURIComponent(Buffer.from(one).toString())),
      fc.constantFrom('%', '%zz', '%00', '%ff', '%2f', '..%2f', '$', '0-0', '1-1', RUNNING, '+', ';', '='),
    );
    const rest = fc.constantFrom('', '/events', '/events/stream', '/cancel', '/actions', '/x');
    const query = fc.array(fc.tuple(fc.oneof(fc.constantFrom('afterEventId', 'maxEvents', 'lastEventId', 'extensions'), piece), piece), {
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'POST', 'PUT', 'HEAD', 'DELETE'), piece, rest, query, async (method, id, tail, fields) => {
        const search = fields.map(([name, value]) => `${name}=${value}`).join('&');
        const response = await call(method, `/${id === '' ? 'x' : id}${tail}?${search}`);
        if (method === 'HEAD') expect(response.status).toBeLessThan(500);
        else await check(response);
        host.live.streams.length = 0;
      }),
      runs,
    );
  });

  it('in a multipart body is answered with an envelope, and leaves no file of a refused one', async () => {
    const whole = form([
      ...ids,
      text('input', '{"a":1}'),
      file('one', 'a/b.txt'),
      file(Buffer.alloc(3000, 'x')),
      file('other', 'c', { name: 'photo' }),
    ]);
    const damage = fc.record({
      at: fc.nat(whole.length),
      remove: fc.nat(40),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 20 }),
        fc.constantFrom('\r\n', '--', '"', ';', ':', '\r\n\r\n').map((one) => Buffer.from(one)),
      ),
    });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
        const damaged = damages.reduce(
          (bytes, { at, remove, insert }) => Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]),
          whole,
        );
        const before = await host.attachments.all();
        const response = await call('POST', '', { body: damaged as BodyInit, headers: { 'content-type': FORM_TYPE } });
        if (await check(response)) count++;
        else expect(await host.attachments.all()).toEqual(before);
      }),
      runs,
    );
    expect(count).toBeLessThan(runs.numRuns);
  });

  it('in a multipart body may arrive in pieces of any size', async () => {
    const bytes = Buffer.alloc(5000, '\r\n--x-test');
    const whole = form([file(bytes, 'early'), ...ids, file('two', 'b')]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }), async (sizes) => {
        const raw = openRaw(host.port);
        await raw.write(head('POST /api/v1/tasks', { 'content-type': FORM_TYPE, 'content-length': whole.length, connection: 'close' }));
        raw.socket.setNoDelay(true);
        for (let at = 0, i = 0; at < whole.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          await raw.write(whole.subarray(at, at + size));
          at += size;
        }
        const answer = await raw.answer;
        expect([200, 201]).toContain(answer.status);
        await raw.closed;
      }),
      { numRuns: 30 },
    );
    expect((await host.attachments.all()).length).toBe(2);
  });
});
