import { memoryCheckpoints, type Gate } from 'taskbridge/client';
import { partOf, partsOf, taskParts, type PartPiece } from 'taskbridge/client/parts';
import { describe, expect, test } from 'vitest';
import { eventually, turns } from '../support/eventually.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { answerOf, legibleCheckpoints, partHost, transportsOfParts, writePieces as write } from './part-host.ts';

const random = seededRandom('reading');
const bytesOf = (text: string): number => Buffer.byteLength(text);

/** A gate that a test opens and closes. */
function manualGate(): Gate & { set(open: boolean): void } {
  const listeners = new Set<(open: boolean) => void>();
  let isOpen = true;
  return {
    isOpen: () => isOpen,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set(open) {
      isOpen = open;
      for (const listener of [...listeners]) listener(open);
    },
  };
}

describe.each(transportsOfParts)('over %s', (_, options) => {
  test('who joins at any moment gets one first frame and the rest, and each byte once', async () => {
    const whole = answerOf(random, 20_000);
    const host = await partHost();
    const task = await host.start();
    await task.order({ open: 'answer' });
    const readers: Promise<{ readonly text: string; readonly frames: { at: number; to: number; snapshot?: boolean }[] }>[] = [];
    const join = async () => {
      const frames: { at: number; to: number; snapshot?: boolean }[] = [];
      const client = host.client({
        ...options,
        listener: {
          onRawPayload({ text }) {
            if (text.startsWith('{"type":"PART"')) frames.push(JSON.parse(text) as (typeof frames)[number]);
          },
        },
      });
      let text = '';
      for await (const piece of partOf(client.observe(task.taskId), 'answer')) text += piece.text;
      return { text, frames };
    };
    for (let at = 0; at < whole.length; at += 1000) {
      readers.push(join());
      await turns(random.below(20));
      await write(task, whole.slice(at, at + 1000), 97);
    }
    readers.push(join());
    await task.order({ end: true });
    readers.push(join());
    await task.order({ finish: true });
    for (const { text, frames } of await Promise.all(readers)) {
      expect(text === whole).toBe(true);
      expect(frames.filter(({ snapshot }) => snapshot).length).toBeLessThanOrEqual(1);
      let end = 0;
      for (const { at, to } of frames) {
        expect(at).toBe(end);
        end = to;
      }
    }
  });

  test('a phone that comes back downloads what it misses, and next to nothing else', async () => {
    const [before, meanwhile] = [answerOf(random, 30_000), answerOf(random, 40_000)];
    const host = await partHost();
    const task = await host.start();
    const gate = manualGate();
    const observation = host.client({ ...options, gate }).observe(task.taskId);
    const part = partOf(observation, 'answer');
    observation.subscribe(() => undefined);
    await task.order({ open: 'answer' });
    // The checkpoint that its fact brings has nothing of the text.
    await eventually(() => part.open);
    await write(task, before);
    await eventually(() => part.text === before);
    gate.set(false);
    host.cut();
    await write(task, meanwhile);
    const sent = host.sentBytes;
    gate.set(true);
    await eventually(() => part.text === before + meanwhile);
    expect(host.sentBytes - sent).toBeLessThanOrEqual(1.1 * bytesOf(meanwhile));
  });

  test('a slow reader gets fewer and longer pieces, and all of them', async () => {
    const whole = answerOf(random, 20_000);
    const host = await partHost();
    const task = await host.start();
    const observation = host.client(options).observe(task.taskId);
    const part = partOf(observation, 'answer');
    const reader = part[Symbol.asyncIterator]();
    await task.order({ open: 'answer' });
    await write(task, whole.slice(0, 100));
    const first = await reader.next();
    await write(task, whole.slice(100));
    await task.order({ end: true });
    await task.order({ finish: true });
    await eventually(() => observation.getSnapshot().task.terminal);
    const rest = await reader.next();
    expect((await reader.next()).done).toBe(true);
    expect([first, rest].map(({ value }) => (value as PartPiece | undefined)?.text).join('') === whole).toBe(true);
  });
});

test('a checkpoint has a beginning of what is too long for it, and of it no hole is shown', async () => {
  const whole = answerOf(random, 50_000);
  const host = await partHost();
  const task = await host.start();
  const { checkpoints, texts } = legibleCheckpoints();
  const parts = taskParts({ limits: { storedBytesMax: 1001, storeMs: 1 } });
  const first = host.client({ transports: ['ws'], checkpoints, parts });
  const part = partOf(first.observe(task.taskId), 'answer');
  part.subscribe(() => undefined);
  await task.order({ open: 'answer' });
  await eventually(() => part.open);
  await write(task, whole);
  await eventually(() => part.text === whole);
  // Without anybody closing anything: a page may be gone at once.
  const storedText = (): string => {
    const [text = '{}'] = texts.values();
    const { parts: stored } = JSON.parse(text) as { parts?: { parts: { text: string }[] } };
    return stored?.parts[0]?.text ?? '';
  };
  await eventually(() => bytesOf(storedText()) > 995);
  expect(whole.startsWith(storedText())).toBe(true);
  expect(bytesOf(storedText())).toBeLessThanOrEqual(1001);
  await first.close();
  const again = partOf(host.client({ transports: ['ws'], checkpoints }).observe(task.taskId), 'answer');
  again.subscribe(() => undefined);
  await eventually(() => again.text === whole);
  expect(again.getSnapshot()?.restarts).toBe(0);
});

test.each([
  ['of before there were parts', (checkpoint: object) => ({ ...checkpoint, parts: undefined })],
  ['whose parts a newer version wrote', (checkpoint: object) => ({ ...checkpoint, parts: { v: 2, parts: [{ part: 2, lane: 'x' }] } })],
  ['whose parts are none', (checkpoint: object) => ({ ...checkpoint, parts: { v: 1, parts: [{ part: 'x' }, null] } })],
  [
    'whose text is not as long as it says',
    (checkpoint: object) => ({ ...checkpoint, parts: { v: 1, parts: [{ part: 2, lane: 'x', bytes: 4, text: 'som', epoch: 'e' }] } }),
  ],
])('a checkpoint %s is gone on from, and the text is read from its beginning', async (_, changed) => {
  const host = await partHost();
  const task = await host.start();
  const { checkpoints, texts } = legibleCheckpoints();
  const first = host.client({ checkpoints });
  const part = partOf(first.observe(task.taskId), 'answer');
  part.subscribe(() => undefined);
  await task.order({ open: 'answer' });
  await task.order({ write: 'some text' });
  await eventually(() => part.text === 'some text');
  await first.close();
  for (const [key, text] of texts) texts.set(key, JSON.stringify(changed(JSON.parse(text) as object)));
  const ids: string[] = [];
  const observation = host.client({ checkpoints }).observe(task.taskId);
  const again = partOf(observation, 'answer');
  void (async () => {
    for await (const { eventId } of observation) ids.push(eventId);
  })().catch(() => undefined);
  await eventually(() => again.text === 'some text');
  expect(ids).toEqual([]);
  expect(partsOf(observation)).toHaveLength(1);
});

describe('a closed part that is too long for its fact', () => {
  const whole = answerOf(random, 60_000);

  /** A task that works on after it has closed a long part. */
  async function closing() {
    const host = await partHost();
    const task = await host.start();
    const checkpoints = memoryCheckpoints();
    const first = host.client({ checkpoints });
    const observation = first.observe(task.taskId);
    const part = partOf(observation, 'answer');
    part.subscribe(() => undefined);
    await task.order({ open: 'answer' });
    await write(task, whole);
    await task.order({ end: true });
    await eventually(() => part.getSnapshot()?.outcome === 'DONE');
    const { lastEventId } = observation.getSnapshot().task;
    await first.close();
    return { host, task, checkpoints, lastEventId: lastEventId ?? '' };
  }

  test('is read whole by who begins after its end', async () => {
    const { host, task, lastEventId } = await closing();
    const observation = host.client().observe(task.taskId, { lastEventId });
    let text = '';
    // It is not known yet: whoever asks for a number waits for it.
    for await (const piece of partOf(observation, 2)) text += piece.text;
    expect(text === whole).toBe(true);
    expect(partsOf(observation)).toEqual([expect.objectContaining({ bytes: bytesOf(whole), outcome: 'DONE', truncated: false })]);
  });

  test('is shown as far as a checkpoint has it, and whole once somebody shows it', async () => {
    const { host, task, checkpoints } = await closing();
    const observation = host.client({ checkpoints }).observe(task.taskId);
    await eventually(() => partsOf(observation).length === 1);
    const [kept] = partsOf(observation);
    expect(kept).toMatchObject({ truncated: true, outcome: 'DONE', bytes: bytesOf(whole) });
    expect(whole.startsWith(kept?.text ?? '?')).toBe(true);
    const part = partOf(observation, 'answer');
    const texts: string[] = [];
    part.subscribe(() => void texts.push(part.text));
    await eventually(() => part.text === whole);
    expect(texts.every((text) => whole.startsWith(text))).toBe(true);
    expect(part.getSnapshot()).toMatchObject({ truncated: false, restarts: 0 });
  });

  /** A client whose requests for text fail, `times` of them. */
  function weathered(host: Awaited<ReturnType<typeof partHost>>, times: number) {
    const asked: (AbortSignal | undefined)[] = [];
    const client = host.client({
      retryPolicy: () => 1,
      limits: { commandRetriesMax: 0 },
      fetch(input, init) {
        if (!new Request(input).url.includes('/parts/')) return fetch(input, init);
        asked.push(init?.signal ?? undefined);
        // As a portal answers whoever has not paid, and no network at all.
        if (asked.length % 2 === 1 && asked.length <= times) return Promise.resolve(new Response('please'));
        return asked.length <= times ? Promise.reject(new TypeError('no network')) : fetch(input, init);
      },
    });
    return { client, asked };
  }

  test('is read whole by who waits, however often the network fails', async () => {
    const { host, task, lastEventId } = await closing();
    const { client, asked } = weathered(host, 20);
    let text = '';
    for await (const piece of partOf(client.observe(task.taskId, { lastEventId }), 2)) text += piece.text;
    expect(text === whole).toBe(true);
    expect(asked.length).toBeGreaterThan(20);
  });

  test('is asked for no more once nobody waits for it, and again by who comes later', async () => {
    const { host, task, lastEventId } = await closing();
    const { client, asked } = weathered(host, 20);
    const observation = client.observe(task.taskId, { lastEventId });
    observation.subscribe(() => undefined);
    const part = partOf(observation, 2);
    const leave = part.subscribe(() => undefined);
    await eventually(() => asked.length > 4);
    leave();
    const { length } = asked;
    await turns(50);
    expect(asked.length).toBe(length);
    part.subscribe(() => undefined);
    await eventually(() => part.text === whole);
    expect(part.getSnapshot()).toMatchObject({ truncated: false });
  });

  test('says so where no server has it', async () => {
    const { host, task, lastEventId } = await closing();
    const client = host.client({ routes: { part: (taskId) => `/api/v1/tasks/${taskId}/nothing` } });
    const observation = client.observe(task.taskId, { lastEventId });
    await eventually(() => partsOf(observation).length === 1);
    await expect(partOf(observation, 'answer')[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'TEXT_RELEASED' });
  });
});
