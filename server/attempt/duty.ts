import { retryDelayMs, type FactPayload, type RetryPolicy } from '../../machines/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { StopOrder, TaskExecutor } from '../ports/executor.ts';
import type { Logger } from '../ports/observability.ts';
import type { Draft } from '../task/draft.ts';
import type { TaskSettings } from '../task/settings.ts';
import type { TaskState } from '../task/task-state.ts';
import type { AttemptEvent } from './attempt.machine.ts';
import type { Holdings } from './holdings.ts';
import { within } from './time-limit.ts';
import type { WorkContext } from './work.ts';

/** What duties are done with. */
export interface DutyContext extends WorkContext {
  readonly nodeId: string;
  readonly executors: readonly TaskExecutor[];
  readonly holdings: Holdings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: TaskSettings;
}

/** What a visit found out on its way. */
export interface Visited {
  /** The failure that an executor refused to start with. */
  refused?: FactPayload<'TASK_FAILED'>;
}

/**
 * One thing that may be owed to a task. Does it and gives true, or gives false where it is not owed now. Decides from the state that it is
 * given and again inside the commit, so that doing it twice, or on two nodes, does no harm.
 */
export type Duty = (state: TaskState, context: DutyContext, visited: Visited) => Promise<boolean>;

/** When the lease of work on an exclusive store ends: never, in the range of a date. */
const FOREVER = 8_640_000_000_000_000;
/** The longest rest between two tries of an effect, as a multiple of the first and in milliseconds. */
const EFFECT_REST_MAX = { times: 32, ms: 30_000 };

/** The executor that runs tasks of a type on this node, if one does. */
export function executorOf({ executors }: Pick<DutyContext, 'executors'>, taskType: string): TaskExecutor | undefined {
  return executors.find((executor) => executor.handles(taskType));
}

/** When a lease that is taken or renewed now ends. */
export function leaseUntil({ store, time, settings }: Pick<DutyContext, 'store' | 'time' | 'settings'>): number {
  return store.exclusive ? FOREVER : time.now() + settings.leaseMs;
}

/** True where this node holds the newest attempt. */
export function isOurs({ ledger }: TaskState, { nodeId }: Pick<DutyContext, 'nodeId'>): boolean {
  return ledger.attempt.context.node === nodeId;
}

/** True where the newest attempt has a lease and its holder is gone. A store that one process owns has no living holder but this one. */
export function isLeaseOver(state: TaskState, context: DutyContext): boolean {
  const { leaseUntil: until } = state.ledger.attempt.context;
  return until !== null && (until <= context.time.now() || (context.store.exclusive && !isOurs(state, context)));
}

/** True where this node can tell the work something: it holds it, or an outside system does. */
export function isReachable(state: TaskState, context: DutyContext): boolean {
  const executor = executorOf(context, state.about.taskType);
  return executor !== undefined && (!executor.leased || context.holdings.attemptOf(state.about.taskId) !== undefined);
}

/** Enters an event for the attempt that a duty has seen; nothing where another node's has taken its place meanwhile. */
export function enterFor({ ledger }: TaskState, event: AttemptEvent): (draft: Draft) => boolean {
  const { attempt } = ledger.attempt.context;
  return (draft) => draft.ledger.attempt.context.attempt === attempt && draft.enter(event);
}

/** How often an effect on the outside is tried: for as long as it is owed, which other limits end. */
export function effectRetry({ effectRetryMs }: TaskSettings): RetryPolicy {
  const maxMs = Math.min(effectRetryMs * EFFECT_REST_MAX.times, EFFECT_REST_MAX.ms);
  return { baseMs: effectRetryMs, maxMs, triesMax: Infinity, jitter: 0 };
}

/** The pause before an effect is tried again that was tried again that often before. */
export function pauseMs({ settings }: Pick<DutyContext, 'settings'>, retry: number): number {
  return retryDelayMs(effectRetry(settings), retry);
}

/** Tells work to stop. */
export async function tellToStop({ about }: TaskState, attempt: number, order: StopOrder, context: DutyContext): Promise<void> {
  const executor = executorOf(context, about.taskType);
  if (executor) await within(context, context.settings.executorTimeoutMs, executor.cancel({ taskId: about.taskId, attempt }, order));
}
