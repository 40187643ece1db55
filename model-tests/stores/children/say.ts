import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/** Prints a line at once and not through a stream, so that what is printed is what was acknowledged when the kill comes. Waits where nobody reads. */
export async function say(line: string): Promise<void> {
  for (let left = Buffer.from(`${line}\n`); left.length > 0;) {
    try {
      left = left.subarray(writeSync(1, left));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await setImmediate();
    }
  }
}
