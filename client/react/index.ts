/**
 * Tasks in React: a provider and hooks over `taskbridge/client`. Rendering opens nothing; components with the same task share one observation.
 *
 * @packageDocumentation
 */
export {
  contractHooks,
  type ContractActions,
  type ContractHooks,
  type ContractStartTask,
  type ContractTaskOnPage,
} from './contract-hooks.ts';
export { TaskBridgeProvider, type TaskBridgeProviderProps } from './provider.ts';
export { useStartTask, type StartState, type StartTask } from './use-start-task.ts';
export {
  useTask,
  useTaskActions,
  useTaskSelector,
  type TaskActions,
  type TaskIdOrNone,
  type TaskSelector,
  type UsedTask,
} from './use-task.ts';
