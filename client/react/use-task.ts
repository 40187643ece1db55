import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { idleSnapshot, type ConnectionView, type Known, type ObservationSnapshot, type TaskBridgeClient, type TaskView } from '../index.ts';
import type { JsonLike } from '../../machines/contract/index.ts';
import type { CancelTaskResponse, CreateTaskResponse, JsonObject, SubmitActionResponse } from '../../machines/wire/index.ts';
import { useFetched, useTaskBridge } from './provider.ts';
import type { PooledObservation } from './observation-pool.ts';

/** The id of a task; null or undefined while there is none yet. */
export type TaskIdOrNone = string | null | undefined;

/** What a component does about a task. The functions are the same from render to render; they reject with a `TaskBridgeClientError` only. */
export interface TaskActions {
  /** Answers a question, or the one with this suspend id. */
  act<P extends object = JsonObject>(
    question: string | { readonly suspendId: string },
    actionType: string,
    payload?: P & JsonLike<P>,
    metadata?: JsonObject,
  ): Promise<SubmitActionResponse>;
  cancel(reason?: string): Promise<CancelTaskResponse>;
  /** Removes the task, once it has ended; lists of this page are asked for again then. */
  remove(): Promise<void>;
  /** Starts the task, once it has ended, again as a new one; lists of this page are asked for again then. */
  retry(request?: Parameters<TaskBridgeClient['retry']>[1]): Promise<CreateTaskResponse>;
}

/** A task on a page. */
export interface UsedTask extends TaskActions {
  readonly task: TaskView;
  readonly connection: ConnectionView;
  /** Whether `task` is that of the id. An id that cannot be observed is an `error`, which `connection.error` explains. */
  readonly known: Known;
}

/**
 * Observes a task while the component is mounted, and renders on every batch of facts. All components with the same client and task share one
 * observation. Without an id nothing is observed.
 */
export function useTask(taskId: TaskIdOrNone): UsedTask;
export function useTask(client: TaskBridgeClient, taskId: TaskIdOrNone): UsedTask;
export function useTask(first: TaskBridgeClient | TaskIdOrNone, second?: TaskIdOrNone): UsedTask {
  const [client, taskId] = isClient(first) ? [first, second] : [undefined, first];
  const snapshot = useObserved(client, taskId, whole, Object.is);
  const actions = useActions(client, taskId);
  return useMemo(() => ({ ...snapshot, ...actions }), [snapshot, actions]);
}

/** What is taken of a snapshot. */
export type TaskSelector<T> = (snapshot: ObservationSnapshot) => T;

/** Like {@link useTask}, but renders only when what is selected changes: by `Object.is`, or by `isEqual`. */
export function useTaskSelector<T>(taskId: TaskIdOrNone, selector: TaskSelector<T>, isEqual?: (a: T, b: T) => boolean): T;
export function useTaskSelector<T>(
  client: TaskBridgeClient,
  taskId: TaskIdOrNone,
  selector: TaskSelector<T>,
  isEqual?: (a: T, b: T) => boolean,
): T;
export function useTaskSelector<T>(first: TaskBridgeClient | TaskIdOrNone, ...rest: readonly unknown[]): T {
  // The two overloads allow nothing else.
  const [client, taskId, selector, isEqual] = (isClient(first) ? [first, ...rest] : [undefined, first, ...rest]) as [
    TaskBridgeClient | undefined,
    TaskIdOrNone,
    TaskSelector<T>,
    ((a: T, b: T) => boolean)?,
  ];
  return useObserved(client, taskId, selector, isEqual ?? Object.is);
}

/** What is done about a task, without observing it. */
export function useTaskActions(taskId: TaskIdOrNone): TaskActions;
export function useTaskActions(client: TaskBridgeClient, taskId: TaskIdOrNone): TaskActions;
export function useTaskActions(first: TaskBridgeClient | TaskIdOrNone, second?: TaskIdOrNone): TaskActions {
  return isClient(first) ? useActions(first, second) : useActions(undefined, first);
}

/** Tells the two forms of a hook's arguments apart: a client is the only object that comes first. */
export function isClient(first: TaskBridgeClient | TaskIdOrNone): first is TaskBridgeClient {
  return typeof first === 'object' && first !== null;
}

const whole: TaskSelector<ObservationSnapshot> = (snapshot) => snapshot;
const nothing: ObservationSnapshot = idleSnapshot('');
const noObservation: PooledObservation = {
  getSnapshot: () => nothing,
  subscribe: () => () => undefined,
  whenKnown: () => Promise.resolve(),
  hold: () => ({ observation: undefined, release: () => undefined }),
};

/** What is selected of a task, by a client or the provider's. */
export function useObserved<T>(
  client: TaskBridgeClient | undefined,
  taskId: TaskIdOrNone,
  selector: TaskSelector<T>,
  isEqual: (a: T, b: T) => boolean,
): T {
  const { observations } = useTaskBridge(client);
  const fetched = useFetched().get(taskId ?? '');
  const observation = useMemo(() => (taskId ? observations.of(taskId, fetched) : noObservation), [observations, taskId, fetched]);
  const shown = useRef<{ readonly value: T } | undefined>(undefined);
  // The same selection for the same snapshot, and the one that is shown where it is equal: React would render without end otherwise.
  const read = useMemo(() => {
    let last: { readonly snapshot: ObservationSnapshot; readonly value: T } | undefined;
    return (): T => {
      const snapshot = observation.getSnapshot();
      if (last?.snapshot === snapshot) return last.value;
      const selected = selector(snapshot);
      const before = last ?? shown.current;
      const value = before && isEqual(before.value, selected) ? before.value : selected;
      last = { snapshot, value };
      return value;
    };
  }, [observation, selector, isEqual]);
  const readIdle = useCallback(() => selector(fetched ?? (taskId ? idleSnapshot(taskId) : nothing)), [selector, taskId, fetched]);
  const value = useSyncExternalStore(observation.subscribe, read, useOnce(readIdle));
  useEffect(() => {
    shown.current = { value };
  }, [value]);
  return value;
}

/** The first answer of a function, again and again: a server renders one moment. */
function useOnce<T>(make: () => T): () => T {
  return useMemo(() => {
    let made: { readonly value: T } | undefined;
    return () => (made ??= { value: make() }).value;
  }, [make]);
}

/** What is done about a task, by a client or the provider's. */
export function useActions(client: TaskBridgeClient | undefined, taskId: TaskIdOrNone): TaskActions {
  const { client: used, context, starts } = useTaskBridge(client);
  return useMemo(() => {
    const options = context && { context };
    const noted = <T>(done: Promise<T>): Promise<T> => done.finally(() => starts.note());
    return {
      act: (question, actionType, payload, metadata) =>
        used.act(
          taskId ?? '',
          {
            suspendId: typeof question === 'string' ? question : question.suspendId,
            actionType,
            // JSON by its own type; which one does not matter any more.
            ...(payload && { payload: payload as JsonObject }),
            ...(metadata && { metadata }),
          },
          options,
        ),
      cancel: (reason) => used.cancel(taskId ?? '', reason, options),
      remove: () => noted(used.remove(taskId ?? '', options)),
      retry: (request) => noted(used.retry(taskId ?? '', request, options)),
    };
  }, [used, context, starts, taskId]);
}
