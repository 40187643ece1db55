import type { ActionsOfType, DefinitionOf, SnapshotOf, TaskContract, TaskTypeOf } from '../../machines/contract/index.ts';
import type { SubmitActionResponse } from '../../machines/wire/index.ts';
import type { ContractSnapshot, ContractStart, ContractView, TaskIdOf } from '../contract/index.ts';
import { useQuestions } from './use-questions.ts';
import { useStartTask, type StartTask } from './use-start-task.ts';
import { useSuspenseTask } from './use-suspense-task.ts';
import { useTasks, type ListedTasks, type UsedTasks } from './use-tasks.ts';
import { useTask, useTaskActions, useTaskSelector, type TaskActions, type TaskIdOrNone, type UsedTask } from './use-task.ts';

/** The id of a task of a type, or of one that is not known by it. */
type IdOf<K extends string> = TaskIdOf<K> | TaskIdOrNone;
/** What goes with an action: its payload, which may be left out where it may be empty. */
type PayloadOf<D, A> =
  Extract<ActionsOfType<D>, { readonly actionType: A }> extends { readonly payload: infer P }
    ? readonly [payload: P]
    : Extract<ActionsOfType<D>, { readonly actionType: A }> extends { readonly payload?: infer P }
      ? readonly [payload?: P]
      : never;

/** What a component does about a task of a type; see {@link TaskActions}. */
export interface ContractActions<D> extends Pick<TaskActions, 'cancel' | 'remove' | 'retry'> {
  act<A extends ActionsOfType<D>['actionType']>(
    question: string | { readonly suspendId: string },
    actionType: A,
    ...payload: PayloadOf<D, A>
  ): Promise<SubmitActionResponse>;
}

/** A task of a type on a page. */
export type ContractTaskOnPage<D> = Omit<UsedTask, 'task' | 'act'> & ContractActions<D> & { readonly task: ContractView<D> };

/** A start on a page, of a type of the contract. */
export type ContractStartTask<C> = Omit<StartTask, 'start'> & {
  readonly start: <K extends TaskTypeOf<C>>(request: ContractStart<C, K>) => Promise<string | null>;
};

/** The hooks with the types of a contract. Each uses the client of the provider; a type that the id does not tell is named: `useTask<'report.build'>(id)`. */
export interface ContractHooks<C> {
  useTask<K extends TaskTypeOf<C> = TaskTypeOf<C>>(taskId: IdOf<K>): ContractTaskOnPage<DefinitionOf<C, K>>;
  useTaskSelector<T, K extends TaskTypeOf<C> = TaskTypeOf<C>>(
    taskId: IdOf<K>,
    selector: (snapshot: ContractSnapshot<DefinitionOf<C, K>>) => T,
    isEqual?: (a: T, b: T) => boolean,
  ): T;
  useTaskActions<K extends TaskTypeOf<C> = TaskTypeOf<C>>(taskId: IdOf<K>): ContractActions<DefinitionOf<C, K>>;
  useStartTask(): ContractStartTask<C>;
  useSuspenseTask<K extends TaskTypeOf<C> = TaskTypeOf<C>>(
    taskId: TaskIdOf<K> | string,
  ): ContractTaskOnPage<DefinitionOf<C, K>> & { readonly known: 'known' };
  useTasks<K extends TaskTypeOf<C> = TaskTypeOf<C>>(
    request?: Omit<ListedTasks, 'type'> & { readonly type?: K },
  ): Omit<UsedTasks, 'tasks'> & { readonly tasks: readonly SnapshotOf<DefinitionOf<C, K>>[] };
  useQuestions<K extends TaskTypeOf<C> = TaskTypeOf<C>>(taskId: IdOf<K>): ContractTaskOnPage<DefinitionOf<C, K>>['task']['openSuspensions'];
}

/** Gives the hooks with the types of a contract, once for an app: `export const { useTask, useStartTask } = contractHooks<typeof tasks>()`. */
export function contractHooks<C extends TaskContract>(): ContractHooks<C> {
  // The same hooks: what they are told apart by is for the compiler alone.
  return { useTask, useTaskSelector, useTaskActions, useStartTask, useSuspenseTask, useTasks, useQuestions } as unknown as ContractHooks<C>;
}
