import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import * as fc from 'fast-check';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { emptyAggregate, fold } from 'taskbridge/machines';
import { jsonFault, type Fact, type FactPayload, type JsonObject } from 'taskbridge/wire';
import type { Work } from 'taskbridge/server';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openRaw } from '../http/raw.ts';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';

/** Names that are taken for something else where an object serves as a dictionary. */
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'then',
  'toJSON',
  '0',
  ' ',
];

/** A bridge that hands its works to the test. */
async function bridgeWithWorks() {
  const works = new Map<string, Work>();
  const told: string[] = [];
  const bridge = await bridgeOf(
    {
      name: 'elsewhere',
      leased: false,
      handles: () => true,
      repeatable: () => true,
      async start(work) {
        works.set(work.taskId, work);
        return { status: 'started' };
      },
      resume: async (_attempt, { suspendId, outcome }) => void told.push(`${suspendId} ${outcome}`),
      cancel: async () => undefined,
    },
    { auth: () => ({ subject: 'alice' }) },
  );
  return { bridge, works, told };
}

let bridge: RunningBridge;
let works: Map<string, Work>;
let told: string[];
let requests = 0;
const keysOfPrototypes = () => [Object.prototype, Array.prototype, Function.prototype].map((one) => Reflect.ownKeys(one).length);
let before: number[];

beforeEach(async () => {
  before = keysOfPrototypes();
  ({ bridge, works, told } = await bridgeWithWorks());
});
afterEach(() => expect(keysOfPrototypes()).toEqual(before));

const post = (path: string, body: string) =>
  fetch(`${bridge.url}/api/v1/tasks${path}`, {
    method: 'POST',
    headers: { authorization: 'alice', 'content-type': 'application/json' },
    body,
  });

describe('JSON that a caller sends', () => {
  it('reaches the work as it was sent, or is refused, and touches nothing else', async () => {
    const keys = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: 'binary', maxLength: 8 }));
    const { value } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }),
        fc.double({ noDefaultInfinity: true, noNaN: true }),
        fc.constant(null),
        tie('object'),
      ),
      // Written by hand below: a literal cannot have its own `__proto__`.
      object: fc.array(fc.tuple(keys, tie('value')), { maxLength: 4 }).map((pairs) => {
        const object = Object.create(null) as Record<string, unknown>;
        for (const [key, one] of pairs)
          Object.defineProperty(object, key, { value: one, enumerable: true, configurable: true, writable: true });
        return object;
      }),
    }));
    await fc.assert(
      fc.asyncProperty(value, async (one) => {
        const clientRequestId = `r${(requests += 1)}`;
        const input = `{"one":${JSON.stringify(one)}}`;
        const response = await post('', `{"clientRequestId":"${clientRequestId}","taskType":"any","input":${input}}`);
        const { taskId, code } = (await response.json()) as { taskId: string; code?: string };
        expect([response.status, code]).toEqual(jsonFault(JSON.parse(input)) ? [422, 'REQUEST_VALIDATION_ERROR'] : [201, undefined]);
        if (code === undefined) expect(JSON.stringify(works.get(taskId)?.input)).toBe(JSON.stringify(JSON.parse(input)));
      }),
      { numRuns: 300 },
    );
  });

  it.each(NAMES.filter((name) => name.trim() !== ''))('may use %s as a name of anything', async (name) => {
    const request = { clientRequestId: name, taskType: name };
    const { taskId } = await bridge.create(request);
    expect(await bridge.create(request)).toMatchObject({ taskId, deduplicated: true });
    const work = works.get(taskId);
    const question: FactPayload<'TASK_SUSPENDED'> = {
      suspendId: name,
      kind: 'USER_ACTION_REQUIRED',
      reasonCode: name,
      allowedActions: [name],
      schemaVersion: 1,
    };
    await work?.report({
      source: name,
      seq: 1,
      intents: [
        { type: 'report.started', payload: {} },
        { type: 'report.suspended', payload: question },
      ],
    });
    expect((await bridge.snapshot(taskId)).suspensions).toEqual([question]);
    const action = { clientActionId: name, suspendId: name, actionType: name, payload: JSON.parse(`{"${name}":1}`) as JsonObject };
    expect((await bridge.act(taskId, action)).status).toBe('ACCEPTED');
    expect((await bridge.act(taskId, action)).status).toBe('DEDUPLICATED');
    expect(told).toEqual([`${name} ANSWERED`]);
    expect(JSON.stringify(await work?.resolution(name))).toContain(`"payload":{"${name}":1}`);
    await work?.report({ source: name, seq: 2, intents: [{ type: 'report.completed', payload: { result: null } }] });

    const facts = await bridge.facts(taskId);
    expect(facts.map(({ type }) => type)).toEqual(['TASK_STARTED', 'TASK_SUSPENDED', 'TASK_ACTION_ACCEPTED', 'TASK_COMPLETED']);
    const folded = facts.reduce<typeof emptyAggregate>((aggregate, fact: Fact) => fold(aggregate, fact), emptyAggregate);
    expect([folded.task.value, folded.suspensions.get(name)?.value]).toEqual(['completed', 'resolved']);
    const client = createTaskBridgeClient({ baseUrl: bridge.url, auth: () => 'alice' });
    const seen: string[] = [];
    for await (const fact of client.observe(taskId)) seen.push(fact.type);
    expect(seen).toEqual(facts.map(({ type }) => type));
    await client.close();
  });
});

describe('bytes on a bare connection', () => {
  const answers = async (pieces: readonly (string | Buffer)[]): Promise<string> => {
    let text = '';
    const socket = connect(Number(new URL(bridge.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    for (const piece of pieces) socket.write(piece);
    socket.end();
    await closed;
    return text;
  };
  afterEach(async () => expect((await fetch(`${bridge.url}/health`)).status).toBe(200));

  it('that are no HTTP are answered 400, or not at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.string({ minLength: 1 })), async (bytes) => {
        expect(await answers([Buffer.from(bytes as string)])).toMatch(/^$|^HTTP\/1\.1 [34]\d\d /);
      }),
      { numRuns: 200 },
    );
  });

  it.each(['/', '/other', '/api/v1/tasks', '/api/v1/tasks/x/events'])(
    'that ask for an upgrade of %s, which nobody takes, are answered',
    async (path) => {
      // HTTP/2 in the clear begins like this with some clients.
      for (const protocol of ['websocket', 'h2c'])
        expect(await answers([`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`])).toMatch(
          /^HTTP\/1\.1 404 [^]*"code":"NOT_FOUND"/,
        );
    },
  );

  it('that are headers of any content are answered without a fault of ours', async () => {
    const name = fc.oneof(
      fc.constantFrom(
        'Cookie',
        'Authorization',
        'Last-Event-ID',
        'Content-Type',
        'Content-Length',
        'Transfer-Encoding',
        'Origin',
        'Upgrade',
        'Host',
        'Expect',
      ),
      fc.constantFrom('__proto__', 'constructor', 'X-Forwarded-Host', 'Sec-WebSocket-Protocol', 'Connection'),
      fc.stringMatching(/^[a-zA-Z-]{1,20}$/),
    );
    const value = fc.oneof(
      fc.stringMatching(/^[\x20-\x7e]{0,60}$/),
      fc.constantFrom(
        '',
        'chunked',
        '-1',
        '1e9',
        '99999999999999999999',
        'websocket',
        'multipart/form-data',
        '100-continue',
        'null',
        'Upgrade',
        '\xff\xfe',
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          'GET /api/v1/tasks/x/events',
          'POST /api/v1/tasks',
          'GET /api/v1/tasks/ws',
          'GET /api/v1/tasks/x/events/stream',
          'POST /api/v1/tasks/x/actions',
        ),
        fc.array(fc.tuple(name, value), { maxLength: 8 }),
        async (line, headers) => {
          const lines = headers.map((pair) => `${pair.join(': ')}\r\n`).join('');
          const answer = await answers([Buffer.from(`${line} HTTP/1.1\r\nHost: h\r\nAuthorization: alice\r\n${lines}\r\n`, 'latin1')]);
          expect(answer).toMatch(/^$|^HTTP\/1\.1 (1\d\d|[234]\d\d) /);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('that are thousands of cookies or one giant header are refused by Node, and nobody else is', async () => {
    const cookies = Array.from({ length: 5000 }, (_, nth) => `c${nth}=${nth}`).join('; ');
    const many = Array.from({ length: 5000 }, (_, nth) => `X-${nth}: 1\r\n`).join('');
    for (const head of [`Cookie: ${cookies}\r\n`, many, `X: ${'y'.repeat(100_000)}\r\n`])
      expect(await answers([`GET /api/v1/tasks/x HTTP/1.1\r\nHost: h\r\nAuthorization: alice\r\n${head}\r\n`])).toMatch(/^HTTP\/1\.1 431 /);
    const fitting = Array.from({ length: 1000 }, (_, nth) => `c${nth}=1`).join('; ');
    expect(await answers([`GET /api/v1/tasks/x HTTP/1.1\r\nHost: h\r\nAuthorization: alice\r\nCookie: ${fitting}\r\n\r\n`])).toMatch(
      /^HTTP\/1\.1 404 /,
    );
  });

  it('after a handshake end in a close frame or a cut, and free the socket', async () => {
    const opcode = fc.integer({ min: 0, max: 15 });
    const frame = fc
      .record({
        fin: fc.boolean(),
        rsv: fc.integer({ min: 0, max: 7 }),
        opcode,
        masked: fc.boolean(),
        payload: fc.uint8Array({ maxLength: 300 }),
        lie: fc.option(fc.bigInt({ min: 0n, max: 2n ** 63n })),
      })
      .map(({ fin, rsv, opcode: code, masked, payload, lie }) => {
        const head = Buffer.alloc(10);
        head[0] = (fin ? 0x80 : 0) | (rsv << 4) | code;
        head[1] = (masked ? 0x80 : 0) | 127;
        head.writeBigUInt64BE(lie ?? BigInt(payload.length), 2);
        return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
      });
    const pieces = fc.array(
      fc.oneof(
        frame,
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      ),
      { minLength: 1, maxLength: 6 },
    );
    const handshake = () =>
      `GET /api/v1/tasks/ws HTTP/1.1\r\nHost: h\r\nAuthorization: alice\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`;
    await fc.assert(
      fc.asyncProperty(pieces, async (bytes) => void expect(await answers([handshake(), ...bytes])).toMatch(/^HTTP\/1\.1 101 /)),
      { numRuns: 300 },
    );
  });

  it('that come one by one are a request all the same', async () => {
    const raw = openRaw(Number(new URL(bridge.url).port));
    onTestFinished(() => void raw.socket.destroy());
    raw.socket.setNoDelay(true);
    const body = '{"clientRequestId":"slow","taskType":"any"}';
    const request = `POST /api/v1/tasks HTTP/1.1\r\nHost: h\r\nAuthorization: alice\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    for (const byte of request) await raw.write(byte);
    expect((await raw.answer).status).toBe(201);
  });
});
