/**
 * Tasks and outboxes as actor logic, for machines of a host's own: to `invoke`, to spawn, to persist, to look at. A door of its own, so that a page without
 * such machines loads none of it.
 *
 * @packageDocumentation
 */
export { fromOutbox, type OutboxLogic, type OutboxLogicEmitted, type OutboxLogicEvent, type OutboxLogicSnapshot } from './from-outbox.ts';
export { fromTask, taskActor, type FromTaskOptions, type TaskLogic, type TaskLogicEvent } from './from-task.ts';
export { namedSessions } from './sessions.ts';
export type { RefusedCommand, TaskLogicContext, TaskLogicInput, TaskLogicSnapshot, TaskLogicState, TaskLogicTag } from './task-snapshot.ts';
