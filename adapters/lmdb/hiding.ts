import type { Rows } from './head.ts';
import { placeOf, startsWith, taskIdOf, type RowKey } from './keys.ts';
import type { Parked } from './hiding-owners.ts';

/** A task that was shown. */
interface HiddenTask {
  readonly until: number;
  /** Where it stands. */
  readonly entries: readonly RowKey[];
}

/** What is parked behind what is shown, and passed in one look at most: about two milliseconds. The next one goes on from there. */
const PASSED_MAX = 2000;
/** Forgets where lists begin when it knows so many more than tasks are hidden. */
const PASSED_SPARE = 1000;

/**
 * What was shown lately, hidden from whoever looks next. In memory: the one process that could be shown something is the one that forgets
 * it. Remembers too how far each list is hidden from its first entry on, so that a look does not read again what another was given.
 */
export class Hiding {
  readonly #rows: Rows;
  readonly #tasks = new Map<string, HiddenTask>();
  /** The last entry of the run of hidden ones that a list begins with, by the list. */
  readonly #passed = new Map<string, RowKey>();

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  has(taskId: string): boolean {
    return this.#tasks.has(taskId);
  }

  hide(taskId: string, hidden: HiddenTask): void {
    this.#tasks.set(taskId, hidden);
  }

  /** Shows again what was hidden until now. */
  expire(now: number): void {
    for (const [taskId, { until, entries }] of this.#tasks) {
      if (until > now) continue;
      this.#tasks.delete(taskId);
      this.noteShown(entries);
    }
    if (this.#passed.size > this.#tasks.size + PASSED_SPARE) this.#passed.clear();
  }

  /** A task has a new plan: it is shown, and stands there. */
  replan(taskId: string, entries: readonly RowKey[]): void {
    this.#tasks.delete(taskId);
    this.noteShown(entries);
  }

  /** Entries that may be new or are not hidden any more: their lists begin with them at the latest. */
  noteShown(entries: readonly RowKey[]): void {
    for (const entry of entries) {
      const list = nameOf(entry);
      const passed = this.#passed.get(list);
      if (passed && !isBefore(passed, entry)) this.#passed.set(list, entry);
    }
  }

  /** The entries of a list that are neither hidden nor parked, first ones first. Whoever hides or parks one goes on behind it. Not to be kept over a turn. */
  *shown(list: RowKey, parked?: Pick<Parked, 'has'>): Generator<RowKey> {
    let isBeginning = true;
    let passed = 0;
    for (const entry of this.#rows.getKeys({ start: this.#passed.get(list.join('\0')) ?? list })) {
      if (!startsWith(entry, list)) return;
      const taskId = taskIdOf(entry);
      if (parked?.has(taskId)) passed += 1;
      else if (!this.#tasks.has(taskId)) yield entry;
      isBeginning &&= this.#tasks.has(taskId) || (parked?.has(taskId) ?? false);
      if (isBeginning) this.#passed.set(list.join('\0'), entry);
      if (passed === PASSED_MAX) return;
    }
  }
}

/** The list of an entry of `clock`, `oldClock` or a queue. */
function nameOf(entry: RowKey): string {
  return entry.slice(0, -2).join('\0');
}

function isBefore(a: RowKey, b: RowKey): boolean {
  return placeOf(a) < placeOf(b) || (placeOf(a) === placeOf(b) && taskIdOf(a) < taskIdOf(b));
}
