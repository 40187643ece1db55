import { createActor, type Actor, type ActorLogic, type AnyActorRef } from 'xstate';
import type { JsonObject } from '../../machines/wire/index.ts';
import { freshId, platformChance } from '../clock.ts';
import { TaskBridgeClientError, type ActRequest, type Observation, type ObservationSnapshot, type TaskBridgeClient } from '../index.ts';
import {
  changed,
  firstSnapshot,
  observed,
  persisted,
  restored,
  type RefusedCommand,
  type TaskLogicInput,
  type TaskLogicSnapshot,
} from './task-snapshot.ts';

/** What an actor of a task is told. */
export type TaskLogicEvent =
  /** Answers a question. */
  | ({ readonly type: 'task.act' } & ActRequest)
  /** Wishes the task to end. */
  | { readonly type: 'task.cancel'; readonly reason?: string };

/** The logic of an actor that is a task. */
export type TaskLogic<Result> = ActorLogic<
  TaskLogicSnapshot<Result>,
  TaskLogicEvent,
  TaskLogicInput,
  AnyActorRef['system'],
  RefusedCommand
>;

/** How a task is shown. */
export interface FromTaskOptions<Result> {
  /** Reads the result: a schema's `parse`, for one. What it throws is the actor's error. Defaults to passing on what the task ended with. */
  readonly result?: (value: unknown) => Result;
}

type Client = Pick<TaskBridgeClient, 'start' | 'act' | 'cancel' | 'observe'>;

/** What the actor tells itself. */
type InnerEvent =
  | { readonly type: 'xstate.stop' }
  | { readonly type: 'task.started'; readonly taskId: string }
  | { readonly type: 'task.observed'; readonly snapshot: ObservationSnapshot; readonly isLast: boolean }
  | { readonly type: 'task.lost'; readonly error: unknown }
  | RefusedCommand;

/** What an actor holds while it runs. */
interface Running {
  readonly abort: AbortController;
  /** Resolves when the task has an id. */
  readonly taskId: Promise<string>;
  observation: Observation | undefined;
  tell(event: InnerEvent): void;
}

/**
 * A task as actor logic, for `invoke` and `spawn` of XState: it starts the task or joins one, shows it, takes `task.act` and `task.cancel`, and is
 * done when the task is completed, with its result. Its error is a {@link TaskBridgeClientError}: `TASK_FAILED` or `TASK_CANCELLED` with why in
 * `details`, `TASK_NOT_FOUND`, or whatever else ended the observation. What comes to nothing is emitted as `refused`, and shown.
 *
 * Leaving the state closes the connection; the task goes on. A persisted actor goes on from the last fact that it showed.
 */
export function fromTask<Result = unknown>(client: Client, options: FromTaskOptions<Result> = {}): TaskLogic<Result> {
  const running = new WeakMap<AnyActorRef, Running>();

  return {
    getInitialSnapshot: (_scope, input) => firstSnapshot(identified(input)),
    getPersistedSnapshot: persisted,
    restoreSnapshot: (stored) => restored(stored),
    start(snapshot, { self }) {
      if (snapshot.status !== 'active') return;
      const tell = (event: InnerEvent): void => {
        // Of one that was stopped, and started anew, nobody wants to hear.
        if (running.get(self) === mine) self.send(event as never);
      };
      const mine = begin(client, snapshot, tell);
      running.set(self, mine);
      // A promise cannot have been kept before `mine` is known.
      mine.taskId.then(
        (taskId) => running.get(self) === mine && watch(client, taskId, snapshot, mine),
        (error: unknown) => tell({ type: 'task.lost', error }),
      );
    },
    transition(snapshot, event: TaskLogicEvent | InnerEvent, { self, emit, defer }) {
      const mine = running.get(self);
      const end = (last: TaskLogicSnapshot<Result>, parts: Parameters<typeof changed>[1]): TaskLogicSnapshot<Result> => {
        running.delete(self);
        mine?.abort.abort();
        mine?.observation?.close();
        return changed(last, parts);
      };
      switch (event.type) {
        case 'xstate.stop':
          return end(snapshot, { status: 'stopped' });
        case 'task.started':
          return changed(snapshot, { value: 'accepted', context: { ...snapshot.context, taskId: event.taskId } });
        case 'task.lost':
          return end(snapshot, { status: 'error', error: event.error });
        case 'task.observed': {
          const next = observed(snapshot, event.snapshot);
          return event.isLast ? end(next, endingOf(event.snapshot, options)) : next;
        }
        case 'refused':
          defer(() => emit(event));
          return changed(snapshot, { context: { ...snapshot.context, refused: event } });
        case 'task.act':
        case 'task.cancel':
          if (mine) defer(() => void command(client, event, snapshot.input, mine));
          return snapshot.context.refused ? changed(snapshot, { context: { ...snapshot.context, refused: null } }) : snapshot;
        default:
          // XState's own, and what a machine passes on to all of its actors.
          return snapshot;
      }
    },
  };
}

/** A task as a running actor of its own: `createActor(fromTask(client), …)`, started. Stop it to close its connection. */
export function taskActor<Result = unknown>(
  client: Client,
  input: string | TaskLogicInput,
  options?: FromTaskOptions<Result>,
): Actor<TaskLogic<Result>> {
  return createActor(fromTask(client, options), { input: typeof input === 'string' ? { taskId: input } : input }).start();
}

/** With the id that makes a repeated start the same one. */
function identified(input: TaskLogicInput): TaskLogicInput {
  return 'start' in input ? { ...input, start: { clientRequestId: freshId(platformChance), ...input.start } } : input;
}

function begin(client: Client, { input, context: { taskId } }: TaskLogicSnapshot<unknown>, tell: Running['tell']): Running {
  const abort = new AbortController();
  const { signal } = abort;
  const started = async (): Promise<string> => {
    if (taskId !== null || !('start' in input)) return taskId ?? ('taskId' in input ? input.taskId : '');
    const answer = await client.start(input.start, { signal, ...(input.context && { context: input.context }) });
    tell({ type: 'task.started', taskId: answer.taskId });
    return answer.taskId;
  };
  return { abort, taskId: started(), observation: undefined, tell };
}

function watch(client: Client, taskId: string, { input, context: { task } }: TaskLogicSnapshot<unknown>, mine: Running): void {
  const { tell } = mine;
  try {
    const observation = client.observe(taskId, {
      ...(input.context && { context: input.context }),
      ...(task.lastEventId !== null && { lastEventId: task.lastEventId }),
    });
    mine.observation = observation;
    const show = (isLast: boolean): void => tell({ type: 'task.observed', snapshot: observation.getSnapshot(), isLast });
    observation.subscribe({
      next: () => show(false),
      error: (error) => tell({ type: 'task.lost', error }),
      complete: () => show(true),
    });
  } catch (error) {
    tell({ type: 'task.lost', error });
  }
}

/** How an actor ends with what its observation showed last. */
function endingOf<R>({ task, connection }: ObservationSnapshot, { result }: FromTaskOptions<R>): Parameters<typeof changed>[1] {
  const lost = (code: string, message: string, details: object = {}) => ({
    status: 'error' as const,
    error: new TaskBridgeClientError(code, message, { details: { ...details } as JsonObject }),
  });
  const { state, failure, cancellation } = task;
  switch (state) {
    case 'completed':
      try {
        return { status: 'done', output: result ? result(task.result) : task.result };
      } catch (error) {
        return { status: 'error', error };
      }
    case 'failed':
      return lost('TASK_FAILED', failure?.message ?? 'The task failed.', failure ?? {});
    case 'cancelled':
      return lost('TASK_CANCELLED', cancellation?.reason ?? 'The task was cancelled.', cancellation ?? {});
    default:
      // Its client was closed.
      return { status: 'error', error: connection.error ?? new TaskBridgeClientError('CLOSED', 'The observation was closed.') };
  }
}

/** Sends a command when the task has an id, and tells where it came to nothing. */
async function command(
  client: Client,
  event: TaskLogicEvent,
  { context }: TaskLogicInput,
  { abort, taskId, tell }: Running,
): Promise<void> {
  const { type } = event;
  const options = { signal: abort.signal, ...(context && { context }) };
  const refuse = (code: string, message: string): void =>
    tell({ type: 'refused', code, message, command: { type, ...('suspendId' in event && { suspendId: event.suspendId }) } });
  // Where it comes to have none, the actor ends with that error.
  const id = await taskId.catch(() => undefined);
  if (id === undefined) return;
  try {
    const { status } = await sent(client, id, event, options);
    if (status !== 'ACCEPTED' && status !== 'DEDUPLICATED' && status !== 'CANCELLATION_REQUESTED')
      refuse(status, `The server answered ${type} with ${status}.`);
  } catch (error) {
    if (error instanceof TaskBridgeClientError) refuse(error.code, error.message);
    else tell({ type: 'task.lost', error });
  }
}

function sent(client: Client, taskId: string, event: TaskLogicEvent, options: object): Promise<{ readonly status: string }> {
  if (event.type === 'task.cancel') return client.cancel(taskId, event.reason, options);
  const { type: _, ...request } = event;
  return client.act(taskId, request, options);
}
