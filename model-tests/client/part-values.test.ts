import { memoryCheckpoints } from 'taskbridge/client';
import { partOf, partsOf, type PartView } from 'taskbridge/client/parts';
import { describe, expect, test } from 'vitest';
import { eventually, turns } from '../support/eventually.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { partHost, transportsOfParts, type WritingTask } from './part-host.ts';

const random = seededRandom('values');

/** What one client saw of a value: each that it was shown, and where it stood at the end. */
interface Seen {
  readonly shown: readonly (readonly [version: number, value: { readonly n: number }])[];
  readonly last: PartView | undefined;
}

/** Versions only rise, and each shows a later value than the one before; the last is the whole last value. */
function prove({ shown, last }: Seen, n: number, text: string): void {
  for (const [nth, [version, value]] of shown.entries()) {
    const [before, earlier] = shown[nth - 1] ?? [0, { n: -1 }];
    expect([version > before, value.n > earlier.n], `${JSON.stringify(shown[nth - 1])}, then ${version}`).toEqual([true, true]);
  }
  expect(shown.at(-1)?.[1].n).toBe(n);
  expect([last?.text === text, last?.open, last?.outcome, last?.truncated, last?.restarts]).toEqual([true, false, 'DONE', false, 0]);
  expect(last?.bytes).toBe(shown.at(-1)?.[0]);
}

const valueOf = (n: number, size: number) => ({ n, pad: 'ü'.repeat(size) });

describe.each(transportsOfParts)('a value over %s', (_, options) => {
  test.each<[string, number]>([
    ['that its closing fact has', 10],
    ['that its closing fact has no room for', 20_000],
  ])('%s only becomes newer, is cut at any moment, and is the whole last one when it is closed', async (_of, size) => {
    const host = await partHost();
    const task = await host.start();
    await task.order({ openValue: 'cell' });
    const readers: Promise<Seen>[] = [];
    async function join(): Promise<Seen> {
      const observation = host.client(options).observe(task.taskId);
      const part = partOf(observation, 'cell');
      const shown: (readonly [number, { readonly n: number }])[] = [];
      for await (const { text } of part) {
        const { bytes } = part.getSnapshot() ?? { bytes: 0 };
        // What was asked for later may be newer than the piece that was taken.
        if (text !== '' && bytes > (shown.at(-1)?.[0] ?? 0)) shown.push([bytes, JSON.parse(part.text) as { readonly n: number }]);
      }
      return { shown, last: part.getSnapshot() };
    }
    for (let n = 0; n < 40; n++) {
      if (n % 8 === 0) readers.push(join());
      await task.order({ set: valueOf(n, size) });
      if (n % 3 === 0) await task.order({ progress: n });
      await turns(random.below(10));
      if (n % 5 === 4) host.cut();
    }
    await task.order({ end: true });
    readers.push(join());
    await task.order({ finish: true });
    for (const seen of await Promise.all(readers)) prove(seen, 39, JSON.stringify(valueOf(39, size)));
  });
});

/** Has the work write a value, and waits until it is in the store. */
async function set(task: WritingTask, n: number): Promise<void> {
  await task.order({ set: valueOf(n, 3) });
  await task.order({ progress: n });
}

test('who comes back with a checkpoint downloads a value only where there is a newer one', async () => {
  const host = await partHost();
  const task = await host.start();
  await task.order({ openValue: 'cell' });
  await set(task, 1);
  const checkpoints = memoryCheckpoints();
  const frames: string[] = [];
  const visit = async (n: number): Promise<void> => {
    let isLive = false;
    const phone = host.client({
      ...{ transports: ['ws'], checkpoints },
      listener: {
        onRawPayload({ text }) {
          isLive ||= text.startsWith('{"type":"SUBSCRIPTION_CONFIRMED"');
          if (text.startsWith('{"type":"PART"')) frames.push(text);
        },
      },
    });
    const part = partOf(phone.observe(task.taskId), 'cell');
    part.subscribe(() => undefined);
    await eventually(() => part.text === JSON.stringify(valueOf(n, 3)));
    // What is not to come would come at once behind that.
    await eventually(() => isLive);
    await turns(50);
    await phone.close();
  };
  await visit(1);
  expect(frames).toHaveLength(1);
  await visit(1);
  expect(frames).toHaveLength(1);
  await set(task, 2);
  await visit(2);
  expect(frames.slice(1).map((text) => JSON.parse(text) as unknown)).toMatchObject([{ at: 1, to: 2, snapshot: true }]);
  await task.order({ end: true });
  await task.order({ finish: true });
  const late = host.client({ transports: ['poll'] }).observe(task.taskId);
  for await (const _ of late);
  expect(partsOf(late)).toMatchObject([{ kind: 'latest', text: JSON.stringify(valueOf(2, 3)), bytes: 2, outcome: 'DONE' }]);
});
