import type { EventId } from '../../machines/wire/index.ts';
import type { PartChunk } from './part-frames.ts';

/** Text that is kept, at most, in bytes. With the frames that were made of it, it takes a little more than twice as much. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
/** Shorter runs are not kept: whoever comes when the text has grown gets longer frames. */
const CHUNK_BYTES_MIN = 32 * 1024;
/** Of so many that were shown once it is known that they were. */
const SEEN_MAX = 64;

/**
 * Runs of long texts that viewers of this node were shown twice of late, with the frames that were made of them: who comes late, or back, to a text that others have read is
 * given those. What is read once is not kept: large pieces of memory that live for a while cost the collector more than they save.
 * Within an epoch a lane only grows, so that they stay right for whoever knows that it is of that epoch, and as long.
 */
export class TextCache {
  /** The one that was shown longest ago comes first. */
  readonly #kept = new Map<string, PartChunk>();
  #bytes = 0;
  /** Of those that were shown once, the names. */
  readonly #seen = new Set<string>();

  /** The run that begins there; undefined where it is not kept. */
  find(taskId: string, lane: EventId, mark: string, at: number): PartChunk | undefined {
    const key = keyOf(taskId, lane, mark, at);
    const chunk = this.#kept.get(key);
    if (!chunk) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, chunk);
    return chunk;
  }

  /** Keeps a run, the second time, in place of those that were shown longest ago. */
  keep(taskId: string, chunk: PartChunk): void {
    const { lane, epoch, at, bytes } = chunk;
    const key = keyOf(taskId, lane, epoch.mark, at);
    if (bytes.byteLength < CHUNK_BYTES_MIN || this.#kept.has(key)) return;
    if (!this.#seen.delete(key)) return this.#noteSeen(key);
    this.#kept.set(key, chunk);
    this.#bytes += bytes.byteLength;
    for (const [oldest, { bytes: dropped }] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES_MAX) return;
      this.#kept.delete(oldest);
      this.#bytes -= dropped.byteLength;
    }
  }

  #noteSeen(key: string): void {
    this.#seen.add(key);
    if (this.#seen.size <= SEEN_MAX) return;
    for (const oldest of this.#seen) return void this.#seen.delete(oldest);
  }
}

function keyOf(taskId: string, lane: EventId, mark: string, at: number): string {
  return `${taskId} ${lane} ${mark} ${at}`;
}
