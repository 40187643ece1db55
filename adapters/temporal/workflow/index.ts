/**
 * For workflow code: the task as a workflow sees it. Deterministic, and loaded by the workflow sandbox: it needs `@temporalio/workflow` only.
 *
 * @packageDocumentation
 */
export { taskWorkflow, type CarriedRun, type TaskWorkflow } from './task-workflow.ts';
export type { ContractFlow, ContractFlowTask, FlowTask, Question, TaskFlow } from './flow.ts';
export type { ReportingOptions } from './reports.ts';
export { taskFailure } from './task-failure.ts';
export type { FlowTaskRef, TaskInput } from '../contract.ts';
