import type { ShareBook } from './share-book.ts';

/** What the held back work is known by, and who is told. */
export interface HeldBackDeps {
  readonly book: ShareBook;
  /** A task of an owner who has room again. */
  visit(taskId: string): Promise<unknown>;
  /** Owners who were left out have room, and nothing of theirs waits here. */
  onRoom(): void;
}

/** Most owners that a store is asked to leave out. */
const WITHOUT_MAX = 256;
/** Most owners who are remembered; what there is of others the store shows again, a little later. */
const OWNERS_MAX = 10_000;
/** Tasks of one owner that are remembered; what there is more of the store shows again. */
const TASKS_MAX = 200;

/**
 * Work that this node was shown, of owners who have as much at work as they may. What waits in the store stays there: they are left out of
 * each look. What was shown before that was known is remembered here, and visited as soon as something of its owner's ends.
 */
export class HeldBack {
  readonly #deps: HeldBackDeps;
  readonly #owners = new Map<string, Set<string>>();

  constructor(deps: HeldBackDeps) {
    this.#deps = deps;
    deps.book.onLess((owner) => this.#letIn(owner));
  }

  /** The owners to leave out of a look. */
  get owners(): readonly string[] {
    return [...this.#owners.keys()].slice(0, WITHOUT_MAX);
  }

  /** Holds back an owner, and a task of his where one is named. */
  add(owner: string, taskId?: string): void {
    const tasks = this.#owners.get(owner) ?? new Set<string>();
    if (!this.#owners.has(owner) && this.#owners.size >= OWNERS_MAX) return;
    this.#owners.set(owner, tasks);
    if (taskId !== undefined && tasks.size < TASKS_MAX) tasks.add(taskId);
  }

  /** Asks the store how they stand: what they have at work ends on other nodes too. */
  async look(): Promise<void> {
    const owners = [...this.#owners.keys()];
    for (let at = 0; at < owners.length; at += WITHOUT_MAX) await this.#deps.book.ask(owners.slice(at, at + WITHOUT_MAX));
    for (const owner of owners) this.#letIn(owner);
  }

  #letIn(owner: string): void {
    const tasks = this.#owners.get(owner);
    const room = this.#deps.book.room(owner);
    if (!tasks || room === 0) return;
    const next = [...tasks].slice(0, room);
    for (const taskId of next) tasks.delete(taskId);
    // One that somebody else has taken meanwhile leaves its place to another.
    if (next.length > 0) return void Promise.all(next.map((taskId) => this.#deps.visit(taskId))).then(() => this.#letIn(owner));
    this.#owners.delete(owner);
    this.#deps.onRoom();
  }
}
