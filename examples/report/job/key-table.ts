import { createHash } from 'node:crypto';

/** Length of a key's digest. At 6 million keys, two of them agree by accident with a chance of 1 in 10^15. */
export const DIGEST_BYTES = 12;
/** Most keys that a table takes: 168 MB, half as much again while it grows. */
export const KEYS_MAX = 6_000_000;

const LOAD_MAX = 0.75;
const WORDS = DIGEST_BYTES / 4;

/** The digest of a row's key: equal for equal cells, white space around them aside. */
export function digestOf(key: readonly string[]): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(key.map((cell) => cell.trim())))
    .digest()
    .subarray(0, DIGEST_BYTES);
}

/** Counts how often each key occurs, in 20 bytes a slot. */
export class KeyTable {
  #slots = 1024;
  #digests = new Uint32Array(this.#slots * WORDS);
  #counts = new Uint32Array(this.#slots);
  #seen = new Uint32Array(this.#slots);
  #used = 0;

  /** How many different keys were counted. */
  get size(): number {
    return this.#used;
  }

  /** Counts a key once more; gives how often it was counted now. */
  count(digest: Buffer): number {
    if (this.#used + 1 > this.#slots * LOAD_MAX) this.#grow();
    const slot = this.#slotOf(digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8));
    if (this.#counts[slot] === 0) {
      this.#used += 1;
      for (let word = 0; word < WORDS; word += 1) this.#digests[slot * WORDS + word] = digest.readUInt32LE(word * 4);
    }
    return (this.#counts[slot] = (this.#counts[slot] ?? 0) + 1);
  }

  /** Meets a key again in a second pass over the same rows: the how manieth of how many is it? */
  meet(digest: Buffer): { readonly nth: number; readonly of: number } {
    const slot = this.#slotOf(digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8));
    const nth = (this.#seen[slot] = (this.#seen[slot] ?? 0) + 1);
    return { nth, of: this.#counts[slot] ?? 0 };
  }

  #slotOf(a: number, b: number, c: number): number {
    let slot = a & (this.#slots - 1);
    while (this.#counts[slot] !== 0 && !this.#holds(slot, a, b, c)) slot = (slot + 1) & (this.#slots - 1);
    return slot;
  }

  #holds(slot: number, a: number, b: number, c: number): boolean {
    const at = slot * WORDS;
    return this.#digests[at] === a && this.#digests[at + 1] === b && this.#digests[at + 2] === c;
  }

  #grow(): void {
    const [digests, counts] = [this.#digests, this.#counts];
    this.#slots *= 2;
    this.#digests = new Uint32Array(this.#slots * WORDS);
    this.#counts = new Uint32Array(this.#slots);
    // Keys are only added in the first pass, before any is met again.
    this.#seen = new Uint32Array(this.#slots);
    for (let old = 0; old < counts.length; old += 1) {
      if (counts[old] === 0) continue;
      const words = digests.subarray(old * WORDS, old * WORDS + WORDS);
      const slot = this.#slotOf(words[0] ?? 0, words[1] ?? 0, words[2] ?? 0);
      this.#digests.set(words, slot * WORDS);
      this.#counts[slot] = counts[old] ?? 0;
    }
  }
}
