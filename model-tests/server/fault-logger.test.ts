import assert from 'node:assert';
import { expect, test } from 'vitest';
import { memoryAttachments, memoryStore } from '../../adapters/memory/index.ts';
import { FAULT_KINDS_MAX, FAULT_QUIET_MS, faultLogger } from '../../server/ports/fault-logger.ts';
import { type Logger, type TaskBridgeOptions } from '../../server/index.ts';
import { inProcess } from '../../adapters/in-process/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { bridgeOf } from './bridge-of.ts';

function stage() {
  const clock = fakeClock();
  const lines: { readonly level: string; readonly message: string; readonly fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  const logger: Logger = {
    warn: (message, fields) => void lines.push({ level: 'warn', message, fields }),
    error: (message, fields) => void lines.push({ level: 'error', message, fields }),
    info: (message, fields) => void lines.push({ level: 'info', message, fields }),
  };
  return { clock, lines, logger, limited: faultLogger(logger, clock) };
}
const away = (code?: string) => Object.assign(new Error('The store is away.'), { code });

test('one fault has one line a minute, and the next one says how many were not written', () => {
  const { clock, lines, limited } = stage();
  const fail = (task: number) => limited.warn('It failed.', { taskId: `${task}`, error: away() });
  // As many as were seen in 20 seconds of a full disk.
  for (let task = 0; task < 1800; task++) {
    fail(task);
    clock.advance(11);
  }
  expect(lines).toEqual([{ level: 'warn', message: 'It failed.', fields: { taskId: '0', error: away() } }]);
  clock.advance(FAULT_QUIET_MS - 1800 * 11 - 1);
  fail(1800);
  expect(lines).toHaveLength(1);
  clock.advance(1);
  fail(1801);
  expect(lines[1]?.fields).toMatchObject({ taskId: '1801', unwritten: 1800 });
  clock.advance(FAULT_QUIET_MS);
  fail(1802);
  expect(lines[2]?.fields).toEqual({ taskId: '1802', error: away() });
});

test('faults are told apart by what is said, how, and by what failed and where, not by whom it met', () => {
  const { lines, limited } = stage();
  const [here, there] = [() => new TypeError('here'), () => new TypeError('there')];
  const faults: readonly (() => void)[] = [
    () => limited.warn('One thing failed.', { error: away() }),
    () => limited.warn('Another thing failed.', { error: away() }),
    () => limited.error('One thing failed.', { error: away() }),
    () => limited.warn('One thing failed.', { error: away('ENOSPC') }),
    () => limited.warn('One thing failed.', { error: here() }),
    () => limited.warn('One thing failed.', { error: there() }),
    () => limited.warn('One thing failed.', { error: 'a text' }),
    () => limited.warn('One thing failed.', { error: null }),
    () => limited.warn('One thing failed.', { error: Object.defineProperty(new Error(), 'code', { get: () => assert.fail() }) }),
  ];
  for (let round = 0; round < 3; round++) for (const fail of faults) fail();
  expect(lines).toHaveLength(faults.length);
});

test('what is no fault is always written', () => {
  const { lines, limited } = stage();
  for (let task = 0; task < 3; task++) {
    limited.warn('A task was taken over.', { taskId: `${task}` });
    limited.error('This cannot be.');
    limited.info?.('task.create.accepted', { taskId: `${task}` });
  }
  expect(lines).toHaveLength(9);
});

test('so many kinds are told apart; beyond, the one that was written longest ago is forgotten', () => {
  const { lines, limited } = stage();
  const fail = (kind: number) => limited.warn(`Kind ${kind} failed.`, { error: away() });
  const last = () => lines.at(-1)?.message;
  for (let kind = 1; kind <= FAULT_KINDS_MAX; kind++) fail(kind);
  fail(1);
  expect(last()).toBe(`Kind ${FAULT_KINDS_MAX} failed.`);
  fail(FAULT_KINDS_MAX + 1);
  expect(last()).toBe(`Kind ${FAULT_KINDS_MAX + 1} failed.`);
  fail(2);
  expect(last()).toBe(`Kind ${FAULT_KINDS_MAX + 1} failed.`);
  fail(1);
  expect(last()).toBe('Kind 1 failed.');
});

/** A host whose store takes nothing more, and what it logs. */
async function full(options: Partial<TaskBridgeOptions> = {}) {
  const { lines, logger } = stage();
  const store = memoryStore();
  const noRoom = () => Promise.reject(Object.assign(new Error('No space left on device.'), { code: 'ENOSPC' }));
  let isFull = false;
  const host = await bridgeOf(
    inProcess({ wait: (task) => new Promise<void>((resolve) => task.signal.addEventListener('abort', () => resolve())) }),
    {
      store: {
        ...store,
        create: (task) => (isFull ? noRoom() : store.create(task)),
        append: (commit) => (isFull ? noRoom() : store.append(commit)),
      },
      logger,
      ...options,
    },
  );
  return { ...host, lines, setFull: (is: boolean) => (isFull = is) };
}

test('a store that takes nothing is one line for each thing that it keeps from happening, and /ready says 503 until it takes something', async () => {
  const { bridge, url, lines, start, cancel, setFull } = await full();
  const ready = async () => {
    const response = await fetch(`${url}/ready`);
    return [response.status, await response.json()] as const;
  };
  const tasks = await Promise.all(Array.from({ length: 20 }, () => start('wait')));
  expect((await ready())[0]).toBe(200);
  setFull(true);
  const refused = await Promise.all(
    [...tasks.map((task) => cancel(task)), ...tasks.map(() => start('wait'))].map((asked) =>
      asked.then(
        () => 'done',
        ({ code }) => code as unknown,
      ),
    ),
  );
  expect(new Set(refused)).toEqual(new Set(['STORE_UNAVAILABLE']));
  const messages = lines.filter(({ level }) => level !== 'info').map(({ message }) => message);
  expect(messages.length).toBeGreaterThan(2);
  expect(messages).toEqual([...new Set(messages)]);
  expect(await ready()).toEqual([
    503,
    { status: 'not_ready', details: { store: { name: 'memory', status: 'not_ready', writes: 'failing' } } },
  ]);
  expect(lines.at(-1)).toMatchObject({ message: 'The readiness probe "store" failed.', fields: { error: { code: 'ENOSPC' } } });
  setFull(false);
  await start('wait');
  expect((await ready())[0]).toBe(200);
  await Promise.all(tasks.map((task) => cancel(task)));
  await bridge.close();
});

test.each(['ENOSPC', 'EDQUOT'])(
  'a file for which the disk has no room (%s) is answered 503 with Retry-After, however its error is wrapped',
  async (code) => {
    const { lines, logger } = stage();
    const noRoom = Object.assign(new Error('no room'), { code });
    let thrown: Error = noRoom;
    const attachments = { ...memoryAttachments(), put: () => Promise.reject(thrown) };
    const { url } = await bridgeOf(inProcess({ x: async () => 1 }), { attachments, logger });
    for (thrown of [noRoom, new Error('The bucket said no.', { cause: noRoom }), new Error('held by another program')]) {
      const form = new FormData();
      form.set('taskType', 'x');
      form.set('clientRequestId', 'r');
      form.set('attachment', new Blob(['content']), 'a.txt');
      const response = await fetch(`${url}/api/v1/tasks`, { method: 'POST', headers: { authorization: 'alice' }, body: form });
      const isFull = thrown.message !== 'held by another program';
      expect([response.status, response.headers.get('retry-after')]).toEqual(isFull ? [503, '5'] : [500, null]);
      expect(await response.json()).toMatchObject({ code: isFull ? 'STORE_UNAVAILABLE' : 'INTERNAL_ERROR' });
    }
    expect(lines.map(({ message }) => message)).toContain('There is no room for the files now; try again later.');
  },
);
