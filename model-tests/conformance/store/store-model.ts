import { parseEventId } from '../../../machines/wire/index.ts';
import type { Commit, DueTask, LogPage, NewTask } from '../../../server/ports/index.ts';

/**
 * What a store should answer, from nothing but the list of the writes that it took. Slow on purpose: every answer is worked out anew, so
 * that it shares no idea with any adapter.
 */
export class StoreModel {
  readonly #tasks: { readonly task: NewTask; readonly commits: Commit[]; removed: boolean }[] = [];

  create(task: NewTask): { created: true } | { created: false; taskId: string } {
    const holder = this.#live().find((each) => each.task.requestKey === task.requestKey);
    if (holder) return { created: false, taskId: holder.task.taskId };
    this.#tasks.push({ task, commits: [], removed: false });
    return { created: true };
  }

  append(commit: Commit): 'committed' | 'conflict' {
    const history = this.#find(commit.taskId);
    if (!history || this.revision(commit.taskId) !== commit.expectedRevision) return 'conflict';
    history.commits.push(commit);
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

  due(until: number): DueTask[] {
    return this.#live()
      .map(({ task, commits }) => ({ taskId: task.taskId, dueAt: (commits.at(-1) ?? task).dueAt }))
      .filter((each): each is DueTask => each.dueAt !== null && each.dueAt <= until)
      .sort((a, b) => a.dueAt - b.dueAt || (a.taskId < b.taskId ? -1 : 1));
  }

  #live() {
    return this.#tasks.filter(({ removed }) => !removed);
  }

  #find(taskId: string) {
    return this.#live().find(({ task }) => task.taskId === taskId);
  }
}
