'use client';
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
export { actionsOf, type FieldKind, type ShownQuestion, type QuestionAction, type QuestionField } from './question-fields.ts';
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
export { TaskQuestion, type TaskQuestionProps } from './task-question.ts';
export { useMessages, type MessagesOptions, type TaskMessage, type UsedMessages } from './use-messages.ts';
export { useOutbox, type UsedOutbox } from './use-outbox.ts';
export { contractPartHooks, type ContractPartHooks } from './contract-part-hooks.ts';
export { usePart, type FrameScheduler, type ShownPartOptions } from './use-part.ts';
export { useQuestionForm, type AnswerState, type FormField, type QuestionForm, type QuestionFormOptions } from './use-question-form.ts';
export { useQuestions } from './use-questions.ts';
export { useSuspenseTask, type KnownTask } from './use-suspense-task.ts';
export type { TaskListSnapshot } from './task-list.ts';
export { useTasks, type ListedTasks, type UsedTasks } from './use-tasks.ts';
