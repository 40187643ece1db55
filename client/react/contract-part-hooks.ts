import type { DefinitionOf, PartName, TaskContract, TaskTypeOf } from '../../machines/contract/index.ts';
import type { TaskIdOf } from '../contract/index.ts';
import type { PartView } from '../parts/index.ts';
import { usePart, type ShownPartOptions } from './use-part.ts';
import type { TaskIdOrNone } from './use-task.ts';

/** The hook of parts with the names of a contract; see `usePart`. A type that the id does not tell is named: `usePart<'question.answer'>(id, 'answer')`. */
export interface ContractPartHooks<C> {
  usePart<K extends TaskTypeOf<C> = TaskTypeOf<C>>(
    taskId: TaskIdOf<K> | TaskIdOrNone,
    which: PartName<DefinitionOf<C, K>> | number,
    options?: ShownPartOptions,
  ): PartView | undefined;
}

/**
 * Gives the hook of parts with the names of a contract, once for an app: `export const { usePart } = contractPartHooks<typeof tasks>()`. Apart from the other hooks, so that a page which
 * shows no parts loads none.
 */
export function contractPartHooks<C extends TaskContract>(): ContractPartHooks<C> {
  // The same hook: what it is told apart by is for the compiler alone.
  return { usePart } as unknown as ContractPartHooks<C>;
}
