import type { TaskSettings } from '../task/settings.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { UnitOfWork } from '../task/unit-of-work.ts';

/** What became of a claim from outside. */
export type WorkerClaim =
  /** A new attempt, for whoever claimed, in what is recorded of it; `closed` are the questions that had ended before. */
  | ({ readonly status: 'claimed'; readonly closed: readonly string[] } & Pick<TaskRecord, 'about' | 'execution'>)
  /** There is nothing left to do. */
  | { readonly status: 'ended' }
  /** It runs in a node's own process. */
  | { readonly status: 'held'; readonly node: string }
  /** It is of another type than whoever claims takes it for. */
  | { readonly status: 'other type'; readonly taskType: string };

/** Stands where a node does, within one commit: what an outside system keeps is no node's. */
const OUTSIDE = 'outside';

/**
 * Claims a new attempt for a run that begins outside of all nodes, in one commit: whoever had the work before is fenced, and what it reports from then on
 * is refused, whether it lives or not. A task that is to stop ends: whoever would be told is gone, or never began.
 */
export function claimForWorker(unit: UnitOfWork, { startWithinMs, inspectMs }: TaskSettings, taskType: string | undefined): WorkerClaim {
  const { attempt } = unit.execution;
  const { node, retryAt } = attempt.context;
  if (taskType !== undefined && taskType !== unit.about.taskType) return { status: 'other type', taskType: unit.about.taskType };
  if (unit.execution.endedAt !== null) return { status: 'ended' };
  if (node !== null && attempt.hasTag('begun')) return { status: 'held', node };
  const isKeptOutside = attempt.hasTag('claimed') && node === null;
  // With this ends a task that was to stop.
  unit.record({ type: 'attempt.lost', crashed: false, retryAt: unit.now, restUntil: unit.now });
  if (unit.execution.endedAt !== null) return { status: 'ended' };
  unit.record({ type: 'attempt.claimed', node: OUTSIDE, startBy: unit.now + startWithinMs });
  // Where the node that asked for a start has not noted it yet, only its executor knows whether it can be inspected: asked once, it says.
  unit.record({ type: 'attempt.started', keptOutside: true, retryAt: isKeptOutside ? retryAt : unit.now + inspectMs });
  const closed = [...unit.aggregate.suspensions].flatMap(([suspendId, { value }]) => (value === 'open' ? [] : [suspendId]));
  return { status: 'claimed', about: unit.about, execution: unit.execution, closed };
}
