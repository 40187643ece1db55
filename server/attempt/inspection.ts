import type { TaskExecutor } from '../ports/executor.ts';
import { executorOf, type Duty, type DutyContext } from './duty.ts';
import { within } from './time-limit.ts';

/** When to ask an executor after work that starts or runs now; undefined where the work cannot outlive its node. */
export function nextInspection(
  { leased, inspect: verb }: TaskExecutor,
  { time, settings }: Pick<DutyContext, 'time' | 'settings'>,
): number | undefined {
  return leased || !verb ? undefined : time.now() + settings.inspectMs;
}

/** Asks after work that an outside system keeps: what ended there without a word ends its task. */
export const inspect: Duty = async ({ about, ledger }, context) => {
  const { taskId, taskType } = about;
  const { attempt, retryAt } = ledger.attempt.context;
  const executor = executorOf(context, taskType);
  if (!executor?.inspect || retryAt === null || retryAt > context.time.now()) return false;
  const standing = await within(context, context.settings.executorTimeoutMs, executor.inspect({ taskId, attempt }));
  const next = context.time.now() + context.settings.inspectMs;
  return context.desk.ask(taskId, {
    decide(draft) {
      const holder = draft.ledger.attempt;
      if (holder.context.attempt !== attempt || holder.hasTag('fenced')) return false;
      if (standing.status === 'running') return draft.enter({ type: 'attempt.inspected', retryAt: next });
      const { facts } = draft.decide(standing.end);
      draft.enter({ type: 'work.released' });
      return facts.length > 0;
    },
  });
};
