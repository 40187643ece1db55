import { useMemo, useSyncExternalStore } from 'react';
import type { TaskListRequest } from '../../machines/lists/index.ts';
import type { TaskBridgeClient } from '../index.ts';
import { useTaskBridge } from './provider.ts';
import { createTaskList, type TaskList, type TaskListSnapshot } from './task-list.ts';

/** A list of tasks on a page. The functions are the same from render to render. */
export type UsedTasks = TaskListSnapshot & Pick<TaskList, 'refresh' | 'more'>;

/** What a list shows; `after` is its own business. */
export type ListedTasks = Omit<TaskListRequest, 'after'>;

/**
 * The caller's tasks, newest first: asked for when it is mounted, when the page comes back to the front, after each start and end that this page sees, and every
 * 15 s while it can be seen. Those that have not ended are observed, so that their states are live.
 */
export function useTasks(request?: ListedTasks): UsedTasks;
export function useTasks(client: TaskBridgeClient, request?: ListedTasks): UsedTasks;
export function useTasks(first?: TaskBridgeClient | ListedTasks, second?: ListedTasks): UsedTasks {
  const [client, { type, state, label, limit } = {}] = isClient(first) ? [first, second] : [undefined, first];
  const provided = useTaskBridge(client);
  const list = useMemo(() => createTaskList(provided, { type, state, label, limit }), [provided, type, state, label, limit]);
  const snapshot = useSyncExternalStore(list.subscribe, list.getSnapshot, list.getSnapshot);
  return useMemo(() => ({ ...snapshot, refresh: list.refresh, more: list.more }), [snapshot, list]);
}

function isClient(first: TaskBridgeClient | ListedTasks | undefined): first is TaskBridgeClient {
  return typeof first === 'object' && 'observe' in first;
}
