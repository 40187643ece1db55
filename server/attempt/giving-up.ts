import { retryDelayMs, type RetryPolicy } from '../../machines/index.ts';
import type { FactPayload } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { UnitOfWork } from '../task/unit-of-work.ts';
import type { ExecutionRecord } from './execution-record.ts';
import type { OverLease } from './lease-monitor.ts';
import { executorOf, type ReconcileDeps } from './reconcile-step.ts';
import { failureFor, workDue } from './work-order.ts';

/** Which work is given up, and why. */
export interface GivingUp {
  /** The attempt, the node that holds it, the date of its lease; nothing is done where another has taken the place of one of them. */
  readonly of: { readonly attempt?: number; readonly node?: string; readonly leaseUntil?: number | null };
  /** Its process ended while it ran, without a word. A close, an abort and a lost history are none. */
  readonly crashed: boolean;
  /** The lease by which its node is gone: done only while it stands as it was seen. */
  readonly over?: OverLease;
}

/** Work was given up. */
interface GivenUp {
  /** Why its task failed with it. */
  readonly loss?: FactPayload<'TASK_FAILED'>;
}

/** How long work rests whose process crashed. Its count ends it, not its rest. */
const crashRest: RetryPolicy = { baseMs: 1000, maxMs: 60_000, triesMax: Infinity, jitter: 0 };

/**
 * Takes work from whoever holds it, so that any node may claim it: at once, or after a rest where its process crashed. A task whose work may
 * not go on fails in the same commit, where this node handles its type; one that has ended is released. False where it is not held so, or the
 * lease has changed, or the task is gone.
 */
export async function giveUp(
  taskId: string,
  deps: Pick<ReconcileDeps, 'processor' | 'executors' | 'settings' | 'logger'>,
  { of, crashed, over }: GivingUp,
): Promise<boolean> {
  try {
    const became = await deps.processor.execute<GivenUp | undefined>(taskId, {
      ...(over && { onlyWhile: { lease: over.lease, otherwise: undefined } }),
      decide: (unit) => (isHeldBy(unit.execution, of) ? giveUpIn(unit, crashed, deps) : undefined),
    });
    if (became?.loss) tellLoss(taskId, became.loss, deps, over?.silentMs);
    return became !== undefined;
  } catch (error) {
    if (error instanceof TaskBridgeError && error.code === 'TASK_NOT_FOUND') return false;
    throw error;
  }
}

/** Notes of work that is suspected that its run was watched and crashed nothing. Never rejects: what is not noted counts for one more crash. */
export async function clearSuspect(taskId: string, { processor, nodeId }: Pick<ReconcileDeps, 'processor' | 'nodeId'>): Promise<void> {
  const cleared = processor.execute(taskId, {
    decide: (unit) => unit.execution.attempt.context.node === nodeId && unit.record({ type: 'attempt.cleared' }),
  });
  await cleared.catch(() => undefined);
}

/** Since when nobody works on lost work, in milliseconds of the store's clock. */
export function lostSince({ attempt }: ExecutionRecord): number | null {
  const { retryAt, crashes, spared } = attempt.context;
  return retryAt === null || !attempt.hasTag('suspect') ? retryAt : retryAt - restAfter(crashes + spared);
}

/** Says that a task failed since its work was lost, and for how long nobody had worked, in milliseconds, where that is known. */
export function tellLoss(
  taskId: string,
  { code, message }: FactPayload<'TASK_FAILED'>,
  { logger }: Pick<ReconcileDeps, 'logger'>,
  idleMs: number | null | undefined,
): void {
  logger.warn(`A task fails: ${message}`, { taskId, code, ...(typeof idleMs === 'number' && { idleMs: Math.max(0, Math.round(idleMs)) }) });
}

function giveUpIn(unit: UnitOfWork, crashed: boolean, deps: Pick<ReconcileDeps, 'executors' | 'settings'>): GivenUp | undefined {
  if (unit.record({ type: 'work.released' })) return {};
  const { taskType } = unit.about;
  const executor = executorOf(deps, taskType);
  // A node that asks an outside system to start something may crash by anything else.
  const isCrash = crashed && executor?.leased !== false;
  const { crashes, spared } = unit.execution.attempt.context;
  const restUntil = unit.now + restAfter(crashes + spared + 1);
  if (!unit.record({ type: 'attempt.lost', crashed: isCrash, retryAt: unit.now, restUntil })) return undefined;
  const order = executor?.leased ? unit.order(workDue(unit, unit.now, deps)) : undefined;
  if (order?.type !== 'work.fail') return {};
  const loss = failureFor(order.why, unit.execution);
  return unit.decide({ type: 'task.fail', payload: loss }).facts.length > 0 ? { loss } : {};
}

/** How long work rests after its so-manieth crash. */
function restAfter(crashes: number): number {
  return retryDelayMs(crashRest, Math.max(0, crashes - 1));
}

function isHeldBy({ attempt: { context } }: ExecutionRecord, { attempt, node, leaseUntil }: GivingUp['of']): boolean {
  if (leaseUntil !== undefined && context.leaseUntil !== leaseUntil) return false;
  return (attempt === undefined || context.attempt === attempt) && (node === undefined || context.node === node);
}
