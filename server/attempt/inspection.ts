import type { TaskExecutor } from '../ports/executor.ts';
import { executorOf, type ReconcileStep, type ReconcileDeps } from './reconcile-step.ts';
import { withTimeLimit } from './time-limit.ts';

/** When to ask an executor after work that starts or runs now; undefined where the work cannot outlive its node. */
export function nextInspection(
  { leased, inspect: verb }: TaskExecutor,
  { time, settings }: Pick<ReconcileDeps, 'time' | 'settings'>,
): number | undefined {
  return leased || !verb ? undefined : time.now() + settings.inspectMs;
}

/** Asks after work that an outside system keeps: what ended there without a word ends its task. */
export const inspectWork: ReconcileStep = async ({ about, execution: ledger }, context) => {
  const { taskId, taskType } = about;
  const { attempt, retryAt } = ledger.attempt.context;
  const executor = executorOf(context, taskType);
  if (!executor?.inspect || retryAt === null || retryAt > context.time.now()) return false;
  const standing = await withTimeLimit(context, context.settings.executorTimeoutMs, executor.inspect({ taskId, attempt }));
  const next = context.time.now() + context.settings.inspectMs;
  return context.processor.execute(taskId, {
    decide(unit) {
      const holder = unit.execution.attempt;
      if (holder.context.attempt !== attempt || holder.hasTag('fenced')) return false;
      if (standing.status === 'running') return unit.record({ type: 'attempt.inspected', retryAt: next });
      const { facts } = unit.decide(standing.end);
      unit.record({ type: 'work.released' });
      return facts.length > 0;
    },
  });
};
