import { pathNames } from '../../machines/routes/index.ts';

/** A route that a request has, and the task that its path names; '' where it names none. */
export interface FoundRoute<Entry> {
  readonly entry: Entry;
  readonly taskId: string;
}

/** A path as it is compared: what stands before the id of the task, and what after it. */
interface Row<Entry> {
  readonly before: string;
  /** Undefined for a path that names no task. */
  readonly after: string | undefined;
  readonly entry: Entry;
}

const TASK_ID = ':taskId';
const TASK_ID_LENGTH = 32;
const OUR_TASK_ID = /^[0-9a-f]{32}$/;

/**
 * The requests that nearly all are: a path exactly as its route has it, with an id as this server makes them. They are found by the length of their path, where a
 * router tries a pattern for each route; all others (`HEAD`, other ids, a slash at the end, prefixes with names) are the router's, which would give the same.
 */
export class RouteTable<Entry> {
  readonly #hasOddWord: boolean;
  readonly #rows = new Map<string, Map<number, Row<Entry>[]>>();

  /** Takes all paths of a mount: where one has a word that could be an id, nothing is found. */
  constructor(paths: readonly string[]) {
    this.#hasOddWord = paths.some((path) => path.split('/').some((word) => OUR_TASK_ID.test(word)));
  }

  /** Enters a route. One with other names than `:taskId` is left to the router. */
  add(method: string, path: string, entry: Entry): void {
    if (this.#hasOddWord || pathNames(path).some((name) => name !== 'taskId')) return;
    const [before = '', after] = path.split(TASK_ID);
    const length = before.length + (after === undefined ? 0 : TASK_ID_LENGTH + after.length);
    const byLength = this.#rows.get(method) ?? new Map<number, Row<Entry>[]>();
    this.#rows.set(method, byLength);
    byLength.set(length, [...(byLength.get(length) ?? []), { before, after, entry }]);
  }

  /** The route of a request; undefined where the router has to be asked. */
  find(method: string, path: string): FoundRoute<Entry> | undefined {
    for (const { before, after, entry } of this.#rows.get(method)?.get(path.length) ?? []) {
      if (after === undefined) {
        if (path === before) return { entry, taskId: '' };
        continue;
      }
      const taskId = path.slice(before.length, before.length + TASK_ID_LENGTH);
      if (path.startsWith(before) && path.endsWith(after) && OUR_TASK_ID.test(taskId)) return { entry, taskId };
    }
    return undefined;
  }
}
