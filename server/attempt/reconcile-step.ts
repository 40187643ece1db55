import { retryDelayMs, type RetryPolicy } from '../../machines/index.ts';
import type { FactPayload } from '../../machines/wire/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { StopOrder, TaskExecutor } from '../ports/executor.ts';
import type { RecordWriter } from '../observability/record-writer.ts';
import type { Logger } from '../ports/observability.ts';
import type { Tracer } from '../ports/tracing.ts';
import type { HeldBack } from '../shares/held-back.ts';
import type { UnitOfWork } from '../task/unit-of-work.ts';
import type { TaskSettings } from '../task/settings.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { AttemptEvent } from './attempt.machine.ts';
import type { CallKind } from './executor-calls.ts';
import type { OverLease } from './lease-monitor.ts';
import type { Tally } from './reconcile-counts.ts';
import type { RunningAttempts } from './running-attempts.ts';
import type { StopOrders } from './stop-orders.ts';
import type { Rooms } from './rooms.ts';
import type { WorkDeps } from './work.ts';

/** Whose turn it is of the work whose last run crashed its process: few at a time, so that one that does it again takes few with it. */
export interface Suspects {
  /** Lets a task begin, or gives false and remembers it. One that was let begin may. */
  take(state: TaskRecord): boolean;
  /** There is no room for it: remembers it. */
  wait(state: TaskRecord): void;
  /** It does not begin, or does not run any more. */
  free(taskId: string): void;
}

/** What reconcile steps work with. */
export interface ReconcileDeps extends WorkDeps {
  readonly nodeId: string;
  readonly executors: readonly TaskExecutor[];
  readonly running: RunningAttempts;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absent where nobody traces. */
  readonly tracer?: Tracer | undefined;
  readonly records: RecordWriter;
  readonly settings: TaskSettings;
  readonly rooms: Rooms;
  readonly suspects: Suspects;
  readonly stops: Pick<StopOrders, 'give' | 'withdraw'>;
  readonly heldBack: HeldBack;
  /** True where a node holds the newest attempt that is known to be gone. */
  isLeaseOver(state: TaskRecord): boolean;
  /** The lease by which it is gone, to be named by the commit that gives its work up; undefined where that is a date. */
  leaseOf(state: TaskRecord): OverLease | undefined;
  /** What the task was created with, as it was written, where that was a moment ago and here; else it is read. */
  readonly content?: string | undefined;
  /** Asks an executor for something: so many at once, and each for so long. What has no answer in time rejects, and may still happen. */
  call<T>(executor: TaskExecutor, ask: () => Promise<T>, kind?: CallKind): Promise<T>;
}

/** What reconciling a task found out on its way. */
export interface ReconcileResult {
  /** The failure that an executor refused to start with. */
  refused?: FactPayload<'TASK_FAILED'>;
  /** Ends of questions that were handed to the work. */
  delivered?: readonly string[];
  /** What was done on the way. */
  readonly tally: Tally;
}

/**
 * One thing that may have to be done for a task. Does it and gives true, or gives false where there is nothing of its kind to do now. Decides from
 * the record that it is given and again inside the commit, so that doing it twice, or on two nodes, does no harm.
 */
export type ReconcileStep = (state: TaskRecord, deps: ReconcileDeps, result: ReconcileResult) => boolean | Promise<boolean>;

/** The longest rest between two tries of an effect, as a multiple of the first and in milliseconds. */
const EFFECT_REST_MAX = { times: 32, ms: 30_000 };

/** The executor that runs tasks of a type on this node, if one does. */
export function executorOf({ executors }: Pick<ReconcileDeps, 'executors'>, taskType: string): TaskExecutor | undefined {
  return executors.find((executor) => executor.handles(taskType));
}

/** True where this node holds the newest attempt. */
export function isOurs({ execution }: TaskRecord, { nodeId }: Pick<ReconcileDeps, 'nodeId'>): boolean {
  return execution.attempt.context.node === nodeId;
}

/** True where this node can notify the work of something: it runs here, or an outside system keeps it. */
export function isReachable(state: TaskRecord, deps: ReconcileDeps): boolean {
  const executor = executorOf(deps, state.about.taskType);
  return executor !== undefined && (!executor.leased || deps.running.attemptOf(state.about.taskId) !== undefined);
}

/** Records an event for the attempt that a step has seen; nothing where another node's has taken its place meanwhile. */
export function recordFor({ execution }: TaskRecord, event: AttemptEvent): (unit: UnitOfWork) => boolean {
  const { attempt } = execution.attempt.context;
  return (unit) => unit.execution.attempt.context.attempt === attempt && unit.record(event);
}

/** How often an effect on the outside is tried: for as long as it has to be done, which other limits end. */
export function effectRetry({ effectRetryMs }: TaskSettings): RetryPolicy {
  const maxMs = Math.min(effectRetryMs * EFFECT_REST_MAX.times, EFFECT_REST_MAX.ms);
  return { baseMs: effectRetryMs, maxMs, triesMax: Infinity, jitter: 0 };
}

/** The pause before an effect is tried again that was tried again that often before. */
export function pauseMs({ settings }: Pick<ReconcileDeps, 'settings'>, retry: number): number {
  return retryDelayMs(effectRetry(settings), retry);
}

/** Has an executor stop an attempt. */
export async function orderStop({ about }: TaskRecord, attempt: number, order: StopOrder, deps: ReconcileDeps): Promise<void> {
  const executor = executorOf(deps, about.taskType);
  if (executor) await deps.call(executor, () => executor.cancel({ taskId: about.taskId, attempt }, order));
}
