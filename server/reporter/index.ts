/**
 * Reports from outside the host's processes. Imports no web framework.
 *
 * @packageDocumentation
 */
export { createTaskReporter, type TaskReporter, type TaskReporterOptions } from './reporter.ts';
export type { FollowedRun } from './run-notifier.ts';
export type { ClaimedWork, TaskRef } from './work-claim.ts';
export type { AttemptRef, WorkParts, WorkReport, WorkReportOutcome, Resolution } from '../ports/executor.ts';
export { TaskBridgeError } from '../errors.ts';
