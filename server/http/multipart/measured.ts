import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

/** What was learnt of a stream while it passed. */
export interface Measure {
  bytes: number;
  /** Hex; empty until the stream has ended. */
  sha256: string;
}

/** Passes a stream on and counts and hashes it on the way; calls `tooLarge`, which throws, as soon as it has more than `bytesMax`. */
export async function* measured(source: Readable, measure: Measure, bytesMax: number, tooLarge: () => never): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of source as AsyncIterable<Buffer>) {
    measure.bytes += chunk.length;
    if (measure.bytes > bytesMax) tooLarge();
    hash.update(chunk);
    yield chunk;
  }
  measure.sha256 = hash.digest('hex');
}
