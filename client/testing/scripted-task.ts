import {
  cancellationOf,
  decide,
  emptyAggregate,
  failureOf,
  fold,
  isTerminal,
  openSuspensions,
  progressOf,
  refusalCodes,
  stateOf,
  statusOf,
  type Aggregate,
  type Decision,
  type Intent,
  type ReportIntent,
} from '../../machines/index.ts';
import type {
  ActionStatus,
  CreateTaskRequest,
  Fact,
  JsonObject,
  SubmitActionRequest,
  TaskSnapshotResponse,
} from '../../machines/wire/index.ts';
import { TaskBridgeClientError } from '../errors.ts';

/** A task of the script: what the app asked for, and what a test makes of it. */
export interface ScriptedTask {
  readonly taskId: string;
  readonly taskType: string;
  readonly clientRequestId: string;
  /** As it was sent; `{}` where the task was started with files. */
  readonly input: JsonObject;
  /** Its facts so far. */
  readonly log: readonly Fact[];
  /** The answers that were accepted, in their order. */
  readonly answers: readonly SubmitActionRequest[];
  /**
   * Says what the work behind the task would say: `report.progress`, `report.suspended`, `report.completed` … The task's chart makes facts of
   * it, as on a server. Throws with code `INVALID_ARGUMENT` where the chart refuses, as it does after the end.
   */
  report(intent: ReportIntent): void;
}

/** The same, as the transports around it use it. */
export interface InnerScriptedTask extends ScriptedTask {
  readonly isOver: boolean;
  snapshot(): TaskSnapshotResponse;
  act(request: SubmitActionRequest): ActionStatus | 'TASK_NOT_FOUND' | 'ACTION_NOT_ALLOWED' | 'IDEMPOTENCY_CONFLICT';
  cancel(reason: string | undefined): 'CANCELLATION_REQUESTED' | 'ALREADY_TERMINAL';
  /** The facts after a cursor. */
  after(cursor: string | null): readonly Fact[];
  /** Calls back with each further fact; returns what ends that. */
  watch(listener: (fact: Fact) => void): () => void;
}

/** A task with an empty log, whose facts have the times that `now` gives. */
export function createScriptedTask(
  taskId: string,
  { taskType, clientRequestId, input = {} }: CreateTaskRequest,
  now: () => number,
): InnerScriptedTask {
  const log: Fact[] = [];
  const answers: SubmitActionRequest[] = [];
  const listeners = new Set<(fact: Fact) => void>();
  const createdAt = new Date(now()).toISOString();
  let aggregate: Aggregate = emptyAggregate;

  function commit(intent: Intent): Decision {
    const decision = decide(aggregate, intent);
    for (const { type, payload } of decision.facts) {
      const at = now();
      // A body is one of the union, and so is the fact that it becomes.
      const fact = { type, taskId, eventId: `${log.length + 1}-${at}`, createdAt: new Date(at).toISOString(), payload } as Fact;
      log.push(fact);
      aggregate = fold(aggregate, fact);
      for (const listener of [...listeners]) listener(fact);
    }
    return decision;
  }

  return {
    taskId,
    taskType,
    clientRequestId,
    input,
    log,
    answers,
    get isOver() {
      return isTerminal(aggregate.task);
    },
    report(intent) {
      const { refusal } = commit(intent);
      if (refusal) throw new TaskBridgeClientError('INVALID_ARGUMENT', `${taskId} takes no ${intent.type}: ${refusalCodes[refusal]}`);
    },
    act(request) {
      const { suspendId, clientActionId, actionType } = request;
      const known = answers.find((one) => one.clientActionId === clientActionId);
      const receipt = known && (JSON.stringify(known) === JSON.stringify(request) ? 'same' : 'different');
      const at = new Date(now()).toISOString();
      const { refusal } = commit({ type: 'action.submit', suspendId, clientActionId, actionType, at, ...(receipt && { receipt }) });
      if (!refusal) answers.push(request);
      // A chart refuses an action by these words only, and one of a question that was never asked.
      if (refusal === 'SUSPENSION_NOT_FOUND') return 'TASK_NOT_FOUND';
      return (refusal ?? 'ACCEPTED') as ActionStatus;
    },
    cancel(reason) {
      const { refusal } = commit({ type: 'task.cancel', ...(reason !== undefined && { reason }) });
      return refusal === 'ALREADY_TERMINAL' ? refusal : 'CANCELLATION_REQUESTED';
    },
    after: (cursor) => log.slice(Number(cursor?.split('-')[0] ?? 0)),
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    snapshot: () => snapshotOf(aggregate, log, { taskId, taskType, clientRequestId, createdAt }),
  };
}

/** What a server answers of a task. */
function snapshotOf(
  aggregate: Aggregate,
  log: readonly Fact[],
  about: Pick<TaskSnapshotResponse, 'taskId' | 'taskType' | 'clientRequestId' | 'createdAt'>,
): TaskSnapshotResponse {
  const { task, lastEventId } = aggregate;
  const last = log.at(-1);
  const failure = failureOf(task);
  const cancellation = cancellationOf(task);
  return {
    ...about,
    status: statusOf(task),
    state: stateOf(task),
    progress: progressOf(task),
    suspensions: openSuspensions(aggregate),
    ...(last?.type === 'TASK_COMPLETED' && { result: last.payload.result }),
    ...(failure && { failure }),
    ...(cancellation && { cancellation }),
    firstEventId: log[0]?.eventId ?? null,
    lastEventId,
    updatedAt: last?.createdAt ?? about.createdAt,
  };
}
