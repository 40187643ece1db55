import { activityInfo, log } from '@temporalio/activity';
import type { ReportIntent } from '../../../machines/index.ts';
import type { FactPayload } from '../../../machines/wire/index.ts';
import type { AttemptRef, TaskReporter } from '../../../server/reporter/index.ts';

/** The task as an activity of its workflow sees it. */
export interface ActivityTask {
  /** 0–100. Resolves when it is committed; false where the task has ended or is another attempt's: stop working. */
  progress(progress: number, about?: { readonly stage?: string; readonly message?: string }): Promise<boolean>;
  /** As `progress`. */
  message(message: string, level?: FactPayload<'TASK_MESSAGE'>['level']): Promise<boolean>;
}

/**
 * Lets an activity report while it runs: call it at the activity's start, with the workflow's `task.ref` as the activity got it. An activity
 * that Temporal runs again reports again (at least once); rejects with the reporter's `TaskBridgeError`, which the activity's log has too. How an activity ends is its own to say: a refusal
 * that it does not await stands in that log only.
 */
export function activityTask(reporter: Pick<TaskReporter, 'report'>, ref: AttemptRef): ActivityTask {
  const { activityId, attempt, workflowExecution } = activityInfo();
  const source = `activity:${workflowExecution?.runId ?? ''}/${activityId}/${attempt}`;
  let seq = 0;

  function say(intent: ReportIntent): Promise<boolean> {
    const said = reporter.report(ref, { source, seq: ++seq, intents: [intent] }).then(({ status }) => status !== 'fenced');
    // Whoever awaits it hears of it; where nobody does, the worker lives on, and its log has it.
    said.catch((error: unknown) => void log.warn('A report of a task was not taken.', { ...ref, report: intent.type, error }));
    return said;
  }

  return {
    progress: (progress, about = {}) => say({ type: 'report.progress', payload: { progress, ...about } }),
    message: (message, level) => say({ type: 'report.message', payload: level ? { message, level } : { message } }),
  };
}
