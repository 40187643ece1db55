import type { TaskBridgeClient } from '../index.ts';
import type { ShownQuestion } from './question-fields.ts';
import { isClient, useObserved, type TaskIdOrNone, type TaskSelector } from './use-task.ts';

const questions: TaskSelector<readonly ShownQuestion[]> = ({ task }) => task.openSuspensions;

/** The questions of a task that wait for an answer, oldest first. Renders when they change, and only then. */
export function useQuestions(taskId: TaskIdOrNone): readonly ShownQuestion[];
export function useQuestions(client: TaskBridgeClient, taskId: TaskIdOrNone): readonly ShownQuestion[];
export function useQuestions(first: TaskBridgeClient | TaskIdOrNone, second?: TaskIdOrNone): readonly ShownQuestion[] {
  const [client, taskId] = isClient(first) ? [first, second] : [undefined, first];
  return useObserved(client, taskId, questions, Object.is);
}
