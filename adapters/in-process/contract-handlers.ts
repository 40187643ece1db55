import type {
  ActionTypeOf,
  AnswerOf,
  AskedQuestion,
  DefinitionOf,
  PartName,
  QuestionKey,
  QuestionOf,
  TaskContract,
  TaskTypeOf,
  WorkInput,
  WorkResult,
} from '../../machines/contract/index.ts';
import type { PartOptions, PartStream, Task, ValueOptions, ValueStream } from './handler.ts';

/** The task of a type as its handler sees it: the same as {@link Task}, with the types of its contract. */
export interface HandledTask<D> extends Omit<Task, 'input' | 'suspend' | 'stream'> {
  /** What the task was created with, as the schema made it then; a schema that has changed since does not change it. */
  readonly input: WorkInput<D>;
  /**
   * Asks a question of the contract, and resolves with the accepted action. The key is its name, or one of several: `duplicates:2`. What an action's
   * schema made of its payload when it was accepted is what is handed over. Rejects as {@link Task} says.
   */
  suspend<K extends QuestionKey<D>, A extends ActionTypeOf<QuestionOf<D, K>> = ActionTypeOf<QuestionOf<D, K>>>(
    key: K,
    question: AskedQuestion<QuestionOf<D, K>, A>,
  ): Promise<AnswerOf<QuestionOf<D, K>, A>>;
  /** Opens a part, as {@link Task} says: where the contract names parts one of these, of the kind that it has there. */
  readonly stream: D extends { readonly parts: unknown }
    ? <N extends PartName<D>>(name: N, options?: ContractPartOptions<D, N>) => ContractPartStream<D, N>
    : Task['stream'];
}

type PartKindIn<D, N extends string> = D extends { readonly parts: { readonly [K in N]: infer Kind } } ? Kind : never;
/** How a part of a contract is opened, but for its kind, which the contract says. */
export type ContractPartOptions<D, N extends string> = Omit<PartKindIn<D, N> extends 'latest' ? ValueOptions : PartOptions, 'kind'>;
/** What a part of a contract is written with: a value that is replaced, or a text. */
export type ContractPartStream<D, N extends string> = PartKindIn<D, N> extends 'latest' ? ValueStream : PartStream;

/** Does the work of one type of a contract. What it returns has to fit the schema of the result, or the task fails. */
export type ContractHandler<D> = (task: HandledTask<D>) => Promise<WorkResult<D>>;

/** The handlers of a contract: one for each of its types, and none besides. */
export type ContractHandlers<C> = {
  readonly [K in TaskTypeOf<C>]:
    | ContractHandler<DefinitionOf<C, K>>
    | {
        readonly run: ContractHandler<DefinitionOf<C, K>>;
        /** As without a contract. */
        readonly repeatable?: boolean;
      };
};

/** Throws a `TypeError` where a type has no handler, or a handler no type. */
export function assertHandlers({ types }: TaskContract, handlers: unknown): void {
  const given = typeof handlers === 'object' && handlers !== null ? (handlers as Readonly<Record<string, unknown>>) : {};
  for (const taskType of Object.keys(types)) {
    const entry = Object.hasOwn(given, taskType) ? given[taskType] : undefined;
    const run = typeof entry === 'object' && entry !== null ? (entry as { readonly run?: unknown }).run : entry;
    if (typeof run !== 'function') throw new TypeError(`The type ${JSON.stringify(taskType)} of the contract has no handler: give one.`);
  }
  const foreign = Object.keys(given).find((taskType) => !Object.hasOwn(types, taskType));
  if (foreign !== undefined)
    throw new TypeError(
      `The handler ${JSON.stringify(foreign)} is of no type of the contract, which has ${Object.keys(types).join(', ') || 'none'}.`,
    );
}
