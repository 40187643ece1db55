/**
 * What the host's own door gives and takes (`bridge.tasks`, `bridge.system`, `bridge.onFact`), by name.
 *
 * @packageDocumentation
 */
export type { TaskListRequest, TaskListResponse } from '../../machines/lists/index.ts';
export type { HostTasks, PollOptions, ReadOptions, TaskCreation } from '../caller/caller-tasks.ts';
export { factListenerLimits, type EndListener, type FactListener } from '../caller/fact-listeners.ts';
export type { FactOrGap, FollowOptions } from '../caller/fact-stream.ts';
export type { SystemTasks } from '../caller/host-access.ts';
export type { SystemListRequest, SystemLists, SystemTask, SystemTaskPage, TaskCount } from '../lists/system-list.ts';
export type { PartRange } from '../parts/part-text.ts';
export type { NewAttachment } from '../caller/new-attachments.ts';
