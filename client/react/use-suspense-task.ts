import { TaskBridgeClientError, type TaskBridgeClient } from '../index.ts';
import { useFetched, useTaskBridge } from './provider.ts';
import { isClient, useTask, type UsedTask } from './use-task.ts';

/** A task of which something is known. */
export type KnownTask = UsedTask & { readonly known: 'known' };

/**
 * Like {@link useTask}, for a page with boundaries: suspends until something is known of the task, and throws where there is none
 * (`TASK_NOT_FOUND`) or nothing can be known. Rendering it observes the task. A server renders the nearest fallback, or what the provider was given
 * as `snapshots`.
 */
export function useSuspenseTask(taskId: string): KnownTask;
export function useSuspenseTask(client: TaskBridgeClient, taskId: string): KnownTask;
export function useSuspenseTask(first: TaskBridgeClient | string, second = ''): KnownTask {
  const [client, taskId] = isClient(first) ? [first, second] : [undefined, first];
  const { client: used, observations } = useTaskBridge(client);
  const fetched = useFetched().get(taskId);
  const task = useTask(used, taskId);
  // What is shown may be older than what is known: a page that suspends has nobody who listens yet.
  const { known, connection } = task.known === 'pending' ? observations.of(taskId, fetched).getSnapshot() : task;
  // What React has a component suspend by.
  // oxlint-disable-next-line typescript/only-throw-error
  if (known === 'pending') throw observations.of(taskId).whenKnown();
  if (known === 'known') return { ...task, known };
  throw connection.error ?? new TaskBridgeClientError('TASK_NOT_FOUND', `There is no task ${JSON.stringify(taskId)}.`);
}
