import type { Clock, TakeRequest, WorkRegistry } from '../../server/ports/index.ts';
import { readHead, type Rows } from './head.ts';
import { Hiding } from './hiding.ts';
import {
  after,
  clock as timed,
  entryOf,
  LAST,
  oldClock,
  placeOf,
  queueOf,
  startsWith,
  taskIdOf,
  wantedLater,
  type RowKey,
} from './keys.ts';
import { entriesOf } from './plan.ts';
import { moveWanted } from './queue.ts';
import type { Writer } from './writer.ts';

/** Tasks that enter their queue in one transaction, and in one look. */
const MOVED_AT_ONCE = 100;
const MOVED_MAX = 2000;
/** Tasks of 0.1.0 that are read in one turn of the event loop. */
const OLD_AT_ONCE = 500;

/** What a look works with. */
export interface LmdbWorkDeps {
  readonly rows: Rows;
  readonly writer: Writer;
  readonly clock: Clock;
}

/** Who works on what, for as long as the store is open. */
export class LmdbWork {
  readonly #deps: LmdbWorkDeps;
  readonly #hiding: Hiding;
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
    this.#hiding.replan(taskId, entries);
  }

  async take({ types, dueMax, readyMax, hideMs }: TakeRequest): ReturnType<WorkRegistry['take']> {
    const now = this.#deps.clock.now();
    this.#hiding.expire(now);
    await this.#queueWanted(now);
    const due = await this.#takeDue(now, now + hideMs, dueMax);
    const ready = readyMax > 0 ? this.#takeReady(types, readyMax, now + hideMs) : [];
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
      await new Promise((resolve) => setImmediate(resolve));
    }
    return due;
  }

  /** Moves tasks to the queues of their types once their work is wanted. Where very many are at once, the next looks go on. */
  async #queueWanted(now: number): Promise<void> {
    const { rows, writer } = this.#deps;
    for (let moved = 0; moved < MOVED_MAX; moved += MOVED_AT_ONCE) {
      const slice = [...rows.getKeys({ start: wantedLater, end: entryOf(wantedLater, now, LAST), limit: MOVED_AT_ONCE })];
      if (slice.length > 0) this.#hiding.noteShown(await writer.write(() => moveWanted(rows, slice, now, this.#lastTaken)));
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
  #takeReady(types: TakeRequest['types'], max: number, until: number): string[] {
    const lists = this.#inOrder(types).map((type) => ({ type, entries: this.#firstOf(queueOf(type), max) }));
    const ready: string[] = [];
    for (let round = 0; round < max; round += 1) {
      for (const { type, entries } of lists) {
        const entry = entries[round];
        if (!entry || ready.length === max) continue;
        this.#lastType = type;
        this.#lastTaken.set(type, Math.max(this.#lastTaken.get(type) ?? 0, placeOf(entry)));
        ready.push(this.#hide(entry, until));
      }
    }
    return ready;
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

  #firstOf(list: RowKey, max: number): RowKey[] {
    const entries: RowKey[] = [];
    for (const entry of this.#hiding.shown(list)) {
      if (entries.push(entry) === max) break;
    }
    return entries;
  }

  #hide(entry: RowKey, until: number): string {
    const taskId = taskIdOf(entry);
    const head = readHead(this.#deps.rows, taskId);
    this.#hiding.hide(taskId, { until, entries: head ? entriesOf(taskId, head.standing) : [entry] });
    return taskId;
  }
}
