import { memoryCheckpoints } from 'taskbridge/client';
import { partOf, partsOf } from 'taskbridge/client/parts';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { answerOf, partHost, transportsOfParts, writePieces } from './part-host.ts';

const random = seededRandom('trimmed');
/** Facts that a log keeps. */
const KEPT = 10;
const whole = answerOf(random, 60_000);

describe.each(transportsOfParts)('a long part that is closed, over %s', (_, options) => {
  test.each([
    ['the fact that opened it', KEPT - 2],
    ['both of its facts', KEPT + 5],
  ])('is shown by its name to who comes when the log has lost %s', async (_what, facts) => {
    const host = await partHost({ retainedFactsMax: KEPT });
    const task = await host.start();
    await task.order({ open: 'answer' });
    await writePieces(task, whole);
    await task.order({ end: true });
    for (let nth = 1; nth <= facts; nth += 1) await task.order({ progress: nth });
    const part = partOf(host.client(options).observe(task.taskId), 'answer');
    part.subscribe(() => undefined);
    await eventually(() => part.text === whole && !part.open);
    expect(part.getSnapshot()).toMatchObject({ part: 2, name: 'answer', outcome: 'DONE', truncated: false, restarts: 0 });
    // Who asks for pieces is given all of them too, and no more.
    const observation = host.client(options).observe(task.taskId);
    let text = '';
    for await (const piece of partOf(observation, 'answer')) text += piece.text;
    expect(text === whole).toBe(true);
    expect(partsOf(observation)).toHaveLength(1);
  });

  test('is gone on with by who had its beginning when the log has lost both of its facts', async () => {
    const host = await partHost({ retainedFactsMax: KEPT });
    const task = await host.start();
    const checkpoints = memoryCheckpoints();
    const first = host.client({ ...options, checkpoints });
    const begun = partOf(first.observe(task.taskId), 'answer');
    begun.subscribe(() => undefined);
    await task.order({ open: 'answer' });
    await eventually(() => begun.open);
    await writePieces(task, whole.slice(0, 10_000));
    await eventually(() => begun.text === whole.slice(0, 10_000));
    await first.close();
    await writePieces(task, whole.slice(10_000));
    await task.order({ end: true });
    for (let nth = 1; nth <= KEPT + 5; nth += 1) await task.order({ progress: nth });
    const part = partOf(host.client({ ...options, checkpoints }).observe(task.taskId), 'answer');
    const texts: string[] = [];
    part.subscribe(() => void texts.push(part.text));
    await eventually(() => part.text === whole && !part.open);
    expect(texts.filter((text) => !whole.startsWith(text))).toEqual([]);
    expect(part.getSnapshot()).toMatchObject({ outcome: 'DONE', truncated: false, restarts: 0 });
  });
});
