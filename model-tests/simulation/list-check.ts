import { memoryStore, type Memory } from '../../adapters/memory/index.ts';
import type { TaskListQuery } from '../../machines/lists/index.ts';
import { taskNotFound } from '../../server/errors.ts';
import { listTasks } from '../../server/lists/task-list.ts';
import type { Name, Store } from '../../server/ports/index.ts';
import { parseTaskRecord } from '../../server/task/task-record.ts';
import type { World } from './world.ts';

const RULE = 'a list has all of its owner’s tasks, and no other';
/** Few, so that tasks come and go between its pages. */
const LIMIT = 2;
/** Pages of a list beyond one for each task that is there, or was. */
const SPARE = 1000;

/** A store whose index lags behind removals, as on a cluster after a crash: a name that was there once stays. */
function lagging(store: Store): Store {
  const stale = new Map<string, Map<string, Name>>();
  return {
    ...store,
    async names(owner, limit, after) {
      const known = stale.get(owner) ?? new Map<string, Name>();
      stale.set(owner, known);
      for (const name of await store.names(owner, Number.MAX_SAFE_INTEGER)) known.set(name.requestKey, name);
      const isAfter = (name: Name): boolean => after === undefined || compareNames(after, name) < 0;
      return [...known.values()].sort(compareNames).filter(isAfter).slice(0, limit);
    },
  };
}

/** The order of a list: the newest first. */
function compareNames(a: Name, b: Name): number {
  if (a.requestKey === b.requestKey) return 0;
  return b.at - a.at || (a.requestKey < b.requestKey ? 1 : -1);
}

/** Somebody who lists the tasks of every owner, page by page, while tasks come and go. Takes no time of the world. */
export class ListCheck {
  readonly #world: World;
  readonly #memory: Memory;
  readonly #store: Promise<Store>;
  #isWalking = false;

  constructor(world: World, memory: Memory, plant: (store: Store) => Store) {
    this.#world = world;
    this.#memory = memory;
    const clock = { now: () => world.now, setTimeout: () => undefined, clearTimeout: () => undefined };
    const plain = memoryStore({ memory, clock });
    this.#store = plain.open().then(() => plant(lagging(plain)));
  }

  /** Lists once, unless somebody does already. */
  async look(): Promise<void> {
    if (this.#isWalking) return;
    this.#isWalking = true;
    for (const owner of new Set([...this.#memory.tasks.values()].map((task) => task.owner))) await this.#lookAt(owner);
    this.#isWalking = false;
  }

  async #lookAt(owner: string): Promise<void> {
    const { tasks } = this.#memory;
    const before = this.#tasksOf(owner);
    const shown = await this.#walk(owner);
    if (new Set(shown).size < shown.length) this.#world.fault(RULE, `${owner} is shown a task twice: ${shown.join()}`);
    // One that came meanwhile may be shown or not, and so may one that went.
    const foreign = shown.filter((taskId) => (tasks.get(taskId)?.owner ?? owner) !== owner);
    if (foreign.length > 0) this.#world.fault(RULE, `${owner} is shown ${foreign.join()}`);
    const missing = before.filter((taskId) => tasks.has(taskId) && !shown.includes(taskId));
    if (missing.length > 0) this.#world.fault(RULE, `${owner} is not shown ${missing.join()}`);
  }

  #tasksOf(owner: string): readonly string[] {
    return [...this.#memory.tasks.values()].flatMap((task) => (task.owner === owner ? [task.taskId] : []));
  }

  async #walk(owner: string): Promise<readonly string[]> {
    const store = await this.#store;
    const processor = {
      async read(taskId: string) {
        const loaded = await store.load(taskId);
        if (!loaded) throw taskNotFound(taskId);
        return parseTaskRecord(loaded);
      },
    };
    const shown: string[] = [];
    let after: string | null | undefined;
    // Beyond that it has some twice, or no end.
    for (let pages = 0; after !== null && pages < this.#memory.tasks.size + SPARE; pages += 1) {
      const query: TaskListQuery = { limit: LIMIT, ...(after !== undefined && { after }) };
      for await (const { json, nextAfter } of listTasks({ store, processor, ownership: {} }, { subject: owner }, query)) {
        after = nextAfter;
        if (json) shown.push((JSON.parse(json.toString('utf8')) as { taskId: string }).taskId);
      }
    }
    return shown;
  }
}
