import type { TaskListRequest } from '../../machines/lists/index.ts';
import type { TaskSnapshotResponse } from '../../machines/wire/index.ts';
import { TaskBridgeClientError } from '../index.ts';
import type { ProvidedClient } from './provider.ts';

/** A list of tasks at one moment. */
export interface TaskListSnapshot {
  /** Newest first; what is observed of those that have not ended is in them. The same list, and the same tasks, until something changed. */
  readonly tasks: readonly TaskSnapshotResponse[];
  /** `loading` until the first answer. `failed`: the last question had no answer; what is shown may be old. */
  readonly status: 'loading' | 'ready' | 'failed';
  readonly error: TaskBridgeClientError | null;
  /** There are older ones. */
  readonly hasMore: boolean;
}

/** A list of tasks that any number of components may look at. */
export interface TaskList {
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => TaskListSnapshot;
  /** Asks again, for as many as are shown. */
  readonly refresh: () => Promise<void>;
  /** Asks for older ones, too. */
  readonly more: () => Promise<void>;
}

/** How often a list is asked for again while its page can be seen, in milliseconds. */
const AGAIN_MS = 15_000;
const loading: TaskListSnapshot = { tasks: [], status: 'loading', error: null, hasMore: false };

/** Makes a list that is asked for while anybody looks. */
export function createTaskList(provided: ProvidedClient, request: TaskListRequest): TaskList {
  const list = new WatchedList(provided, request);
  return {
    getSnapshot: () => list.shown,
    subscribe: (listener) => list.subscribe(listener),
    refresh: () => list.refresh(),
    more: () => list.more(),
  };
}

/** Asks at once, when the page comes back to the front, after starts and ends of this page, and now and then. */
class WatchedList {
  readonly #provided: ProvidedClient;
  readonly #request: TaskListRequest;
  readonly #listeners = new Set<() => void>();
  /** What ends the observation of each task that has not ended. */
  readonly #observed = new Map<string, () => void>();
  #shown = loading;
  #pages = 1;
  #timer: unknown;
  #asking: Promise<void> | undefined;
  #leave: readonly (() => void)[] = [];

  constructor(provided: ProvidedClient, request: TaskListRequest) {
    this.#provided = provided;
    this.#request = request;
  }

  get shown(): TaskListSnapshot {
    return this.#shown;
  }

  subscribe(listener: () => void): () => void {
    // The same function may subscribe twice.
    const own = (): void => listener();
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#begin();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#end();
    };
  }

  refresh(): Promise<void> {
    const { clock } = this.#provided;
    clock.clearTimeout(this.#timer);
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
      clock.clearTimeout(this.#timer);
      if (this.#listeners.size > 0) this.#timer = clock.setTimeout(() => this.#look(), AGAIN_MS);
    });
    return this.#asking;
  }

  async more(): Promise<void> {
    if (!this.#shown.hasMore) return;
    this.#pages += 1;
    await this.#asking;
    await this.refresh();
  }

  #begin(): void {
    const look = (): void => this.#look();
    this.#leave = [this.#provided.starts.subscribe(() => this.#askAgain()), onReturn(look)];
    void this.refresh();
  }

  #end(): void {
    this.#provided.clock.clearTimeout(this.#timer);
    for (const stop of [...this.#leave, ...this.#observed.values()]) stop();
    this.#leave = [];
    this.#observed.clear();
  }

  /** What was started or removed while it is being asked may not be in the answer. */
  #askAgain(): void {
    void Promise.resolve(this.#asking).then(() => this.#listeners.size > 0 && this.#look());
  }

  /** A page that nobody sees asks when it comes back. */
  #look(): void {
    if (isVisible()) void this.refresh();
  }

  async #ask(): Promise<void> {
    const { client, context } = this.#provided;
    try {
      const tasks: TaskSnapshotResponse[] = [];
      let after: string | null = null;
      for (let page = 0; page < this.#pages && (page === 0 || after !== null); page += 1) {
        const answer = await client.list({ ...this.#request, ...(after !== null && { after }) }, context && { context });
        tasks.push(...answer.tasks);
        after = answer.nextAfter;
      }
      if (this.#listeners.size === 0) return;
      this.#show({ tasks: tasks.map((task) => this.#live(task)), status: 'ready', error: null, hasMore: after !== null });
      this.#observe(this.#shown.tasks);
    } catch (cause) {
      const error = cause instanceof TaskBridgeClientError ? cause : new TaskBridgeClientError('NETWORK_ERROR', String(cause), { cause });
      this.#show({ status: 'failed', error });
    }
  }

  /** Observes those that have not ended, and no others. */
  #observe(tasks: readonly TaskSnapshotResponse[]): void {
    const { observations } = this.#provided;
    const wanted = new Set(tasks.filter(({ state }) => !isEnded(state)).map(({ taskId }) => taskId));
    for (const [taskId, stop] of this.#observed) {
      if (wanted.has(taskId)) continue;
      this.#observed.delete(taskId);
      stop();
    }
    for (const taskId of wanted) {
      if (this.#observed.has(taskId)) continue;
      const stop = observations.of(taskId).subscribe(() => this.#noteLive(taskId));
      this.#observed.set(taskId, stop);
    }
  }

  #noteLive(taskId: string): void {
    const tasks = this.#shown.tasks.map((task) => (task.taskId === taskId ? this.#live(task) : task));
    if (tasks.every((task, nth) => task === this.#shown.tasks[nth])) return;
    this.#show({ tasks });
    // Its end says more than its facts: a result, and when.
    if (tasks.some((task) => task.taskId === taskId && isEnded(task.state))) void this.refresh();
  }

  /** What is known of a task by now. */
  #live(task: TaskSnapshotResponse): TaskSnapshotResponse {
    const { known, task: view } = this.#provided.observations.of(task.taskId).getSnapshot();
    if (known !== 'known' || (task.state === view.state && task.progress === view.progress)) return task;
    return { ...task, state: view.state, status: view.status, progress: view.progress };
  }

  #show(next: Partial<TaskListSnapshot>): void {
    this.#shown = { ...this.#shown, ...next };
    for (const listener of [...this.#listeners]) listener();
  }
}

function isEnded(state: string): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** True where nothing says otherwise. */
function isVisible(): boolean {
  return typeof document === 'undefined' || document.visibilityState !== 'hidden';
}

/** Calls back when the page comes back to the front; returns what ends that. */
function onReturn(listener: () => void): () => void {
  if (typeof document === 'undefined') return () => undefined;
  const { defaultView: view } = document;
  document.addEventListener('visibilitychange', listener);
  view?.addEventListener('focus', listener);
  return () => {
    document.removeEventListener('visibilitychange', listener);
    view?.removeEventListener('focus', listener);
  };
}
