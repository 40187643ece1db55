import { WAIT_MS } from './patience.ts';

/**
 * Looks again each time that the event loop has turned, until it is so; throws a sentence with `what` where it never is. It does not catch
 * what `holds` throws, and rests for no time: what is waited for happens in this process, or is asked of another. The kit, which is published,
 * has one of its own for assertions against servers that it does not know (`conformance/suite/eventually.ts`).
 */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  what: () => string = () => `for ${String(holds)}`,
  limitMs = WAIT_MS,
): Promise<void> {
  const begun = performance.now();
  while (!(await holds())) {
    if (performance.now() - begun > limitMs) throw new Error(`Waited in vain: ${what()}`);
    await turn();
  }
}

/** Lets the event loop turn: what was ready when it was called has happened then. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets it turn so many times. */
export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await turn();
}
