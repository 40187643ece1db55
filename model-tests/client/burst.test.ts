import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { inProcess } from 'taskbridge/adapters/in-process';
import { createTaskBridgeClient, type ClientReport } from 'taskbridge/client/node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';
import { patience } from '../support/patience.ts';

const FACTS = 50_000;
/** A fact is about 200 bytes on the wire and some more as an object: what 50 000 of them would take if they were kept. */
const KEPT_BYTES_MIN = 40e6;

const waiting: (() => void)[] = [];
let ended = 0;
/** Work that, once released, reports as fast as it can, in groups that are committed together. */
const burst = inProcess({
  burst: async (task) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    for (let done = 0; done < FACTS; done += 500)
      await Promise.all(Array.from({ length: 500 }, (_, i) => task.progress(((done + i) / FACTS) * 100, { message: 'x'.repeat(100) })));
    ended += 1;
  },
});

setFlagsFromString('--expose-gc');
// What is only garbage is not kept.
const collect = runInNewContext('gc') as () => void;

interface Outcome {
  readonly numbers: readonly number[];
  readonly gaps: readonly ClientReport[];
  readonly heapGrowth: number;
  readonly retained: number;
}

async function watch(server: RunningBridge, deal: () => Promise<unknown>): Promise<Outcome> {
  const gaps: ClientReport[] = [];
  const client = createTaskBridgeClient({
    baseUrl: server.url,
    auth: () => ({ authorization: 'alice' }),
    onReport: (report) => void (report.type === 'gap' && gaps.push(report)),
  });
  onTestFinished(() => client.close());
  const taskId = await server.start('burst');
  const iterator = client.observe(taskId)[Symbol.asyncIterator]();
  const numbers: number[] = [];
  const take = async (): Promise<boolean> => {
    const result = await iterator.next();
    if (!result.done) numbers.push(Number(result.value.eventId.split('-')[0]));
    return !result.done;
  };
  // The start of the task; what comes next goes by while the consumer holds it.
  await take();
  await vi.waitFor(() => expect(waiting).toHaveLength(1));
  const before = ended;
  waiting.pop()?.();
  await vi.waitFor(() => expect(ended).toBe(before + 1));
  collect();
  const heapBefore = process.memoryUsage().heapUsed;
  let heapGrowth = 0;
  while (await take()) {
    await deal();
    if (numbers.length % 5_000 !== 0) continue;
    collect();
    heapGrowth = Math.max(heapGrowth, process.memoryUsage().heapUsed - heapBefore);
  }
  return { numbers, gaps, heapGrowth, retained: (await server.facts(taskId)).length };
}

describe('50 000 facts in a burst, for a slow consumer', () => {
  test(
    'come all, once and in order, at a millisecond each, and do not wait in memory',
    async () => {
      const server = await bridgeOf(burst, { tasks: { retainedFactsMax: 100_000 } });
      const { numbers, gaps, heapGrowth } = await watch(server, () => wait(1));
      expect(numbers).toEqual(Array.from({ length: FACTS + 2 }, (_, i) => i + 1));
      expect(gaps).toEqual([]);
      expect(heapGrowth).toBeLessThan(KEPT_BYTES_MIN);
    },
    patience(240_000),
  );

  test(
    'come without what is no longer retained, which is told by exactly one gap',
    async () => {
      const server = await bridgeOf(burst);
      const { numbers, gaps, retained } = await watch(server, () => new Promise((resolve) => setImmediate(resolve)));
      expect(gaps).toMatchObject([{ reason: 'trimmed' }]);
      const holes = numbers.flatMap((n, i) => (i > 0 && n !== (numbers[i - 1] ?? 0) + 1 ? [[numbers[i - 1], n]] : []));
      expect(holes).toHaveLength(1);
      expect(holes[0]?.[1]).toBe(FACTS + 2 - retained + 1);
      expect(numbers.at(-1)).toBe(FACTS + 2);
    },
    patience(120_000),
  );
});
