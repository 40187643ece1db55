import type { Clock, TakeRequest, WorkRegistry } from '../../server/ports/index.ts';
import type { WrittenRows } from './changes.ts';
import { readHead } from './head.ts';
import { Hiding } from './hiding.ts';
import {
  after,
  clock as timed,
  entryOf,
  LAST,
  oldClock,
  ownerMarkOf,
  placeOf,
  queueOf,
  startsWith,
  taskIdOf,
  wantedLater,
  type RowKey,
} from './keys.ts';
import { Parked, type ParkedEntry } from './hiding-owners.ts';
import { entriesOf } from './plan.ts';
import { moveWanted } from './queue.ts';
import { nextTurn } from './page-reads.ts';
import type { Writer } from './writer.ts';

/** Tasks that enter their queue in one transaction, and in one look. */
const MOVED_AT_ONCE = 100;
const MOVED_MAX = 2000;
/** Tasks of owners who have enough that one look finds and parks. */
const PARKED_AT_ONCE = 500;
/** Tasks of 0.1.0 that are read in one turn of the event loop. */
const OLD_AT_ONCE = 500;

/** What a look works with. */
export interface LmdbWorkDeps extends WrittenRows {
  readonly writer: Writer;
  readonly clock: Clock;
}

/** What may be taken of a type. */
interface Shown {
  readonly type: string;
  readonly entries: readonly ParkedEntry[];
}

/** Who works on what, for as long as the store is open. */
export class LmdbWork {
  readonly #deps: LmdbWorkDeps;
  readonly #hiding: Hiding;
  readonly #parked = new Parked();
  /** By type, the last turn that was taken. */
  readonly #lastTaken = new Map<string, number>();
  /** The type that the last look began with. */
  #lastType = '';
  /** Where the pass through what 0.1.0 left goes on, from the latest time down; undefined when it is done. */
  #oldest: RowKey | undefined = after(oldClock);

  constructor(deps: LmdbWorkDeps) {
    this.#deps = deps;
    this.#hiding = new Hiding(deps.rows);
  }

  /** A task was created, planned anew or removed: it is hidden no longer, and stands under these entries. */
  replan(taskId: string, entries: readonly RowKey[]): void {
    this.#parked.drop(taskId);
    this.#hiding.replan(taskId, entries);
  }

  async take({ types, dueMax, readyMax, hideMs, without = [] }: TakeRequest): ReturnType<WorkRegistry['take']> {
    const now = this.#deps.clock.now();
    this.#hiding.expire(now);
    await this.#queueWanted(now);
    const due = await this.#takeDue(now, now + hideMs, dueMax);
    const ready =
      readyMax > 0 ? this.#takeReady(this.#shownOf(types, readyMax, new Set(without.map(ownerMarkOf))), readyMax, now + hideMs) : [];
    return { due, ready };
  }

  /** What is due by the clock; then what 0.1.0 left, in no hurry where something was found. */
  async #takeDue(now: number, until: number, max: number): Promise<string[]> {
    const due: string[] = [];
    for (const list of [timed, oldClock]) {
      for (const entry of this.#hiding.shown(list)) {
        if (due.length === max || placeOf(entry) > now) break;
        due.push(this.#hide(entry, until));
      }
    }
    while (this.#oldest && due.length < max) {
      this.#readOld(this.#oldest, until, max, due);
      if (due.length > 0) break;
      await nextTurn();
    }
    return due;
  }

  /** Moves tasks to the queues of their types once their work is wanted. Where very many are at once, the next looks go on. */
  async #queueWanted(now: number): Promise<void> {
    const { rows, heads, writer } = this.#deps;
    for (let moved = 0; moved < MOVED_MAX; moved += MOVED_AT_ONCE) {
      const slice = [...rows.getKeys({ start: wantedLater, end: entryOf(wantedLater, now, LAST), limit: MOVED_AT_ONCE })];
      if (slice.length > 0) this.#hiding.noteShown(await writer.write(() => moveWanted({ rows, heads }, slice, now, this.#lastTaken)));
      if (slice.length < MOVED_AT_ONCE) return;
    }
  }

  /**
   * Takes unfinished tasks of 0.1.0, once in each process, whenever they are due: who held them is gone, and had no row of his own. Those that
   * were held come first, since their time is the last of all.
   */
  #readOld(start: RowKey, until: number, max: number, due: string[]): void {
    const { rows } = this.#deps;
    const last = taskIdOf(start);
    const entries = [...rows.getKeys({ start, end: oldClock, reverse: true, limit: OLD_AT_ONCE })];
    for (const entry of entries) {
      if (due.length === max) return;
      this.#oldest = entry;
      const taskId = taskIdOf(entry);
      const isNext = taskId !== last && !this.#hiding.has(taskId);
      if (isNext && readHead(rows, taskId)?.ended === false) due.push(this.#hide(entry, until));
    }
    if (entries.length < OLD_AT_ONCE) this.#oldest = undefined;
  }

  /** Takes one of each type in every round, by turn. */
  #takeReady(lists: readonly Shown[], max: number, until: number): string[] {
    const ready: string[] = [];
    for (let round = 0; round < max; round += 1) {
      for (const { type, entries } of lists) {
        const next = entries[round];
        if (!next || ready.length === max) continue;
        this.#lastType = type;
        this.#lastTaken.set(type, Math.max(this.#lastTaken.get(type) ?? 0, next.turn));
        ready.push(this.#hide(next.entry, until));
      }
    }
    return ready;
  }

  /** What may be taken of each type, in the order of the turns. */
  #shownOf(types: TakeRequest['types'], max: number, without: ReadonlySet<string>): Shown[] {
    let spare = PARKED_AT_ONCE;
    return this.#inOrder(types).map((type) => {
      const queued: ParkedEntry[] = [];
      for (const entry of this.#hiding.shown(queueOf(type), this.#parked)) {
        if (queued.length === max || spare === 0) break;
        const ownerMark = without.size > 0 ? this.#ownerMarkOf(entry) : undefined;
        if (ownerMark === undefined || !without.has(ownerMark)) queued.push({ entry, turn: placeOf(entry) });
        else {
          this.#parked.add(type, ownerMark, entry);
          spare -= 1;
        }
      }
      const parked = this.#parked.firstOf(type, without, max, this.#lastTaken.get(type) ?? 0);
      // Who waits in memory stands before who is as early: he waited longer.
      return { type, entries: [...parked, ...queued].sort((a, b) => a.turn - b.turn) };
    });
  }

  #ownerMarkOf(entry: RowKey): string | undefined {
    const standing = readHead(this.#deps.rows, taskIdOf(entry))?.standing;
    return standing && 'kind' in standing ? standing.kind?.ownerMark : undefined;
  }

  /** Types in the order in which they are asked now: a look for one task begins behind the type that the last one found something of. */
  #inOrder(types: TakeRequest['types']): string[] {
    const all = types === 'any' ? this.#queuedTypes() : [...new Set(types)].sort();
    return [...all.filter((type) => type > this.#lastType), ...all.filter((type) => type <= this.#lastType)];
  }

  #queuedTypes(): string[] {
    const types: string[] = [];
    for (let [entry] = this.#keys(queueOf()); entry && startsWith(entry, queueOf()); [entry] = this.#keys(after(queueOf(types.at(-1)))))
      types.push(String(entry[1]));
    return types;
  }

  #keys(start: RowKey): RowKey[] {
    return [...this.#deps.rows.getKeys({ start, limit: 1 })];
  }

  #hide(entry: RowKey, until: number): string {
    const taskId = taskIdOf(entry);
    const head = readHead(this.#deps.rows, taskId);
    this.#parked.drop(taskId);
    this.#hiding.hide(taskId, { until, entries: head ? entriesOf(taskId, head.standing) : [entry] });
    return taskId;
  }
}
