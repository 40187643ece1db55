import type { TaskExecutor } from '../ports/executor.ts';
import { takeEnding } from './executor-ending.ts';
import { executorOf, recordFor, type ReconcileStep, type ReconcileDeps } from './reconcile-step.ts';

/** When to inspect work that starts or runs now; undefined where the work cannot outlive its node. */
export function nextInspection(
  { leased, inspect }: TaskExecutor,
  { time, settings }: Pick<ReconcileDeps, 'time' | 'settings'>,
): number | undefined {
  return leased || !inspect ? undefined : time.now() + settings.inspectMs;
}

/** Asks the executor how work stands that an outside system keeps: what ended there without a word ends its task. */
export const inspectWork: ReconcileStep = async (state, deps) => {
  const { about, execution } = state;
  const { taskId, taskType } = about;
  const { attempt, retryAt } = execution.attempt.context;
  const executor = executorOf(deps, taskType);
  const inspect = executor?.inspect?.bind(executor);
  if (!executor || retryAt === null || retryAt > deps.time.now()) return false;
  // Who claimed it from outside did not know that nobody can be asked.
  if (!inspect) return deps.processor.execute(taskId, { decide: recordFor(state, { type: 'attempt.inspected', retryAt: null }) });
  const work = await deps.call(executor, () => inspect({ taskId, attempt }));
  const next = deps.time.now() + deps.settings.inspectMs;
  const { isTaken, refusal } = await deps.processor.execute(taskId, {
    decide(unit): ReturnType<typeof takeEnding> {
      const holder = unit.execution.attempt;
      if (holder.context.attempt !== attempt || holder.hasTag('fenced')) return { isTaken: false };
      if (work.status === 'running') return { isTaken: unit.record({ type: 'attempt.inspected', retryAt: next }) };
      const taken = takeEnding(unit, work.end);
      unit.record({ type: 'work.released' });
      return taken;
    },
  });
  if (refusal)
    deps.logger.warn('What an executor says of the end of a task cannot be written; the task failed.', { taskId, error: refusal });
  return isTaken;
};
