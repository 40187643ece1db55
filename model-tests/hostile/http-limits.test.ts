import { PassThrough } from 'node:stream';
import type { ServerResponse, IncomingMessage } from 'node:http';
import { httpDefaults, type HttpOptions } from 'taskbridge/server';
import { expect, onTestFinished, vi } from 'vitest';
import { answerEarly } from '../../server/http/early-answer.ts';
import type { CommittedSnapshot } from '../../server/task/service.ts';
import { snapshotJson } from '../../server/task/snapshot.ts';
import { fakeService, RUNNING } from '../http/fake-service.ts';
import { file, form, FORM_TYPE, text, type FormPart } from '../http/form.ts';
import { startHost, type Host } from '../http/host.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { head, openRaw } from '../http/raw.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { atLast, most, testBoundaries, type BoundaryRequest } from './boundaries.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const JSON_TYPE = 'application/json';

async function hostWith(options: Partial<HttpOptions> = {}, parts: Parameters<typeof startHost>[0] = {}): Promise<Host> {
  const host = await startHost({ ...parts, options });
  onTestFinished(() => host.close());
  return host;
}

let requests = 0;
const fields = () => [text('clientRequestId', `r${(requests += 1)}`), text('taskType', 'report')];

const act = (host: Host, payload: object) =>
  post(host, JSON_TYPE, JSON.stringify({ suspendId: 's', clientActionId: 'c', actionType: 'yes', payload }), `/${RUNNING}/actions`);

async function post(host: Host, type: string, body: string | Buffer, path = ''): Promise<string> {
  const response = await fetch(`${host.url}/api/v1/tasks${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer ada', 'content-type': type },
    body: body as BodyInit,
  });
  const { code } = (await response.json()) as { code?: string };
  return code === undefined ? String(response.status) : `${response.status} ${code}`;
}

/** Sends a form whose parts are made for an amount. */
function sends(partsOf: (amount: number) => readonly FormPart[], options: Partial<HttpOptions> = {}): () => Promise<BoundaryRequest> {
  return async () => {
    const host = await hostWith(options);
    return (amount) => post(host, FORM_TYPE, form([...fields(), ...partsOf(amount)]));
  };
}

const texts = () => ({ clientRequestId: `r${(requests += 1)}`, taskType: 'report' });
const zeros = (amount: number) => Array.from({ length: amount }, () => 0);
const many = (ask: (amount: number, host: Host) => Promise<string>) => async () => {
  const host = await hostWith({ bodyValuesMax: 100 });
  return (amount: number) => ask(amount, host);
};

const TOO_MANY = '422 REQUEST_VALIDATION_ERROR';
const TOO_LARGE = '413 PAYLOAD_TOO_LARGE';
const NO_ROOM = '429 named';
/** More than the kernel keeps of a connection. */
const UNREAD = 24 * MIB;
const BAD_UPLOAD = '400 UPLOAD_VALIDATION_ERROR';

// Its only value that is no amount is the list of types, which model-tests/http/multipart.test.ts tries.
const { uploadContentTypes: _, ...amounts } = httpDefaults;

testBoundaries('the limits of the HTTP door', amounts, {
  bodyBytesMax: most(KIB, '201', TOO_LARGE, async () => {
    const host = await hostWith({ bodyBytesMax: KIB });
    return (amount) => {
      const body = JSON.stringify({ clientRequestId: `r${(requests += 1)}`, taskType: 'report' });
      return post(host, JSON_TYPE, body.padEnd(amount));
    };
  }),
  bodyValuesMax: [
    most(
      100,
      '201',
      TOO_MANY,
      many((amount, host) => post(host, JSON_TYPE, JSON.stringify({ ...texts(), input: { a: zeros(amount - 5) } }))),
      'a body',
    ),
    most(
      100,
      '202',
      TOO_MANY,
      many((amount, host) => act(host, { a: zeros(amount - 6) })),
      'an action',
    ),
    most(
      100,
      '201',
      TOO_MANY,
      many((amount, host) => post(host, FORM_TYPE, form([...fields(), text('input', JSON.stringify({ a: zeros(amount - 2) }))]))),
      'a JSON field of a form',
    ),
  ],
  uploadBytesMax: most(
    10 * MIB,
    '201',
    BAD_UPLOAD,
    sends((amount) => [file(Buffer.alloc(amount))]),
  ),
  uploadFilesMax: most(
    16,
    '201',
    BAD_UPLOAD,
    sends((amount) => Array.from({ length: amount }, (_file, nth) => file('x', `${nth}`))),
  ),
  uploadRequestBytesMax: most(2 * MIB, '201', TOO_LARGE, async () => {
    const host = await hostWith({ uploadRequestBytesMax: 2 * MIB, uploadBytesMax: 2 * MIB });
    return (amount) => {
      const parts = fields();
      const rest = amount - form([...parts, file('')]).length;
      return post(host, FORM_TYPE, form([...parts, file(Buffer.alloc(rest))]));
    };
  }),
  uploadFieldsBytesMax: most(256 * KIB, '201', TOO_LARGE, async () => {
    const host = await hostWith();
    return (amount) => {
      const parts = fields();
      const known = parts.reduce((sum, { body }) => sum + body.length, 0);
      return post(host, FORM_TYPE, form([...parts, text('input', '{}'.padEnd(amount - known))]));
    };
  }),
  requestTimeoutMs: atLast(5000, 201, 400, () => async (amount: number) => {
    const clock = fakeClock();
    let reading = (): void => undefined;
    const begun = new Promise<void>((resolve) => (reading = resolve));
    const timers = { ...clock, setTimeout: (fn: () => void, ms: number) => (reading(), clock.setTimeout(fn, ms)) };
    const host = await hostWith({ requestTimeoutMs: 5000 }, { clock: timers });
    const raw = openRaw(host.port);
    const body = JSON.stringify({ clientRequestId: 'r', taskType: 'report' });
    await raw.write(head('POST /api/v1/tasks', { 'content-type': JSON_TYPE, 'content-length': body.length }) + body.slice(0, 5));
    await begun;
    clock.advance(amount);
    await raw.write(body.slice(5));
    return (await raw.answer).status;
  }),
  pipelinedMax: most(3, 'open', 'cut', () => async (amount: number) => {
    const service = { ...fakeService().service, snapshot: () => new Promise<never>(() => undefined) };
    const host = await hostWith({ pipelinedMax: 3 }, { service });
    const raw = openRaw(host.port);
    // One is being answered.
    await raw.write(head(`GET /api/v1/tasks/${RUNNING}`).repeat(1 + amount));
    const looks = fetch(`${host.url}/health`).then(() => fetch(`${host.url}/health`));
    return Promise.race([raw.closed.then(() => 'cut'), looks.then(quiesce).then(() => 'open')]);
  }),
  unsentBytesMax: most(UNREAD + MIB, '200', NO_ROOM, unread({ unsentBytesMax: UNREAD + MIB, unsentBytesPerOwnerMax: UNREAD }, 'bob')),
  unsentBytesPerOwnerMax: most(UNREAD + MIB, '200', NO_ROOM, unread({ unsentBytesPerOwnerMax: UNREAD + MIB }, 'ada')),
  drainBytesMax: most(1000, 'reads on', 'ends', () => async (amount: number) => {
    const { req, ended } = refused(fakeClock(), { drainBytesMax: 1000 });
    req.write(Buffer.alloc(amount));
    await quiesce();
    return ended();
  }),
  drainMs: atLast(1000, 'reads on', 'ends', () => (amount: number) => {
    const clock = fakeClock();
    const { ended } = refused(clock, { drainMs: 1000 });
    clock.advance(amount);
    return ended();
  }),
  probeTimeoutMs: atLast(2000, 200, 503, () => async (amount: number) => {
    const clock = fakeClock();
    let say = (_ready: { ready: boolean }): void => undefined;
    let asked = (): void => undefined;
    const probed = new Promise<void>((resolve) => (asked = resolve));
    const check = () => (asked(), new Promise<{ ready: boolean }>((resolve) => (say = resolve)));
    const host = await hostWith({}, { clock, probes: { slow: { check } } });
    const answer = fetch(`${host.url}/ready`);
    await probed;
    clock.advance(amount);
    say({ ready: true });
    return (await answer).status;
  }),
});

/** An owner, ada or another, asks for the rest of an amount, of which ada has been sent most and reads nothing. */
function unread(options: Partial<HttpOptions>, owner: string): () => Promise<BoundaryRequest> {
  return async () => {
    const sizes = [UNREAD];
    const { service } = fakeService();
    const snapshot = async (_auth: unknown, taskId: string): Promise<CommittedSnapshot> => {
      const known = await service.snapshot({ subject: 'ada' }, taskId);
      const frame = snapshotJson({ ...known, json: { result: Buffer.alloc(0) } }).length;
      return { ...known, json: { result: Buffer.alloc((sizes.shift() ?? 0) - frame, '1') } };
    };
    const host = await hostWith(options, { service: { ...service, snapshot } });
    const raw = openRaw(host.port);
    raw.socket.pause();
    await raw.write(head(`GET /api/v1/tasks/${RUNNING}`));
    await vi.waitFor(() => expect(sizes).toEqual([]));
    return async (amount) => {
      sizes.push(amount - UNREAD);
      const response = await fetch(`${host.url}/api/v1/tasks/${RUNNING}`, { headers: { authorization: `Bearer ${owner}` } });
      const body = await response.text();
      const { details } = (response.status === 200 ? {} : JSON.parse(body)) as { details?: { limit: string } };
      return details ? `${response.status} ${details.limit === undefined ? 'unnamed' : 'named'}` : String(response.status);
    };
  };
}

/** A refusal of a request that is still being sent. */
function refused(clock: ReturnType<typeof fakeClock>, options: Partial<HttpOptions>) {
  const req = new PassThrough();
  let ends = 0;
  const res = { writeHead: () => res, write: () => true, end: () => void (ends += 1) };
  // What is used of a request and a response here is what any stream has.
  const [request, response] = [req as unknown as IncomingMessage, res as unknown as ServerResponse];
  answerEarly(request, response, { status: 413, headers: {}, body: Buffer.from('{}') }, { ...httpDefaults, ...options }, clock);
  return { req, ended: () => (ends > 0 ? 'ends' : 'reads on') };
}
