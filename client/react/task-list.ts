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

/** Asks for a list while anybody looks: at once, when the page comes back to the front, after starts and ends of this page, and now and then. */
export function createTaskList({ client, context, clock, observations, starts }: ProvidedClient, request: TaskListRequest): TaskList {
  const listeners = new Set<() => void>();
  const observed = new Map<string, () => void>();
  let shown = loading;
  let pages = 1;
  let timer: unknown;
  let asking: Promise<void> | undefined;
  let leave: readonly (() => void)[] = [];

  function show(next: Partial<TaskListSnapshot>): void {
    shown = { ...shown, ...next };
    for (const listener of [...listeners]) listener();
  }

  /** What is known of a task by now. */
  function live(task: TaskSnapshotResponse): TaskSnapshotResponse {
    const { known, task: view } = observations.of(task.taskId).getSnapshot();
    if (known !== 'known' || (task.state === view.state && task.progress === view.progress)) return task;
    return { ...task, state: view.state, status: view.status, progress: view.progress };
  }

  /** Observes those that have not ended, and no others. */
  function observe(tasks: readonly TaskSnapshotResponse[]): void {
    const wanted = new Set(tasks.filter(({ state }) => !isEnded(state)).map(({ taskId }) => taskId));
    for (const [taskId, stop] of observed) {
      if (wanted.has(taskId)) continue;
      observed.delete(taskId);
      stop();
    }
    for (const taskId of wanted)
      if (!observed.has(taskId))
        observed.set(
          taskId,
          observations.of(taskId).subscribe(() => noteLive(taskId)),
        );
  }

  function noteLive(taskId: string): void {
    const tasks = shown.tasks.map((task) => (task.taskId === taskId ? live(task) : task));
    if (tasks.every((task, nth) => task === shown.tasks[nth])) return;
    show({ tasks });
    // Its end says more than its facts: a result, and when.
    if (tasks.some((task) => task.taskId === taskId && isEnded(task.state))) void refresh();
  }

  async function ask(): Promise<void> {
    try {
      const tasks: TaskSnapshotResponse[] = [];
      let after: string | null = null;
      for (let page = 0; page < pages && (page === 0 || after !== null); page += 1) {
        const answer = await client.list({ ...request, ...(after !== null && { after }) }, context && { context });
        tasks.push(...answer.tasks);
        after = answer.nextAfter;
      }
      if (listeners.size === 0) return;
      show({ tasks: tasks.map(live), status: 'ready', error: null, hasMore: after !== null });
      observe(shown.tasks);
    } catch (cause) {
      const error = cause instanceof TaskBridgeClientError ? cause : new TaskBridgeClientError('NETWORK_ERROR', String(cause), { cause });
      show({ status: 'failed', error });
    }
  }

  function refresh(): Promise<void> {
    clock.clearTimeout(timer);
    asking ??= ask().finally(() => {
      asking = undefined;
      clock.clearTimeout(timer);
      if (listeners.size > 0) timer = clock.setTimeout(() => void (isVisible() ? refresh() : undefined), AGAIN_MS);
    });
    return asking;
  }

  function begin(): void {
    const look = (): void => void (isVisible() && refresh());
    leave = [starts.subscribe(look), onReturn(look)];
    void refresh();
  }

  function end(): void {
    clock.clearTimeout(timer);
    for (const stop of [...leave, ...observed.values()]) stop();
    leave = [];
    observed.clear();
  }

  return {
    getSnapshot: () => shown,
    subscribe(listener) {
      // The same function may subscribe twice.
      const own = (): void => listener();
      listeners.add(own);
      if (listeners.size === 1) begin();
      return () => {
        listeners.delete(own);
        if (listeners.size === 0) end();
      };
    },
    refresh,
    async more() {
      if (!shown.hasMore) return;
      pages += 1;
      await asking;
      await refresh();
    },
  };
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
