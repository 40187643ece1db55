/** Every fact of the bench has this once, in every protocol; nothing else has it. */
const FACT = Buffer.from('"type":"TASK_PROGRESS"');
/** The same of frames of text. */
export const PART_FRAME = Buffer.from('"type":"PART"');
/** What stands before a time. */
const MARK = Buffer.from(' told @');
const END = 0x40;

/** Counts facts in what a connection brings: the same few lines for every system, so that none is measured by its own client. */
export class FactCounter {
  #tail = Buffer.alloc(0);
  readonly #needle: Buffer;

  constructor(needle = FACT) {
    this.#needle = needle;
  }

  /** How many facts begin in these bytes, or began at the end of those before. */
  count(bytes: Buffer): number {
    const needle = this.#needle;
    const overlap = needle.length - 1;
    let found = 0;
    if (this.#tail.length > 0) {
      const seam = Buffer.concat([this.#tail, bytes.subarray(0, overlap)]);
      if (seam.includes(needle)) found += 1;
    }
    let end = 0;
    for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, end)) {
      found += 1;
      end = at + needle.length;
    }
    const rest = Buffer.from(bytes.subarray(Math.max(end, bytes.length - overlap)));
    // Small pieces add up.
    this.#tail = bytes.length < overlap && end === 0 ? Buffer.concat([this.#tail, rest]).subarray(-overlap) : rest;
    return found;
  }
}

/** Finds the times that are written into facts, in nanoseconds. Keeps what is not whole yet. */
export class TimeReader {
  #rest = Buffer.alloc(0);

  times(bytes: Buffer): bigint[] {
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    const times: bigint[] = [];
    let from = 0;
    for (;;) {
      const open = all.indexOf(MARK, from);
      if (open === -1) {
        this.#rest = Buffer.from(all.subarray(Math.max(from, all.length - MARK.length + 1)));
        return times;
      }
      const close = all.indexOf(END, open + MARK.length);
      if (close === -1) {
        this.#rest = Buffer.from(all.subarray(open));
        return times;
      }
      times.push(BigInt(all.toString('latin1', open + MARK.length, close)));
      from = close + 1;
    }
  }
}
