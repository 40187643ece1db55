import { describe, expect, test, vi } from 'vitest';
import { inProcess, type Task } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import type { PartTextResponse, TaskPart } from '../../machines/parts/index.ts';
import type { Store } from '../../server/index.ts';
import { partText } from '../../server/parts/part-text.ts';
import { writtenTask } from './task-writer.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';

const quiet = { warn: () => undefined, error: () => undefined };

/** A task whose handler writes what it is asked to, and waits for the end of the test. */
async function written(write: (task: Task) => Promise<void>, store: Store = memoryStore()): Promise<{ of: RunningBridge; taskId: string }> {
  let done = (): void => undefined;
  const isWritten = new Promise<void>((resolve) => (done = resolve));
  const run = inProcess(
    {
      work: async (task) => {
        await write(task);
        done();
        await new Promise((resolve) => task.signal.addEventListener('abort', resolve, { once: true }));
      },
    },
    { logger: quiet },
  );
  const of = await bridgeOf(run, { store, logger: quiet });
  const taskId = await of.start('work');
  await isWritten;
  return { of, taskId };
}

async function part(task: Task, name: string, text: string, ends = true): Promise<void> {
  const out = task.stream(name, { kind: 'text', flushMs: 10 });
  await out.write(text);
  if (ends) await out.end();
}

async function read(
  { of, taskId }: { of: RunningBridge; taskId: string },
  number: number | string,
  query = '',
  init: RequestInit = {},
): Promise<{ readonly status: number; readonly body: PartTextResponse & { readonly code?: string; readonly details?: unknown } }> {
  const response = await fetch(`${of.url}/api/v1/tasks/${taskId}/parts/${number}${query}`, {
    headers: { authorization: 'alice' },
    ...init,
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as PartTextResponse };
}

async function partsOf({ of, taskId }: { of: RunningBridge; taskId: string }): Promise<readonly TaskPart[]> {
  return (await of.snapshot(taskId)).parts ?? [];
}

const LONG = 'ä🙂 '.repeat(8_000);

test('a part whose closing fact is no longer kept is shown without a text, and never with that of another', async () => {
  const memory = createMemory();
  const task = await written(async (work) => {
    await part(work, 'first', 'one');
    await part(work, 'second', 'two');
  }, memoryStore({ memory }));
  const [first, second] = await partsOf(task);
  const row = memory.tasks.get(task.taskId);
  if (row) row.firstRetained += row.log.splice(0, row.log.length - 1).length;
  const { text: _, ...without } = first ?? {};
  expect(await partsOf(task)).toEqual([without, second]);
  expect(second?.text).toBe('two');
  expect((await read(task, first?.part ?? 0)).status).toBe(404);
  expect((await read(task, second?.part ?? 0)).body.text).toBe('two');
});

describe('the snapshot of a task', () => {
  test('lists what is open and what is closed, each with its text up to 32 KiB', async () => {
    const task = await written(async (work) => {
      await part(work, 'short', 'It is done.');
      await part(work, 'long', LONG);
      await part(work, 'open', 'It goes on', false);
    });
    await vi.waitFor(async () =>
      expect(await partsOf(task)).toEqual([
        expect.objectContaining({ part: 2, name: 'short', kind: 'text', bytes: 11, open: false, outcome: 'DONE', text: 'It is done.' }),
        {
          part: 4,
          eventId: expect.stringMatching(/^4-/) as string,
          name: 'long',
          kind: 'text',
          bytes: 56_000,
          open: false,
          outcome: 'DONE',
        },
        expect.objectContaining({ part: 6, name: 'open', bytes: 10, open: true, epoch: expect.any(String) as string, text: 'It goes on' }),
      ]),
    );
    const [listed] = (await task.of.bridge.tasks({ subject: 'alice' }).list()).tasks;
    expect(listed?.parts?.map(({ part: number, bytes, open, text }) => [number, bytes, open, text])).toEqual([
      [2, 11, false, undefined],
      [4, 56_000, false, undefined],
      [6, 10, true, undefined],
    ]);
  });

  test('is without parts where there are none', async () => {
    const task = await written(async () => undefined);
    expect(await task.of.snapshot(task.taskId)).not.toHaveProperty('parts');
  });

  test('lists the newest 16 that are closed, and no more than 256 KiB of their texts', async () => {
    const text = 'x'.repeat(30 * 1024);
    const task = await written(async (work) => {
      for (let i = 0; i < 20; i++) await part(work, `part ${i}`, text);
    });
    const parts = await partsOf(task);
    expect(parts.map(({ name }) => name)).toEqual(Array.from({ length: 16 }, (_, i) => `part ${i + 4}`));
    expect(parts.map((one) => one.text === text)).toEqual([...Array<boolean>(8).fill(false), ...Array<boolean>(8).fill(true)]);
    // Of an older one the log tells.
    expect((await read(task, 2)).body).toMatchObject({ name: 'part 0', open: false, outcome: 'DONE', bytes: text.length, text });
  });
});

describe('the text of a part', () => {
  test('that is closed is read in pieces, as long as its task is there', async () => {
    const task = await written((work) => part(work, 'long', LONG));
    let text = '';
    for (let at = 0, bytes = 1; at < bytes;) {
      const { body } = await read(task, 2, `?offset=${at}&limit=9999`);
      expect(body).toMatchObject({ taskId: task.taskId, part: 2, name: 'long', kind: 'text', open: false, outcome: 'DONE', at });
      expect(body.epoch).toMatch(/./);
      expect(Buffer.byteLength(body.text)).toBe(body.to - body.at);
      text += body.text;
      ({ to: at, bytes } = body);
    }
    expect(text).toBe(LONG);
    await task.of.bridge.tasks({ subject: 'alice' }).cancel(task.taskId);
    await vi.waitFor(async () => expect((await task.of.snapshot(task.taskId)).state).toBe('completed'));
    expect((await read(task, 2, '?offset=55993')).body).toMatchObject({ at: 55_993, to: 56_000, text: 'ä🙂 ' });
    await vi.waitFor(() => task.of.bridge.tasks({ subject: 'alice' }).remove(task.taskId));
    expect((await read(task, 2)).status).toBe(404);
  });

  test('that is open is what was written so far, and its place is a cursor of a stream', async () => {
    const task = await written((work) => part(work, 'open', 'Once upon', false));
    const { body } = await vi.waitFor(async () => {
      const found = await read(task, 2);
      expect(found.body.bytes).toBe(9);
      return found;
    });
    expect(body).toMatchObject({ open: true, at: 0, to: 9, text: 'Once upon' });
    expect(body).not.toHaveProperty('outcome');
    const parts = `${body.eventId}.5.${body.epoch}`;
    const query = new URLSearchParams({ extensions: 'parts', afterEventId: body.eventId, parts });
    const page = await fetch(`${task.of.url}/api/v1/tasks/${task.taskId}/events?${query}`, { headers: { authorization: 'alice' } });
    expect(await page.json()).toMatchObject({ parts: [{ at: 5, text: 'upon' }] });
    expect((await read(task, 2, '?offset=9')).body).toMatchObject({ at: 9, to: 9, text: '' });
    expect(await task.of.bridge.tasks({ subject: 'alice' }).readPart(task.taskId, 2, { offset: 5 })).toEqual({
      ...body,
      at: 5,
      text: 'upon',
    });
  });

  test.each([
    ['a part that is none', 1, '', 404, 'TASK_NOT_FOUND'],
    ['a number that is none', '2x', '', 404, 'TASK_NOT_FOUND'],
    ['a part to come', 99, '', 404, 'TASK_NOT_FOUND'],
    ['an offset beyond it', 2, '?offset=56001', 422, 'REQUEST_VALIDATION_ERROR'],
    ['an offset within a character', 2, '?offset=1', 422, 'REQUEST_VALIDATION_ERROR'],
    ['an offset beyond a short one', 4, '?offset=7', 422, 'REQUEST_VALIDATION_ERROR'],
    ['an offset within a character of a short one', 4, '?offset=1', 422, 'REQUEST_VALIDATION_ERROR'],
    ['fewer bytes than a character may have', 2, '?limit=3', 422, 'REQUEST_VALIDATION_ERROR'],
    ['a place that is no number', 2, '?offset=-1', 422, 'REQUEST_VALIDATION_ERROR'],
  ])('is refused for %s', async (_, number, query, status, code) => {
    const task = await written(async (work) => {
      await part(work, 'long', LONG);
      await part(work, 'short', 'äöü');
    });
    const answer = await read(task, number, query);
    expect(answer).toMatchObject({ status, body: { code } });
    if (status === 422) expect(answer.body.details).toMatchObject({ errors: [{ path: query.slice(1, query.indexOf('=')) }] });
  });

  test('is for who may see the task, and of a HEAD the answer without it', async () => {
    const task = await written((work) => part(work, 'short', 'mine'));
    const foreign = await read(task, 2, '', { headers: { authorization: 'bob' } });
    expect(foreign).toMatchObject({ status: 404, body: { code: 'TASK_NOT_FOUND' } });
    expect((await read(task, 2, '', { headers: {} })).status).toBe(401);
    const head = await read(task, 2, '', { method: 'HEAD', headers: { authorization: 'alice' } });
    expect(head).toEqual({ status: 200, body: {} });
    await expect(task.of.bridge.tasks({ subject: 'bob' }).readPart(task.taskId, 2)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    const own = task.of.bridge.tasks({ subject: 'alice' });
    await expect(own.readPart(task.taskId, 2, { limit: 3 })).rejects.toMatchObject({ code: 'REQUEST_VALIDATION_ERROR' });
  });

  test('of a part that was closed since its task was read is read again', async () => {
    const store = memoryStore();
    await store.open();
    const { execute, read: record } = await writtenTask(store);
    await execute((unit) => unit.decide({ type: 'report.started', payload: {} }));
    await execute((unit) => unit.decide({ type: 'report.part.opened', payload: { name: 'answer', kind: 'text' } }));
    const before = await record();
    await execute((unit) => unit.parts.close(2, 'DONE'));
    expect(await partText(before, store, '2', { offset: 0, limit: 64 })).toBeUndefined();
    expect(await partText(await record(), store, '2', { offset: 0, limit: 64 })).toMatchObject({ open: false, bytes: 0, text: '' });
  });
});
