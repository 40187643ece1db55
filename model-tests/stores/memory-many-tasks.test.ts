import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../adapters/memory/index.ts';
import { look, sampleTask } from '../conformance/store/samples.ts';

const READY_MAX = 16;
const LOOKS = 20;

/** The shortest of some looks at a store in which so many owners wait with a hundred tasks each: what a busy machine adds, it does not add to each. */
async function shortestLook(owners: number): Promise<number> {
  const store = memoryStore();
  await store.open();
  const now = await store.now();
  for (let i = 0; i < owners * 100; i += 1)
    await store.create(sampleTask({ owner: `owner-${i % owners}`, plan: { wakeAt: now + 1e9, work: { readyAt: now - (i % 977) } } }));
  const looks: number[] = [];
  for (let i = 0; i < LOOKS; i += 1) {
    const begin = performance.now();
    const { ready } = await store.take(look({ readyMax: READY_MAX }));
    looks.push(performance.now() - begin);
    expect(ready).toHaveLength(READY_MAX);
  }
  await store.close();
  return Math.min(...looks);
}

describe('memory', () => {
  it('looks at a hundred thousand tasks of a thousand owners about as fast as at a thousand of ten', async () => {
    const few = await shortestLook(10);
    // A hundred times as many: to go through all of them would show.
    expect((await shortestLook(1000)) / few).toBeLessThan(10);
  });
});
