import { expect, test } from 'vitest';
import { createWriter } from '../../adapters/lmdb/writer.ts';

test('writes and answers a few of many waiting writes in one turn of the event loop', async () => {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  const groups: number[] = [];
  let safe = 0;
  const writer = createWriter(async (group) => {
    groups.push(0);
    group();
    // As a flush to the disk, it is done in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    safe += groups.at(-1) ?? 0;
  });
  const answersByTurn = new Map<number, number>();
  let answered = 0;
  const writes = Array.from({ length: 300 }, async (_, n) => {
    await writer.write(() => ({ result: n, change: () => void groups.push((groups.pop() ?? 0) + 1) }));
    answersByTurn.set(turns, (answersByTurn.get(turns) ?? 0) + 1);
    answered += 1;
    // Nobody is answered before his group is safe on the disk.
    expect(safe).toBeGreaterThanOrEqual(answered);
  });
  await Promise.all(writes);
  await writer.drained();
  isOver = true;
  expect({ groups, most: Math.max(...answersByTurn.values()), answered }).toEqual({
    groups: [256, 44],
    most: 16,
    answered: 300,
  });
});
