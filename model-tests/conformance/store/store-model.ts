import { parseEventId } from 'taskbridge/wire';
import type { Commit, LogPage, NewTask, Plan, TakenTasks, TakeRequest } from 'taskbridge/server/store';

/**
 * What a store should answer, from nothing but the list of the writes that it took. Slow on purpose: every answer is worked out anew, so
 * that it shares no idea with any adapter.
 */
export class StoreModel {
  readonly #tasks: { readonly task: NewTask; readonly commits: Commit[]; removed: boolean; hidden: boolean }[] = [];
  readonly #beats = new Map<string, number>();

  create(task: NewTask): { created: true } | { created: false; taskId: string } {
    const holder = this.#live().find((each) => each.task.requestKey === task.requestKey);
    if (holder) return { created: false, taskId: holder.task.taskId };
    this.#tasks.push({ task, commits: [], removed: false, hidden: false });
    return { created: true };
  }

  append(commit: Commit): 'committed' | 'conflict' | 'lease changed' {
    const history = this.#find(commit.taskId);
    if (!history || this.revision(commit.taskId) !== commit.expectedRevision) return 'conflict';
    const { ifLease } = commit;
    if (ifLease && this.beat(ifLease.node) !== ifLease.beat) return 'lease changed';
    history.commits.push(commit);
    history.hidden = false;
    return 'committed';
  }

  remove(taskId: string, expectedRevision: number): 'removed' | 'conflict' {
    const history = this.#find(taskId);
    if (!history || this.revision(taskId) !== expectedRevision) return 'conflict';
    history.removed = true;
    return 'removed';
  }

  revision(taskId: string): number | undefined {
    const history = this.#find(taskId);
    return history && history.commits.length + 1;
  }

  fields(taskId: string): Record<string, string> {
    const history = this.#find(taskId);
    return Object.assign({}, history?.task.fields, ...(history?.commits ?? []).map(({ fields }) => fields)) as Record<string, string>;
  }

  kept(taskId: string): Record<string, string> {
    const history = this.#find(taskId);
    return Object.assign({}, history?.task.sideValues, ...(history?.commits ?? []).map(({ sideValues: kept }) => kept)) as Record<
      string,
      string
    >;
  }

  log(taskId: string): LogPage | undefined {
    const history = this.#find(taskId);
    if (!history) return undefined;
    const all = history.commits.flatMap(({ facts }) => facts);
    const firstRetained = Math.max(1, ...history.commits.map((commit) => commit.firstRetained));
    const entries = all.filter(({ eventId }) => (parseEventId(eventId)?.n ?? 0) >= firstRetained);
    return {
      entries,
      firstEventId: entries[0]?.eventId ?? null,
      lastEventId: all.at(-1)?.eventId ?? null,
      ended: history.commits.some(({ ended }) => ended),
    };
  }

  /** What is ripe at a time, for a node that does tasks of these types, in no order. What is under both heads may be given under either. */
  ripe(now: number, types: TakeRequest['types']): { due: Set<string>; ready: Set<string> } {
    const shown = this.#live().filter(({ hidden }) => !hidden);
    const ids = (chosen: typeof shown): Set<string> => new Set(chosen.map(({ task }) => task.taskId));
    return {
      due: ids(shown.filter((each) => isDue(planOf(each), now))),
      ready: ids(shown.filter((each) => isWanted(planOf(each), now) && (types === 'any' || types.includes(each.task.taskType)))),
    };
  }

  /** Hides what was shown, for longer than any walk. */
  hide({ due, ready }: TakenTasks): void {
    for (const each of this.#live()) each.hidden ||= due.includes(each.task.taskId) || ready.includes(each.task.taskId);
  }

  /** The node that holds a task, by a lease without a date. */
  holder(taskId: string): string | undefined {
    const history = this.#find(taskId);
    const work = history && planOf(history).work;
    return work && 'heldBy' in work && work.until === undefined ? work.heldBy : undefined;
  }

  held(node: string): string[] {
    return this.#live()
      .map(({ task }) => task.taskId)
      .filter((taskId) => this.holder(taskId) === node)
      .sort();
  }

  renew(node: string, beat: number): void {
    this.#beats.set(node, beat);
  }

  /** The beat in all rows of a node: one that was never renewed has 0 in those that commits made. */
  beat(node: string): number {
    return this.#beats.get(node) ?? 0;
  }

  #live() {
    return this.#tasks.filter(({ removed }) => !removed);
  }

  #find(taskId: string) {
    return this.#live().find(({ task }) => task.taskId === taskId);
  }
}

function planOf({ task, commits }: { readonly task: NewTask; readonly commits: readonly Commit[] }): Plan {
  return (commits.at(-1) ?? task).plan;
}

function isDue({ wakeAt, work }: Plan, now: number): boolean {
  const until = work && 'heldBy' in work ? (work.until ?? null) : null;
  return [wakeAt, until].some((time) => time !== null && time <= now);
}

function isWanted({ work }: Plan, now: number): boolean {
  return work !== null && 'readyAt' in work && work.readyAt <= now;
}
