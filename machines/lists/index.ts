/**
 * Lists of tasks over the wire, and what is done about those that have ended, their files: what is asked for, and what is answered. Those who only watch tasks load nothing of it.
 *
 * @packageDocumentation
 */
export {
  taskListQuery,
  taskListRequest,
  taskStates,
  type TaskListQuery,
  type TaskListRequest,
  type TaskListResponse,
} from './task-list.ts';
export type { TaskAttachment } from '../wire/commands.ts';
export { retryTaskRequest, type RetryTaskRequest } from './task-retry.ts';
