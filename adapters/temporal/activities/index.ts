/**
 * For workers: the activities by which workflows report on their tasks.
 *
 * @packageDocumentation
 */
export { taskBridgeActivities, type TaskBridgeActivities } from './report.ts';
export type { ActivityPartOptions, ActivityValueOptions } from './activity-parts.ts';
export { activityTask, type ActivityTask } from './activity-task.ts';
export type { FlowTaskRef } from '../contract.ts';
