/**
 * Work that runs as Temporal workflows and outlives every process of its host.
 *
 * @packageDocumentation
 */
export { temporalExecutor } from './executor.ts';
export type { TemporalExecutorOptions, WorkflowChoice } from './options.ts';
export type { TaskInput } from './contract.ts';
