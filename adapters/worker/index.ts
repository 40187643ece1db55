/**
 * Work that runs in processes of a host's own, such as the workers of a queue.
 *
 * @packageDocumentation
 */
export { workerTask, type ContractWorkerTask, type RunEnding, type WorkerTask } from './worker-task.ts';
export { TaskFailure, TaskStopped, type HandledTask, type Question, type Task } from '../in-process/index.ts';
