import { retryDelayMs, type RetryPolicy } from '../../machines/index.ts';
import type { FactPayload } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { TaskExecutor } from '../ports/executor.ts';
import type { TaskSettings } from '../task/settings.ts';
import type { UnitOfWork } from '../task/unit-of-work.ts';
import type { ExecutionRecord } from './execution-record.ts';
import type { OverLease } from './lease-monitor.ts';
import { executorOf, type ReconcileDeps } from './reconcile-step.ts';

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
/** How many crashes end work that was cleared of most of them, as a multiple of `crashesMax`: it may take longer than anybody watches. */
const SPARED_TIMES = 4;

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

/** Why work that somebody held may not be claimed again; undefined where it may. Only an executor that runs work on nodes loses it. */
export function lossOf(
  { attempt }: ExecutionRecord,
  executor: TaskExecutor | undefined,
  taskType: string,
  { crashesMax }: Pick<TaskSettings, 'crashesMax'>,
): FactPayload<'TASK_FAILED'> | undefined {
  const { crashes, spared } = attempt.context;
  if (!executor?.leased || !attempt.hasTag('lost')) return undefined;
  if (!executor.repeatable(taskType)) return workLost('The process that ran the task is gone, and its work may not be repeated.');
  if (crashes < crashesMax && crashes + spared < crashesMax * SPARED_TIMES) return undefined;
  return workLost(`The process that ran the task crashed ${crashes + spared} times in a row; it is not run again.`);
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
  if (!unit.record({ type: 'attempt.lost', crashed: isCrash, retryAt: unit.now + restAfterLoss(unit.execution, isCrash) }))
    return undefined;
  const loss = lossOf(unit.execution, executor, taskType, deps.settings);
  return loss && unit.decide({ type: 'task.fail', payload: loss }).facts.length > 0 ? { loss } : {};
}

/** How long work rests that is lost now: not at all, unless its process crashed and it may be why. */
function restAfterLoss({ attempt }: ExecutionRecord, isCrash: boolean): number {
  if (!isCrash || !attempt.hasTag('working')) return 0;
  const { crashes, spared } = attempt.context;
  return restAfter(crashes + spared + 1);
}

/** How long work rests after its so-manieth crash. */
function restAfter(crashes: number): number {
  return retryDelayMs(crashRest, Math.max(0, crashes - 1));
}

function isHeldBy({ attempt: { context } }: ExecutionRecord, { attempt, node, leaseUntil }: GivingUp['of']): boolean {
  if (leaseUntil !== undefined && context.leaseUntil !== leaseUntil) return false;
  return (attempt === undefined || context.attempt === attempt) && (node === undefined || context.node === node);
}

function workLost(message: string): FactPayload<'TASK_FAILED'> {
  return { code: 'WORK_LOST', message, retryable: true };
}
