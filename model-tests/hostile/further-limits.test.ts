import { inProcess } from 'taskbridge/adapters/in-process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished, vi } from 'vitest';
import { file, form, FORM_TYPE, text } from '../http/form.ts';
import { startHost } from '../http/host.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { liveHost } from '../live/host.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { atLast, most, testBoundaries } from './boundaries.ts';
import { heldTasks } from './held-tasks.ts';

/** Limits that are no options: what they are, and where they stand. */
const constants = {
  'actions that a question allows': 'machines/wire/payloads.ts',
  'characters of a question’s key': 'adapters/in-process/run.ts',
  'handlers that run at once': 'adapters/in-process/executor.ts',
  'parts of a multipart body': 'server/http/multipart/parts.ts',
  'characters of a file name': 'server/http/multipart/file-name.ts',
  'faults that an answer lists': 'server/http/validation.ts',
  'milliseconds to answer a close frame': 'server/http/web-socket/upgrade-handler.ts',
} as const;

let requests = 0;
const fields = () => [text('clientRequestId', `r${(requests += 1)}`), text('taskType', 'report')];

/** A task that runs, and what becomes of a question that it asks. */
async function asking() {
  const held = heldTasks();
  const { start, snapshot } = await bridgeOf(held.executor);
  return async (key: string, allowedActions: readonly string[]) => {
    const taskId = await start('hold');
    const task = await held.of(taskId);
    const refused = task.suspend(key, { reasonCode: 'Q', allowedActions: [...allowedActions] }).then(
      () => 'answered',
      (error: Error & { code?: string }) => error.code ?? error.name,
    );
    const asked = vi.waitUntil(async () => (await snapshot(taskId)).state === 'suspended' && 'asked');
    asked.catch(() => undefined);
    return Promise.race([refused, asked]);
  };
}

async function posting() {
  const host = await startHost();
  onTestFinished(() => host.close());
  const post = (type: string, body: string | Buffer) =>
    fetch(`${host.url}/api/v1/tasks`, {
      method: 'POST',
      headers: { authorization: 'Bearer ada', 'content-type': type },
      body: body as BodyInit,
    });
  return { ...host, post };
}

const HANDSHAKE = `GET /api/v1/tasks/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`;
/** The text `no`, masked with zeros. */
const BAD_FRAME = Buffer.from([0x81, 0x82, 0, 0, 0, 0, ...Buffer.from('no')]);
const CLOSE_FRAME = 0x88;

/** A peer that is told to go and does not. */
async function deafPeer() {
  const host = await liveHost({ clock: fakeClock() });
  const socket = connect(host.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(HANDSHAKE);
  await once(socket, 'data');
  socket.write(BAD_FRAME);
  const [[first]] = (await once(socket, 'data')) as [Buffer];
  if (first !== CLOSE_FRAME) throw new Error(`The bad frame was answered with ${first}.`);
  return { door: host.door, socket };
}

testBoundaries('further limits', constants, {
  'actions that a question allows': most(64, 'asked', 'REQUEST_VALIDATION_ERROR', async () => {
    const ask = await asking();
    return (amount) =>
      ask(
        'q',
        Array.from({ length: amount }, (_action, nth) => `a${nth}`),
      );
  }),
  'characters of a question’s key': most(200, 'asked', 'REPORT_REFUSED', async () => {
    const ask = await asking();
    return (amount) => ask('k'.repeat(amount), ['yes']);
  }),
  'handlers that run at once': {
    limit: 3,
    answers: [2, 3, 3],
    open: () => async (amount) => {
      let running = 0;
      const wait = () => new Promise<void>(() => void (running += 1));
      const { start } = await bridgeOf(inProcess({ wait }, { concurrencyMax: 3 }));
      for (let task = 0; task < amount; task += 1) await start('wait');
      await vi.waitUntil(() => running >= Math.min(amount, 3));
      return running;
    },
  },
  'parts of a multipart body': most(1000, 201, 400, async () => {
    const { post } = await posting();
    return async (amount) => {
      const own = fields();
      const others = Array.from({ length: amount - own.length }, (_part, nth) => file('x', 'x', { name: `other-${nth}` }));
      return (await post(FORM_TYPE, form([...own, ...others]))).status;
    };
  }),
  'characters of a file name': {
    limit: 255,
    answers: [254, 255, 255],
    async open() {
      const { post, created } = await posting();
      return async (amount) => {
        await post(FORM_TYPE, form([...fields(), file('x', 'n'.repeat(amount))]));
        return [...created.values()].at(-1)?.request.attachments[0]?.fileName.length;
      };
    },
  },
  'milliseconds to answer a close frame': atLast(10_000, 1, 0, () => async (amount) => {
    // The time is kept by ws, not by our clock.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { door, socket } = await deafPeer();
    const gone = once(socket, 'close');
    vi.advanceTimersByTime(amount);
    await (amount < 10_000 ? quiesce() : gone);
    return door.sockets;
  }),
  'faults that an answer lists': {
    limit: 64,
    answers: [
      { listed: 63, omitted: undefined },
      { listed: 64, omitted: undefined },
      { listed: 64, omitted: 1 },
    ],
    async open() {
      const { post } = await posting();
      return async (amount) => {
        const unknown = Object.fromEntries(Array.from({ length: amount }, (_field, nth) => [`u${nth}`, 1]));
        const response = await post('application/json', JSON.stringify({ clientRequestId: 'r', taskType: 'report', ...unknown }));
        const { details } = (await response.json()) as { details: { errors: unknown[]; omitted?: number } };
        return { listed: details.errors.length, omitted: details.omitted };
      };
    },
  },
});
