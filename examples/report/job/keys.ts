import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { DIGEST_BYTES } from './key-table.ts';
import type { SavedLength } from './work-file.ts';

/** Gives the digests that an earlier run wrote, in their order. */
export async function eachKey(directory: string, keys: SavedLength | null, use: (digest: Buffer) => void): Promise<void> {
  if (!keys || keys.bytes === 0) return;
  let rest = Buffer.alloc(0);
  // A read stream without an encoding gives Buffers.
  for await (const chunk of createReadStream(join(directory, keys.name), { end: keys.bytes - 1 }) as AsyncIterable<Buffer>) {
    const all = Buffer.concat([rest, chunk]);
    const whole = all.length - (all.length % DIGEST_BYTES);
    for (let at = 0; at < whole; at += DIGEST_BYTES) use(all.subarray(at, at + DIGEST_BYTES));
    rest = all.subarray(whole);
  }
}
