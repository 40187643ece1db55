import { expect, test } from 'vitest';
import type { FlushOutcome, LaneFlush } from '../../server/ports/index.ts';
import { PartFlusher } from '../../server/parts/part-flusher.ts';

/** A flusher before a store whose answers the test gives, and what it counts. */
function flusher() {
  const counts: Record<string, number> = {};
  const asked: { answer(outcomes: readonly FlushOutcome[]): void; fail(): void }[] = [];
  const parts = new PartFlusher({
    lanes: {
      flush: () =>
        new Promise((answer, reject) => void asked.push({ answer, fail: () => reject(new Error('No answer of the store came.')) })),
    },
    metrics: {
      incrementCounter(name, value = 1, tags = {}) {
        const key = [name, ...Object.values(tags)].join(' ');
        counts[key] = (counts[key] ?? 0) + value;
      },
    },
  });
  const unsent = (): number | undefined => [...parts.gauges()].find(({ name }) => name === 'part_unsent_bytes')?.value;
  const flush = (bytes: number, lane: string) => {
    // What stands in a fence is the store's business.
    const one = { fence: { taskId: 't', lane }, at: 0, bytes: new Uint8Array(bytes) } as unknown as LaneFlush;
    return parts.flush(one).catch((error: unknown) => error);
  };
  /** Sends what waits, and gives what the store was asked last. */
  const send = async () => {
    // What one turn brings goes together, behind it.
    await new Promise(setImmediate);
    return asked.at(-1) ?? expect.fail('The store was asked nothing.');
  };
  return { counts, unsent, flush, send };
}

test('flushes of parts are counted by what became of them, and bytes once the store has taken them', async () => {
  const { counts, unsent, flush, send } = flusher();
  const answers = [flush(10, '1-1'), flush(20, '2-1'), flush(40, '3-1'), flush(80, '4-1')];
  expect(unsent()).toBe(150);
  (await send()).answer(['ok', 'fenced', { at: 3 }, 'ok']);
  await Promise.all(answers);
  expect(unsent()).toBe(0);
  expect(counts).toEqual({
    'part_flushes_total written': 2,
    'part_flushes_total fenced': 1,
    'part_flushes_total behind': 1,
    part_bytes_total: 90,
  });
});

test('a flush whose answer was lost is counted as failed, and its bytes once when it is sent again', async () => {
  const { counts, unsent, flush, send } = flusher();
  const first = flush(10, '1-1');
  (await send()).fail();
  expect(await first).toBeInstanceOf(Error);
  expect([unsent(), counts]).toEqual([0, { 'part_flushes_total failed': 1 }]);
  const again = flush(10, '1-1');
  expect(unsent()).toBe(10);
  (await send()).answer(['ok']);
  expect(await again).toBe('ok');
  expect(counts).toEqual({ 'part_flushes_total failed': 1, 'part_flushes_total written': 1, part_bytes_total: 10 });
});

test('what is too large for a part never waits for the store', async () => {
  const { counts, unsent, flush } = flusher();
  expect(await flush(5 * 1024 * 1024, '1-1')).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  expect([unsent(), counts]).toEqual([0, {}]);
});
