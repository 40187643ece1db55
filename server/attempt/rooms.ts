import type { TaskExecutor } from '../ports/executor.ts';

/** What the rooms are counted by. */
export interface RoomsDeps {
  readonly executors: readonly TaskExecutor[];
  /** From when it is true there is room for nothing. */
  isDraining(): boolean;
}

/**
 * How much more work this node can take. A place is kept from before the claim until the executor has the work: what it was promised and does
 * not have yet it cannot count.
 */
export class Rooms {
  readonly #deps: RoomsDeps;
  readonly #kept = new Map<string, TaskExecutor>();
  readonly #counts = new Map<TaskExecutor, number>();

  constructor(deps: RoomsDeps) {
    this.#deps = deps;
  }

  /** True from when on this node begins nothing, also where a place was kept. */
  get isClosing(): boolean {
    return this.#deps.isDraining();
  }

  /** Runs of a type that this node has room for; infinite where there is no limit, 0 where nothing here handles it. */
  of(taskType: string): number {
    const executor = this.#executorOf(taskType);
    return executor ? this.at(executor) : 0;
  }

  /** Runs of an executor that this node has room for. */
  at(executor: TaskExecutor): number {
    if (this.#deps.isDraining()) return 0;
    if (!executor.room) return Infinity;
    return Math.max(0, executor.room() - (this.#counts.get(executor) ?? 0));
  }

  /** Keeps so many places while work is looked for; to be told which tasks have them, the others are free again. */
  keep(executor: TaskExecutor, places: number): (taskIds: readonly string[]) => void {
    this.#count(executor, places);
    return (taskIds) => {
      this.#count(executor, -places);
      for (const taskId of taskIds) {
        if (this.#kept.has(taskId)) continue;
        this.#kept.set(taskId, executor);
        this.#count(executor, 1);
      }
    };
  }

  /** Keeps a place for a task until it is freed, or gives false where there is none. One that has one keeps it. */
  take(taskId: string, taskType: string): boolean {
    if (this.#kept.has(taskId)) return true;
    const executor = this.#executorOf(taskType);
    if (!executor || this.of(taskType) < 1) return false;
    this.#kept.set(taskId, executor);
    this.#count(executor, 1);
    return true;
  }

  /** The executor has the work, or will not get it. */
  free(taskId: string): void {
    const executor = this.#kept.get(taskId);
    if (!executor) return;
    this.#kept.delete(taskId);
    this.#count(executor, -1);
  }

  #count(executor: TaskExecutor, by: number): void {
    this.#counts.set(executor, (this.#counts.get(executor) ?? 0) + by);
  }

  #executorOf(taskType: string): TaskExecutor | undefined {
    return this.#deps.executors.find((executor) => executor.handles(taskType));
  }
}
