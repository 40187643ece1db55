import type { Snapshot } from 'xstate';
import {
  idleSnapshot,
  TaskBridgeClientError,
  type CallContext,
  type ConnectionView,
  type Known,
  type StartRequest,
  type TaskView,
} from '../index.ts';
import type { ObservationSnapshot } from '../index.ts';

/** Where the task of an actor is: the state of its chart, or `starting` as long as it has no id. */
export type TaskLogicState = TaskView['state'] | 'starting';

/** The tags of the task's chart; all of its states but `joined` have a plain meaning by them. */
export type TaskLogicTag = 'open' | 'waiting' | 'partial' | 'terminal';

/** What an actor is told to show: a task that is there, or one that it starts. */
export type TaskLogicInput = (
  | { readonly taskId: string }
  /** Without files: what is kept of the actor is JSON. Its `clientRequestId` is kept too, so that it starts one task however often it begins. */
  | { readonly start: Omit<StartRequest, 'attachments'> }
) & {
  /** Handed to `auth`, `routes` and `listener`; JSON where the actor is to be persisted. */
  readonly context?: CallContext;
};

/** A command that came to nothing. */
export interface RefusedCommand {
  readonly type: 'refused';
  /** Of the answer (`REJECTED_EXPIRED`, …), else of the error. */
  readonly code: string;
  readonly message: string;
  /** The type of what was sent, and the question that it was for. */
  readonly command: { readonly type: string; readonly suspendId?: string };
}

/** What an actor shows of its task. */
export interface TaskLogicContext {
  /** Null as long as it is not started. */
  readonly taskId: string | null;
  /** The task, without its charts: plain JSON. */
  readonly task: Omit<TaskView, 'aggregate'>;
  readonly connection: Omit<ConnectionView, 'error'>;
  readonly known: Known;
  /** What was refused last, until something is sent again. */
  readonly refused: RefusedCommand | null;
}

/** An actor of a task at one moment. `JSON.stringify` gives what it can be restored from. */
export type TaskLogicSnapshot<Result> = Snapshot<Result> & {
  readonly value: TaskLogicState;
  readonly tags: ReadonlySet<TaskLogicTag>;
  readonly context: TaskLogicContext;
  /** What it was told, with the ids that it is told apart by. */
  readonly input: TaskLogicInput;
  matches(state: TaskLogicState): boolean;
  hasTag(tag: TaskLogicTag): boolean;
  toJSON(): Snapshot<unknown>;
};

/** The plain parts of a snapshot. */
type Parts = Pick<TaskLogicSnapshot<unknown>, 'status' | 'output' | 'error' | 'value' | 'context' | 'input'> & {
  readonly tags: readonly TaskLogicTag[];
};

/** An error as JSON. */
interface StoredError {
  readonly code: string;
  readonly message: string;
  readonly codeFrom: 'server' | 'client';
  readonly details: TaskBridgeClientError['details'];
}

/** What an actor shows before anything has come. */
export function firstSnapshot<R>(input: TaskLogicInput): TaskLogicSnapshot<R> {
  const taskId = 'taskId' in input ? input.taskId : null;
  const { task, connection, known } = idleSnapshot(taskId ?? '');
  const context = { taskId, task: plain(task), connection, known, refused: null };
  const value = taskId === null ? 'starting' : task.state;
  return snapshotOf({ status: 'active', output: undefined, error: undefined, value, tags: ['open'], context, input });
}

/** The next snapshot, with what an observation shows. Until that knows the task, what was known before is shown. */
export function observed<R>(before: TaskLogicSnapshot<R>, { task, connection, known }: ObservationSnapshot): TaskLogicSnapshot<R> {
  const { error: _, ...connected } = connection;
  const isBehind = before.context.known === 'known' && (known !== 'known' || task.partial);
  if (isBehind) return changed(before, { context: { ...before.context, connection: connected } });
  const { context } = before;
  return changed(before, {
    value: task.state,
    // The chart's own.
    tags: [...task.aggregate.task.tags] as TaskLogicTag[],
    context: { ...context, task: plain(task), connection: connected, known },
  });
}

/** The next snapshot, where a few of its parts are others. */
export function changed<R>(before: TaskLogicSnapshot<R>, parts: Partial<Parts>): TaskLogicSnapshot<R> {
  const { status, output, error, value, context, input, tags } = before;
  return snapshotOf({ status, output, error, value, context, input, tags: [...tags], ...parts });
}

/** What can be stored of a snapshot. */
export function persisted({ status, output, error, value, tags, context, input }: TaskLogicSnapshot<unknown>): Snapshot<unknown> {
  // XState keeps an error as it is; of ours, its fields are more than a message.
  const kept = error instanceof TaskBridgeClientError ? storedOf(error) : error;
  return { status, output, error: kept, value, tags: [...tags], context, input } as unknown as Snapshot<unknown>;
}

/** The snapshot that was stored; what was connected then is not. */
export function restored<R>(stored: Snapshot<unknown>): TaskLogicSnapshot<R> {
  const { error, context, ...parts } = stored as unknown as Parts;
  const { connection } = idleSnapshot('');
  const isOurs = typeof error === 'object' && error !== null && 'code' in error;
  return snapshotOf({
    ...parts,
    error: isOurs ? errorOf(error as StoredError) : error,
    context: { ...context, connection: parts.status === 'active' ? connection : context.connection },
  });
}

function snapshotOf<R>({ tags, ...parts }: Parts): TaskLogicSnapshot<R> {
  const snapshot = {
    ...parts,
    tags: new Set(tags),
    matches: (state: TaskLogicState) => state === parts.value,
    hasTag: (tag: TaskLogicTag) => tags.includes(tag),
    toJSON: () => persisted(snapshot),
    // Status, output and error go together where they are set.
  } as TaskLogicSnapshot<R>;
  return snapshot;
}

function plain({ aggregate: _, ...task }: TaskView): TaskLogicContext['task'] {
  return task;
}

function storedOf({ code, message, codeFrom, details }: TaskBridgeClientError): StoredError {
  return { code, message, codeFrom, details };
}

function errorOf({ code, message, codeFrom, details }: StoredError): TaskBridgeClientError {
  return new TaskBridgeClientError(code, message, { codeFrom, details });
}
