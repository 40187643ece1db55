import type { FactPayload } from '../../machines/wire/index.ts';
import type { StartOutcome, Work } from '../ports/executor.ts';
import type { TraceContext } from '../ports/tracing.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { AttemptEvent } from './attempt.machine.ts';
import { attemptState, workOrder, type ExecutionRecord } from './execution-record.ts';
import { takeEnding } from './executor-ending.ts';
import { giveUp, lostSince, tellLoss } from './giving-up.ts';
import { nextInspection } from './inspection.ts';
import { presentable } from './presentable.ts';
import { recordFor, executorOf, isOurs, pauseMs, type ReconcileStep, type ReconcileDeps, type ReconcileResult } from './reconcile-step.ts';
import { taskSpan } from '../observability/task-spans.ts';
import { withTimeLimit } from './time-limit.ts';
import { failureFor, workDue } from './work-order.ts';
import { workOf, workWith } from './work.ts';

/** Claims work that nobody holds and that this node has room for, or ends a task whose work cannot go on, as the chart says. */
export const claimWork: ReconcileStep = async (state, deps) => {
  const order = workOrder(state.execution, workDue(state, deps.time.now(), deps));
  switch (order?.type) {
    case undefined:
      return false;
    case 'work.stop':
      return stop(state, deps);
    case 'work.fail':
      return fail(state, deps);
    case 'work.claim':
      return claim(state, deps);
  }
};

async function claim(state: TaskRecord, deps: ReconcileDeps): Promise<boolean> {
  const { about, execution } = state;
  const { taskId, taskType } = about;
  const { settings, nodeId, time, processor, rooms, suspects, shares, heldBack } = deps;
  if (!executorOf(deps, taskType)) return false;
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
  // Whose turn it is was judged by what was seen: where it was claimed since, and given up, it may be suspected by now.
  const record = recordFor(state, { type: 'attempt.claimed', node: nodeId, startBy: time.now() + settings.startWithinMs });
  let isClaimed = false;
  try {
    if (isSuspect && !suspects.take(state)) return false;
    isClaimed = await processor.execute(taskId, {
      decide: (unit) =>
        // A claim whose reply was lost is this one.
        isClaimedBy(nodeId, unit, execution) ||
        // Since it was looked at somebody may have cancelled it (a run that begins now would never hear of it), or this node may be closing.
        (unit.order(workDue(unit, unit.now, deps))?.type === 'work.claim' && !rooms.isClosing && record(unit)),
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
}

/** True where a node has claimed the attempt that follows what was seen, and it is not started yet. */
function isClaimedBy(nodeId: string, { execution }: Pick<TaskRecord, 'execution'>, seen: ExecutionRecord): boolean {
  const { node, attempt } = execution.attempt.context;
  return node === nodeId && attempt === seen.attempt.context.attempt + 1 && attemptState(execution) === 'starting';
}

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
  const span = taskSpan(deps.tracer, 'taskbridge.attempt', state.about, { 'taskbridge.attempt': attempt });
  if (executor.leased) running.add(state.about, attempt, span);
  let outcome: StartOutcome;
  try {
    const work = await gathered(state, deps, span.context);
    const withdrawn = deps.stops.withdraw({ taskId, attempt });
    if (withdrawn) await withdrawn;
    outcome = await deps.call(executor, () => span.run(() => executor.start(work)), 'start');
  } catch (error) {
    const { tries } = state.execution.attempt.context;
    logger.warn('The executor could not be asked to start a task.', { taskId, attempt, tries, error });
    return await deferStart(state, deps, result);
  } finally {
    // What an outside system runs it has by now, or has not.
    if (!executor.leased) span.end();
    // It counts as the executor's now, or not at all.
    rooms.free(taskId);
  }
  return outcome.status === 'started' ? noteStart(state, deps, result) : failRefused(state, outcome.failure, deps, result);
};

/** What the executor needs. It has its own limit: work that was gathered too late is not started, for another attempt may run by then. */
async function gathered(state: TaskRecord, deps: ReconcileDeps, traceContext: TraceContext | undefined): Promise<Work> {
  const { content } = deps;
  // Before the first run nothing was saved.
  if (content !== undefined && state.execution.attempt.context.attempt === 1)
    return workWith(state, { content, saved: undefined }, deps, traceContext);
  return withTimeLimit(deps, deps.settings.executorTimeoutMs, workOf(state, deps, traceContext));
}

const noteStart: ReconcileStep = async (state, deps, { tally }) => {
  const noted = await deps.processor.execute(state.about.taskId, { decide: recordFor(state, startedEvent(state, deps)) });
  if (noted) tally.started++;
  return noted;
};

/** Nobody said that it was started: it is tried again, unless it has reported meanwhile; then it runs. */
const deferStart: ReconcileStep = async (state, deps, { tally }) => {
  const { taskId, taskType } = state.about;
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
      deps.running.release(taskId, false);
      await deps.stops.give({ taskId, attempt, taskType });
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
  running.release(taskId, false);
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

/** Ends a task that is to stop and that nobody works on, where its chart still says so when that is written. */
function stop({ about: { taskId } }: TaskRecord, deps: ReconcileDeps): Promise<boolean> {
  return deps.processor.execute(taskId, {
    decide: (unit) =>
      unit.order(workDue(unit, unit.now, deps))?.type === 'work.stop' && unit.decide({ type: 'cancel.overdue' }).facts.length > 0,
  });
}

/** Fails a task that nobody works on, where its chart still says so when that is written. */
async function fail({ about: { taskId }, execution }: TaskRecord, deps: ReconcileDeps): Promise<boolean> {
  const failure = await deps.processor.execute(taskId, {
    decide(unit) {
      const order = unit.order(workDue(unit, unit.now, deps));
      if (order?.type !== 'work.fail') return undefined;
      const payload = failureFor(order.why, unit.execution);
      return unit.decide({ type: 'task.fail', payload }).facts.length > 0 ? payload : undefined;
    },
  });
  const since = execution.attempt.hasTag('lost') ? lostSince(execution) : null;
  if (failure) tellLoss(taskId, failure, deps, since === null ? null : deps.time.now() - since);
  return failure !== undefined;
}
