import { placeOf, taskIdOf, type RowKey } from './keys.ts';

/** Where a task of somebody who had enough stands in the queue of its type. */
export interface ParkedEntry {
  readonly entry: RowKey;
  /** His turn is not before those who had theirs meanwhile: who was passed over for long does not take all at once. */
  readonly turn: number;
}

/** What one owner has in the queue of one type. */
class Line {
  readonly #entries = new Map<string, RowKey>();
  #lastTurn = 0;
  #isSorted = true;

  get size(): number {
    return this.#entries.size;
  }

  add(entry: RowKey): void {
    this.#isSorted &&= placeOf(entry) >= this.#lastTurn;
    this.#lastTurn = placeOf(entry);
    this.#entries.set(taskIdOf(entry), entry);
  }

  drop(taskId: string): void {
    this.#entries.delete(taskId);
  }

  /** Those whose turn comes first. */
  *first(max: number): Generator<RowKey> {
    if (!this.#isSorted) this.#sort();
    let given = 0;
    for (const entry of this.#entries.values()) {
      if (given === max) return;
      given += 1;
      yield entry;
    }
  }

  /** A task that was shown, and is wanted still, comes late to the place where it stood. */
  #sort(): void {
    const entries = [...this.#entries.values()].sort((a, b) => placeOf(a) - placeOf(b));
    this.#entries.clear();
    this.#isSorted = true;
    for (const entry of entries) this.add(entry);
  }
}

/**
 * Work of owners who have all that they may have: found once in its queue, passed over by every look since, and given from here when its owner is
 * let in again. In memory, like what is hidden: another process finds it where it stands.
 */
export class Parked {
  readonly #lineOf = new Map<string, Line>();
  /** By type, then by owner. */
  readonly #lines = new Map<string, Map<string, Line>>();

  has(taskId: string): boolean {
    return this.#lineOf.has(taskId);
  }

  add(taskType: string, ownerMark: string, entry: RowKey): void {
    const owners = this.#lines.get(taskType) ?? new Map<string, Line>();
    this.#lines.set(taskType, owners);
    const line = owners.get(ownerMark) ?? new Line();
    owners.set(ownerMark, line);
    line.add(entry);
    this.#lineOf.set(taskIdOf(entry), line);
  }

  /** A task is taken, planned anew or gone. */
  drop(taskId: string): void {
    this.#lineOf.get(taskId)?.drop(taskId);
    this.#lineOf.delete(taskId);
  }

  /** The first of each owner who is let in, as many of one as asked for. `lastTaken` is the turn that was taken last. */
  firstOf(taskType: string, without: ReadonlySet<string>, max: number, lastTaken: number): ParkedEntry[] {
    const found: ParkedEntry[] = [];
    const owners = this.#lines.get(taskType) ?? new Map<string, Line>();
    for (const [ownerMark, line] of owners) {
      if (line.size === 0) owners.delete(ownerMark);
      else if (!without.has(ownerMark))
        [...line.first(max)].forEach((entry, ahead) => found.push({ entry, turn: Math.max(placeOf(entry), lastTaken + 1 + ahead) }));
    }
    return found;
  }
}
