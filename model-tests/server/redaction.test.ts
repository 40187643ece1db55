import { describe, expect, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { createTaskBridge, type TaskBridgeOptions } from '../../server/index.ts';
import { redactDefaults, redactedLogger } from '../../server/observability/index.ts';
import { hostLogger } from '../../server/ports/host-logger.ts';
import { redaction } from '../../server/ports/redaction.ts';
import { eventually } from '../support/eventually.ts';
import { bridgeOf } from './bridge-of.ts';

const SECRET = 'zq-a-secret';

/** All that may be read of a line, errors and their causes among it. */
function textOf(told: unknown): string {
  const seen = new Set<unknown>();
  return JSON.stringify(told, (_name, value: unknown) => {
    if (typeof value === 'object' && value !== null) {
      if (seen.has(value)) return '(again)';
      seen.add(value);
    }
    return value instanceof Error ? { ...value, message: value.message, stack: value.stack, cause: value.cause } : value;
  });
}

function lines() {
  const told: unknown[] = [];
  const tell = (...args: unknown[]): void => void told.push(args);
  return { told, logger: { warn: tell, error: tell, info: tell, debug: tell } };
}

/** As a client of HTTP fails that keeps its request in its error. */
function requestFailure(): Error {
  const config = { url: 'https://id.example.org', headers: { Authorization: `Bearer ${SECRET}`, Cookie: `sid=${SECRET}` } };
  const cause = Object.assign(new Error('refused'), { response: { body: { access_token: SECRET } } });
  return Object.assign(new Error('Request failed', { cause }), { config });
}

describe('a line of the log', () => {
  test.each<[string, readonly string[], Readonly<Record<string, unknown>>, unknown]>([
    ['a name', ['userId'], { userId: 'ada', taskId: 't' }, { userId: '[redacted]', taskId: 't' }],
    ['a path', ['a.b'], { a: { b: 1, c: 2 }, b: 3 }, { a: { b: '[redacted]', c: 2 }, b: 3 }],
    ['any one name', ['a.*.c'], { a: { x: { c: 1 }, c: 2 } }, { a: { x: { c: '[redacted]' }, c: 2 } }],
    ['any depth, none among them', ['**.c'], { c: 1, a: { b: { c: { d: 2 } } } }, { c: '[redacted]', a: { b: { c: '[redacted]' } } }],
    [
      'a depth in the middle',
      ['a.**.c'],
      { a: { c: 1, b: { b: { c: 2 } } }, c: 3 },
      { a: { c: '[redacted]', b: { b: { c: '[redacted]' } } }, c: 3 },
    ],
    ['items of lists', ['a.b'], { a: [{ b: 1 }, { b: 2, c: 3 }] }, { a: [{ b: '[redacted]' }, { b: '[redacted]', c: 3 }] }],
    ['large and small letters', ['**.Set-COOKIE'], { headers: { 'set-cookie': ['x'] } }, { headers: { 'set-cookie': '[redacted]' } }],
    ['names of prototypes', ['__proto__', 'constructor'], { a: 1 }, { a: 1 }],
  ])('is told without %s', (_what, paths, fields, told) => expect(redaction(paths)(fields)).toEqual(told));

  test('of which nothing is taken out is told as it is, its errors too', () => {
    const fields = { error: new Error('no', { cause: new Error('why') }), list: [1, { a: null }] };
    expect(redaction()(fields)).toBe(fields);
    expect(redaction([])({ token: SECRET })).toEqual({ token: SECRET });
  });

  test('has no text of an error where that is named, nor in its stack', () => {
    const told = redaction(['**.message'])({ error: new Error(SECRET, { cause: new TypeError(SECRET) }) });
    expect(textOf(told)).not.toContain(SECRET);
    expect(told).toMatchObject({ error: { name: 'Error', message: '[redacted]', cause: { name: 'TypeError' } } });
  });

  test('ends where fields are too deep, go round, are of a class, or cannot be read', () => {
    const deep = Array.from({ length: 20 }).reduce<object>((inside) => ({ inside }), { end: SECRET });
    const round: Record<string, unknown> = {};
    round['self'] = round;
    const broken = {
      get bad(): never {
        throw new Error('no');
      },
    };
    class Socket {
      readonly auth = SECRET;
    }
    const told = redaction()({ deep, round, broken, socket: new Socket(), many: Array.from({ length: 5000 }, () => ({ a: 1 })) });
    expect(textOf(told)).not.toContain(SECRET);
    expect(told).toMatchObject({ round: { self: '[circular]' }, broken: '[unreadable]', socket: '[Socket]' });
    expect((told['many'] as unknown[]).at(-1)).toBe('[deep]');
  });

  test.each([[['a..b']], [['']], [['**']], [['a.**']], [[7]], ['a'], [Array.from({ length: 101 }, () => 'a')], [['a'.repeat(257)]]])(
    'is not redacted by %j',
    (redact) => {
      const options = {
        store: memoryStore(),
        executor: inProcess({}),
        auth: () => ({ subject: 'ada' }),
        redact,
      } as unknown as TaskBridgeOptions;
      expect(() => createTaskBridge(options)).toThrow(/^redact/);
    },
  );
});

test.each([
  ['pino', { bindings: () => ({}) }],
  ['winston', { configure: () => undefined }],
  ['any other', {}],
])('%s is told no credentials that an error carries', (_name, more) => {
  const { told, logger } = lines();
  hostLogger({ ...logger, ...more }).error('It failed.', { error: requestFailure() });
  expect(textOf(told)).not.toContain(SECRET);
  expect(textOf(told)).toContain('Request failed');
});

test('no line of a run has a secret that was in its headers, its input, its answers, or in what failed with them', async () => {
  const { told, logger } = lines();
  const work = redactedLogger(logger, [...redactDefaults, 'error.message', 'error.stack']);
  const ask = inProcess(
    {
      ask: async (task) => {
        await task.suspend('which', { reasonCode: 'WHICH', allowedActions: ['yes'] });
        throw new Error(`The answer to ${JSON.stringify(task.input['text'])} was no good.`);
      },
    },
    { logger: work },
  );
  let isDown = true;
  const host = await bridgeOf(ask, {
    logger,
    auth: ({ headers }) => {
      if (isDown) throw requestFailure();
      return headers.authorization === undefined ? undefined : { subject: 'alice' };
    },
  });
  const call = (path: string, body: object) =>
    fetch(`${host.url}/api/v1/tasks${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SECRET}`, cookie: `sid=${SECRET}`, 'x-api-key': SECRET, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const create = { clientRequestId: 'r1', taskType: 'ask', input: { text: SECRET, password: SECRET } };
  expect((await call('', create)).status).toBeGreaterThanOrEqual(400);
  isDown = false;
  // As the server answers it.
  const { taskId } = (await (await call('', create)).json()) as { readonly taskId: string };
  await eventually(async () => (await host.snapshot(taskId)).state === 'suspended');
  const suspendId = (await host.snapshot(taskId)).suspensions[0]?.suspendId;
  await call(`/${taskId}/actions`, { suspendId, clientActionId: 'a1', actionType: 'yes', payload: { token: SECRET } });
  await eventually(async () => (await host.snapshot(taskId)).state === 'failed');
  expect(told.length).toBeGreaterThan(5);
  expect(textOf(told)).toContain('A handler failed its task.');
  expect(told.filter((line) => textOf(line).includes(SECRET))).toEqual([]);
});
