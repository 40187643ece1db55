import { setTimeout as rest } from 'node:timers/promises';

/** Processor time of this process, in microseconds. */
export function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** What this process needs when everything that can go is gone. Wants `--expose-gc`. */
export async function settledMemory(): Promise<{ readonly rss: number; readonly heap: number }> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.();
    await rest(100);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

/** Runs lanes side by side until the time is over; each awaits one step after the other. Gives how long that really took, in ms. */
export async function lanes(count: number, ms: number, step: (lane: number) => Promise<void>): Promise<number> {
  const begun = performance.now();
  const end = begun + ms;
  await Promise.all(
    Array.from({ length: count }, async (_, lane) => {
      while (performance.now() < end) await step(lane);
    }),
  );
  return performance.now() - begun;
}

/** Does something so many times, one after the other, and gives how long one of them took, the median, in ms. */
export async function medianMs(times: number, step: () => Promise<void>): Promise<number> {
  const took: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const begun = performance.now();
    await step();
    took.push(performance.now() - begun);
  }
  return took.toSorted((a, b) => a - b)[times >> 1] ?? Number.NaN;
}
