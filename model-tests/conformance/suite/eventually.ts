import { within } from './run.ts';
import { slowness } from './slowness.ts';

const LIMIT_MS = 15_000;
const INTERVAL_MS = 10;

/** Asks again and again until nothing is thrown; gives what was answered then, or rejects with the last throw after 15 s, later on a slow machine. */
export async function eventually<T>(ask: () => T | Promise<T>, limitMs = LIMIT_MS * slowness()): Promise<T> {
  const until = performance.now() + limitMs;
  for (;;) {
    try {
      return await within(limitMs, Promise.resolve(ask()));
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}
