import type {
  ActionsOfType,
  DefinitionOf,
  OpenQuestion,
  PartName,
  SnapshotOf,
  StartInput,
  TaskContract,
  TaskResult,
  TaskTypeOf,
} from '../../machines/contract/index.ts';
import type { TaskListRequest, TaskListResponse } from '../../machines/lists/index.ts';
import type { CreateTaskResponse, SubmitActionResponse, TaskSnapshotResponse } from '../../machines/wire/index.ts';
import type { TaskBridgeClient } from '../client.ts';
import type { ActRequest, CommandOptions, RetryRequest, StartOptions, StartRequest } from '../commands/commands.ts';
import type { Observation, ObserveOptions } from '../observation/observation.ts';
import type { ObservationSnapshot, TaskView } from '../observation/snapshot.ts';

/** The id of a task whose type is known: a string that remembers it for the compiler. */
export type TaskIdOf<K extends string> = string & { readonly '~taskType': K };

/** What nobody has: wherever any client is asked for, one with types is taken, and nobody calls it without them. */
interface OfAnyClient {
  readonly '~client': 'any';
}

/** An input that may be empty may be left out. */
type InputField<I> = Record<never, never> extends I ? { readonly input?: I } : { readonly input: I };

/** What to start: a type of the contract, with its input. */
export type ContractStart<C, K extends TaskTypeOf<C>> = Omit<StartRequest, 'taskType' | 'input'> & {
  readonly taskType: K;
} & InputField<StartInput<DefinitionOf<C, K>>>;

/** An answer to a question of a type: the payload goes with the type of action. */
export type ContractAct<D> = Omit<ActRequest, 'actionType' | 'payload'> & ActionsOfType<D>;

/** A task of a type, folded from its log. */
export type ContractView<D> = Omit<TaskView, 'openSuspensions' | 'result'> & {
  /** The questions that wait for an answer, oldest first; `reasonCode` tells them apart. */
  readonly openSuspensions: readonly OpenQuestion<D>[];
  /** What it completed with; undefined before, and where it ended otherwise. */
  readonly result: TaskResult<D> | undefined;
};

/** One observation of a task of a type, at one moment. */
export type ContractSnapshot<D> = Omit<ObservationSnapshot, 'task'> & { readonly task: ContractView<D> };

/** A page of tasks of these types: `taskType` tells them apart. */
export interface ContractList<C, K extends TaskTypeOf<C>> extends Omit<TaskListResponse, 'tasks'> {
  readonly tasks: readonly { readonly [T in K]: SnapshotOf<DefinitionOf<C, T>> & { readonly taskType: T } }[K][];
}

/** One task of a type under observation. */
export type ContractObservation<D> = Omit<Observation, 'getSnapshot' | 'subscribe'> & {
  getSnapshot(): ContractSnapshot<D>;
  subscribe(listener: (snapshot: ContractSnapshot<D>) => void): ReturnType<Observation['subscribe']>;
  /** For the compiler alone: what parts there are, for `partOf`. */
  readonly '~parts': PartName<D>;
};

/**
 * The same client with the types of a contract: `createTaskBridgeClient<typeof tasks>({ … })`. Only for the compiler: no schema is loaded, and what
 * arrives is not checked here but was by the server. Where a task's type is not known by its id, name it: `client.observe<'report.build'>(id)`; else
 * it is one of all.
 */
export interface ContractClient<C extends TaskContract> extends Omit<
  TaskBridgeClient,
  'start' | 'retry' | 'act' | 'get' | 'list' | 'observe'
> {
  start<K extends TaskTypeOf<C>>(
    request: ContractStart<C, K>,
    options?: StartOptions,
  ): Promise<Omit<CreateTaskResponse, 'taskId'> & { readonly taskId: TaskIdOf<K> }>;
  /** Of any client. */
  start(request: StartRequest & OfAnyClient, options?: StartOptions): Promise<CreateTaskResponse>;
  retry<K extends TaskTypeOf<C> = TaskTypeOf<C>>(
    taskId: TaskIdOf<K> | string,
    request?: RetryRequest,
    options?: CommandOptions,
  ): Promise<Omit<CreateTaskResponse, 'taskId'> & { readonly taskId: TaskIdOf<K> }>;
  /** Of any client. */
  retry(taskId: string & OfAnyClient, request?: RetryRequest, options?: CommandOptions): Promise<CreateTaskResponse>;
  act<K extends TaskTypeOf<C> = TaskTypeOf<C>>(
    taskId: TaskIdOf<K> | string,
    request: ContractAct<DefinitionOf<C, K>>,
    options?: CommandOptions,
  ): Promise<SubmitActionResponse>;
  /** Of any client. */
  act(taskId: string, request: ActRequest & OfAnyClient, options?: CommandOptions): Promise<SubmitActionResponse>;
  get<K extends TaskTypeOf<C> = TaskTypeOf<C>>(
    taskId: TaskIdOf<K> | string,
    options?: CommandOptions,
  ): Promise<SnapshotOf<DefinitionOf<C, K>>>;
  /** Of any client. */
  get(taskId: string & OfAnyClient, options?: CommandOptions): Promise<TaskSnapshotResponse>;
  list<K extends TaskTypeOf<C> = TaskTypeOf<C>>(
    request?: Omit<TaskListRequest, 'type'> & { readonly type?: K | undefined },
    options?: CommandOptions,
  ): Promise<ContractList<C, K>>;
  /** Of any client. */
  list(request: TaskListRequest & OfAnyClient, options?: CommandOptions): Promise<TaskListResponse>;
  observe<K extends TaskTypeOf<C> = TaskTypeOf<C>>(
    taskId: TaskIdOf<K> | string,
    options?: ObserveOptions,
  ): ContractObservation<DefinitionOf<C, K>>;
  /** Of any client. */
  observe(taskId: string & OfAnyClient, options?: ObserveOptions): Observation;
}

/** The same client with the types of a contract: for one that somebody else made. */
export function withContract<C extends TaskContract>(client: TaskBridgeClient): ContractClient<C> {
  // Each of its verbs is the client's; what it is told apart by is for the compiler alone.
  return client as unknown as ContractClient<C>;
}
