import { MinHeap, type Plan, type TakeRequest } from '../../server/ports/index.ts';
import type { TaskEntry, TaskRow } from './memory.ts';
import { Turns } from './turns.ts';

/** What there is to do, and when: a look costs what it gives, however much else is waiting. */
export class Schedule {
  readonly #waking = new MinHeap<TaskEntry>();
  /** Work that is not wanted yet, or hidden. */
  readonly #later = new MinHeap<TaskEntry>();
  /** Work that is wanted. */
  readonly #turns = new Turns();

  /** Enters a task as its plan says, and shows it to nobody before a time. */
  enter(task: TaskRow, now: number, shownFrom = 0): void {
    this.leave(task);
    const { waking, wanted } = task;
    waking.at = Math.max(shownFrom, wakeTime(task.plan));
    if (waking.at < Number.POSITIVE_INFINITY) this.#waking.push(waking);
    wanted.at = Math.max(shownFrom, readyTime(task.plan));
    if (wanted.at <= now) this.#want(wanted);
    else if (wanted.at < Number.POSITIVE_INFINITY) this.#later.push(wanted);
  }

  leave({ waking, wanted }: TaskRow): void {
    if (waking.place >= 0) this.#waking.remove(waking);
    if (wanted.place < 0) return;
    if (wanted.hasTurn) this.#turns.remove(wanted);
    else this.#later.remove(wanted);
    wanted.hasTurn = false;
  }

  /** Gives what is ripe, and hides it. */
  take(now: number, { types, dueMax, readyMax, hideMs, without = [] }: TakeRequest): { due: TaskRow[]; ready: TaskRow[] } {
    const [due, ready]: [TaskRow[], TaskRow[]] = [[], []];
    for (let next = this.#waking.first; next && next.at <= now && due.length < dueMax; next = this.#waking.first) {
      due.push(next.task);
      this.enter(next.task, now, now + hideMs);
    }
    for (let next = this.#later.first; next && next.at <= now; next = this.#later.first) {
      this.#later.remove(next);
      this.#want(next);
    }
    const putBack = this.#turns.setAside(without);
    while (ready.length < readyMax) {
      const next = this.#turns.next(types);
      if (!next) break;
      next.hasTurn = false;
      ready.push(next.task);
      this.enter(next.task, now, now + hideMs);
    }
    putBack();
    return { due, ready };
  }

  #want(entry: TaskEntry): void {
    entry.hasTurn = true;
    this.#turns.add(entry);
  }
}

function wakeTime({ wakeAt, work }: Plan): number {
  const until = work && 'heldBy' in work ? work.until : undefined;
  return Math.min(wakeAt ?? Number.POSITIVE_INFINITY, until ?? Number.POSITIVE_INFINITY);
}

function readyTime({ work }: Plan): number {
  return work && 'readyAt' in work ? work.readyAt : Number.POSITIVE_INFINITY;
}
