import type { FactPayload } from '../../machines/wire/index.ts';
import type { StartOutcome, Work } from '../ports/executor.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { AttemptEvent } from './attempt.machine.ts';
import type { ExecutionRecord } from './execution-record.ts';
import { takeEnding } from './executor-ending.ts';
import { giveUp, lossOf, lostSince, tellLoss } from './giving-up.ts';
import { nextInspection } from './inspection.ts';
import { presentable } from './presentable.ts';
import {
  recordFor,
  executorOf,
  isOurs,
  pauseMs,
  orderStop,
  type ReconcileStep,
  type ReconcileDeps,
  type ReconcileResult,
} from './reconcile-step.ts';
import { withTimeLimit } from './time-limit.ts';
import { workOf, workWith } from './work.ts';

/** Claims work that nobody holds and that this node has room for, or ends a task whose work cannot go on. */
export const claimWork: ReconcileStep = async (state, deps) => {
  const { about, aggregate, execution } = state;
  const { taskId, taskType } = about;
  const { settings, nodeId, time, processor, rooms, suspects, shares, heldBack } = deps;
  const { retryAt, startBy } = execution.attempt.context;
  const now = time.now();
  const executor = executorOf(deps, taskType);
  if (aggregate.task.matches({ active: 'cancelling' }))
    return processor.execute(taskId, { decide: (unit) => unit.decide({ type: 'cancel.overdue' }).facts.length > 0 });
  const loss = lossOf(execution, executor, taskType, settings);
  if (loss) return fail(state, deps, loss);
  if (startBy !== null && now >= startBy) {
    const message = 'Nobody could be asked to run the task in time.';
    return fail(state, deps, { code: 'EXECUTOR_UNREACHABLE', message, retryable: true });
  }
  if (!executor || (retryAt !== null && retryAt > now)) return false;
  const isSuspect = execution.attempt.hasTag('suspect');
  if (!rooms.take(taskId, taskType)) {
    if (isSuspect) suspects.wait(state);
    return false;
  }
  if (!shares.reserve('active', about.owner)) {
    rooms.free(taskId);
    heldBack.add(about.owner, taskId);
    return false;
  }
  // Whether it may begin was judged by what was seen: where it was claimed since, and given up, it may be lost by now, or have to rest.
  const claim = recordFor(state, { type: 'attempt.claimed', node: nodeId, startBy: now + settings.startWithinMs });
  let isClaimed = false;
  try {
    if (isSuspect && !suspects.take(state)) return false;
    isClaimed = await processor.execute(taskId, {
      decide: (unit) =>
        // Since it was looked at somebody may have cancelled it (a run that begins now would never hear of it), or this node may be closing.
        !unit.aggregate.task.matches({ active: 'cancelling' }) && !rooms.isClosing && claim(unit),
    });
  } finally {
    shares.free('active', about.owner);
    if (!isClaimed) {
      rooms.free(taskId);
      suspects.free(taskId);
    }
  }
  if (isClaimed && execution.attempt.hasTag('lost')) tellRetry(about.taskId, execution, deps);
  return isClaimed;
};

function tellRetry(taskId: string, execution: ExecutionRecord, { logger, time }: ReconcileDeps): void {
  const { attempt, crashes, spared } = execution.attempt.context;
  const since = lostSince(execution);
  const fields = {
    taskId,
    attempt: attempt + 1,
    crashes: crashes + spared,
    ...(since !== null && { idleMs: Math.max(0, time.now() - since) }),
  };
  if (execution.attempt.hasTag('suspect')) logger.warn('Work whose process crashed begins again, and is watched.', fields);
  else logger.info?.('Work that was given up begins again.', fields);
}

/** Asks the executor to start the work that this node claimed. */
export const startWork: ReconcileStep = async (state, deps, result) => {
  const { taskId, taskType } = state.about;
  const { attempt } = state.execution.attempt.context;
  const { running, rooms, logger } = deps;
  const executor = executorOf(deps, taskType);
  if (!executor || !isOurs(state, deps)) return false;
  if (running.attemptOf(taskId) === attempt) return noteStart(state, deps, result);
  // It began, and does not run here any more: who asked again would run it twice.
  if (executor.leased && state.execution.attempt.hasTag('begun')) return giveUp(taskId, deps, { of: { attempt }, crashed: false });
  if (executor.leased) running.add(taskId, attempt, taskType);
  let outcome: StartOutcome;
  try {
    const work = await gathered(state, deps);
    outcome = await deps.call(executor, () => executor.start(work), 'start');
  } catch (error) {
    const { tries } = state.execution.attempt.context;
    logger.warn('The executor could not be asked to start a task.', { taskId, attempt, tries, error });
    return await deferStart(state, deps, result);
  } finally {
    // It counts as the executor's now, or not at all.
    rooms.free(taskId);
  }
  return outcome.status === 'started' ? noteStart(state, deps, result) : failRefused(state, outcome.failure, deps, result);
};

/** What the executor needs. It has its own limit: work that was gathered too late is not started, for another attempt may run by then. */
async function gathered(state: TaskRecord, deps: ReconcileDeps): Promise<Work> {
  const { content } = deps;
  // Before the first run nothing was saved.
  if (content !== undefined && state.execution.attempt.context.attempt === 1) return workWith(state, { content, saved: undefined }, deps);
  return withTimeLimit(deps, deps.settings.executorTimeoutMs, workOf(state, deps));
}

const noteStart: ReconcileStep = async (state, deps, { tally }) => {
  const noted = await deps.processor.execute(state.about.taskId, { decide: recordFor(state, startedEvent(state, deps)) });
  if (noted) tally.started++;
  return noted;
};

/** Nobody said that it was started: it is tried again, unless it has reported meanwhile; then it runs. */
const deferStart: ReconcileStep = async (state, deps, { tally }) => {
  const { taskId } = state.about;
  const { attempt, tries } = state.execution.attempt.context;
  const retryAt = deps.time.now() + pauseMs(deps, tries);
  const defer = recordFor(state, { type: 'attempt.deferred', retryAt });
  const start = recordFor(state, startedEvent(state, deps));
  let became: 'deferred' | 'started' | 'another' = 'another';
  try {
    became = await deps.processor.execute(taskId, { decide: (unit) => (defer(unit) ? 'deferred' : start(unit) ? 'started' : 'another') });
  } finally {
    if (became !== 'started') {
      tally.failed = 1;
      deps.running.release(taskId);
      await orderStop(state, attempt, { why: 'fenced' }, deps).catch(() => undefined);
    }
  }
  if (became === 'started') tally.started++;
  return became !== 'another';
};

async function failRefused(
  state: TaskRecord,
  failure: FactPayload<'TASK_FAILED'>,
  { processor, running, logger }: ReconcileDeps,
  result: ReconcileResult,
): Promise<boolean> {
  const { taskId } = state.about;
  const { attempt } = state.execution.attempt.context;
  running.release(taskId);
  logger.warn('The executor refused to start a task.', { taskId, attempt, code: failure.code });
  const { payload: shown } = presentable({ type: 'task.fail', payload: failure });
  const { isTaken, refusal } = await processor.execute(taskId, {
    decide: (unit) =>
      unit.execution.attempt.context.attempt === attempt ? takeEnding(unit, { type: 'task.fail', payload: shown }) : { isTaken: false },
  });
  if (refusal) logger.warn('What an executor says of its refusal cannot be written; the task failed.', { taskId, error: refusal });
  if (isTaken) result.refused = refusal ? { code: 'REPORT_REFUSED', message: refusal.message, retryable: false } : shown;
  return isTaken;
}

function startedEvent({ about }: TaskRecord, deps: ReconcileDeps): AttemptEvent {
  const executor = executorOf(deps, about.taskType);
  const retryAt = (executor && nextInspection(executor, deps)) ?? null;
  return { type: 'attempt.started', keptOutside: executor?.leased === false, retryAt };
}

/** Fails a task that nobody works on, while that is as it was seen. */
async function fail(state: TaskRecord, deps: ReconcileDeps, failure: FactPayload<'TASK_FAILED'>): Promise<boolean> {
  const { processor, time } = deps;
  const { taskId } = state.about;
  const { attempt } = state.execution.attempt.context;
  const failed = await processor.execute(taskId, {
    decide: (unit) =>
      unit.execution.attempt.hasTag('claimable') &&
      unit.execution.attempt.context.attempt === attempt &&
      unit.decide({ type: 'task.fail', payload: failure }).facts.length > 0,
  });
  const since = state.execution.attempt.hasTag('lost') ? lostSince(state.execution) : null;
  if (failed) tellLoss(taskId, failure, deps, since === null ? null : time.now() - since);
  return failed;
}
