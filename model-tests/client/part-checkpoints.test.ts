import { memoryCheckpoints, type TaskBridgeClientOptions } from 'taskbridge/client';
import { partOf } from 'taskbridge/client/parts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { chaosProxy } from '../conformance/index.ts';
import { eventually } from '../support/eventually.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { answerOf, legibleCheckpoints, partHost, transportsOfParts, writePieces } from './part-host.ts';

const random = seededRandom('return');
const bytesOf = (text: string): number => Buffer.byteLength(text);
/** Of the requests, and of all answers but the text: heads, confirmations, the facts. Both ways. */
const HEADERS = 6 * 1024;
/** So much of a text a checkpoint has. */
const STORED = 32 * 1024;

/** A phone that saw the beginning of an answer, and was put away: what it kept, and a wire that counts what it downloads when it is taken out again. */
async function putAway(options: Partial<TaskBridgeClientOptions>, before: string, end = false) {
  const host = await partHost();
  const proxy = await chaosProxy({ target: { port: Number(new URL(host.baseUrl).port) } });
  onTestFinished(() => proxy.close());
  const task = await host.start();
  const checkpoints = memoryCheckpoints();
  const phone = host.client({ ...options, checkpoints, baseUrl: proxy.url });
  const part = partOf(phone.observe(task.taskId), 'answer');
  part.subscribe(() => undefined);
  await task.order({ open: 'answer' });
  await eventually(() => part.open);
  await writePieces(task, before);
  if (end) await task.order({ end: true });
  await eventually(() => part.text === before && part.open !== end);
  await phone.close();
  // Nothing is on its way to it any more.
  proxy.reset();
  await eventually(() => proxy.counts.open === 0);
  return {
    task,
    /** Takes it out again, until it shows all of a text; gives the bytes of that. */
    async comeBack(whole: string, isOpen: boolean): Promise<number> {
      const soFar = proxy.counts.up + proxy.counts.down;
      const again = partOf(host.client({ ...options, checkpoints, baseUrl: proxy.url }).observe(task.taskId), 'answer');
      const wrong: string[] = [];
      let first = '';
      const look = () => {
        first ||= again.text;
        if (!whole.startsWith(again.text)) wrong.push(again.text.slice(-40));
      };
      again.subscribe(look);
      await eventually(() => again.text === whole && again.open === isOpen);
      expect(wrong).toEqual([]);
      // What it has it shows at once.
      if (bytesOf(before) <= STORED) expect(first.startsWith(before)).toBe(true);
      expect(again.getSnapshot()).toMatchObject({ restarts: 0, truncated: false });
      return proxy.counts.up + proxy.counts.down - soFar;
    },
  };
}

describe.each(transportsOfParts)('a phone that is taken out after an hour downloads over %s', (_, options) => {
  test('what it misses of an answer that goes on, and nothing else', async () => {
    const [before, meanwhile] = [answerOf(random, 30_000), answerOf(random, 60_000)];
    const { task, comeBack } = await putAway(options, before);
    await writePieces(task, meanwhile);
    expect(await comeBack(before + meanwhile, true)).toBeLessThanOrEqual(1.1 * bytesOf(meanwhile) + HEADERS);
  });

  test('what it misses of an answer that was finished meanwhile, and nothing else', async () => {
    const [before, meanwhile] = [answerOf(random, 30_000), answerOf(random, 60_000)];
    const { task, comeBack } = await putAway(options, before);
    await writePieces(task, meanwhile);
    await task.order({ end: true });
    await task.order({ progress: 50 });
    expect(await comeBack(before + meanwhile, false)).toBeLessThanOrEqual(1.1 * bytesOf(meanwhile) + HEADERS);
  });

  test('the fact that closed a short answer, which has all of it', async () => {
    const [before, meanwhile] = [answerOf(random, 15_000), answerOf(random, 10_000)];
    const { task, comeBack } = await putAway(options, before);
    await writePieces(task, meanwhile);
    await task.order({ end: true });
    expect(await comeBack(before + meanwhile, false)).toBeLessThanOrEqual(1.1 * bytesOf(before + meanwhile) + HEADERS);
  });

  test('of a finished answer that was too long for its checkpoint what that has not', async () => {
    const whole = answerOf(random, 100_000);
    const { comeBack } = await putAway(options, whole, true);
    expect(await comeBack(whole, false)).toBeLessThanOrEqual(1.1 * (bytesOf(whole) - STORED) + HEADERS);
  });
});

test('a checkpoint of a finished answer that is of another epoch is not gone on from, and nothing of it is spliced', async () => {
  const whole = answerOf(random, 60_000);
  const host = await partHost();
  const task = await host.start();
  const { checkpoints, texts } = legibleCheckpoints();
  const first = host.client({ checkpoints });
  const part = partOf(first.observe(task.taskId), 'answer');
  part.subscribe(() => undefined);
  await task.order({ open: 'answer' });
  await eventually(() => part.open);
  await writePieces(task, whole);
  await task.order({ end: true });
  await eventually(() => part.text === whole && !part.open);
  await first.close();
  for (const [key, text] of texts) {
    const checkpoint = JSON.parse(text) as { readonly parts: { readonly parts: readonly [{ readonly bytes: number }] } };
    const [kept] = checkpoint.parts.parts;
    const other = { ...kept, epoch: 'other', text: 'x'.repeat(kept.bytes) };
    texts.set(key, JSON.stringify({ ...checkpoint, parts: { ...checkpoint.parts, parts: [other] } }));
  }
  const again = partOf(host.client({ checkpoints }).observe(task.taskId), 'answer');
  again.subscribe(() => undefined);
  await eventually(() => again.text === whole);
  expect(again.getSnapshot()).toMatchObject({ truncated: false, outcome: 'DONE' });
});

test('a client that is closed says of no part that its work goes no further', async () => {
  const host = await partHost();
  const task = await host.start();
  const client = host.client();
  const observation = client.observe(task.taskId);
  const part = partOf(observation, 'answer');
  part.subscribe(() => undefined);
  await task.order({ open: 'answer' });
  await task.order({ write: 'Once' });
  await eventually(() => part.text === 'Once');
  await client.close();
  expect(part.getSnapshot()).toMatchObject({ open: true, text: 'Once' });
});
