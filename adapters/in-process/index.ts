/**
 * Work that runs in the server's own process.
 *
 * @packageDocumentation
 */
export type { ContractHandler, ContractHandlers, HandledTask } from './contract-handlers.ts';
export { inProcess, type HandlerEntry, type InProcessOptions } from './executor.ts';
export type { RunAbout } from './run-deps.ts';
export {
  TaskFailure,
  TaskStopped,
  type Handler,
  type PartOptions,
  type PartStream,
  type Question,
  type Task,
  type ValueOptions,
  type ValueStream,
} from './handler.ts';
