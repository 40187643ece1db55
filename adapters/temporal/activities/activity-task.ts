import { activityInfo, log } from '@temporalio/activity';
import type { ReportIntent } from '../../../machines/index.ts';
import type { FactPayload } from '../../../machines/wire/index.ts';
import type { AttemptRef, TaskReporter } from '../../../server/reporter/index.ts';
import type { PartStream, ValueStream } from '../../in-process/index.ts';
import type { RunParts } from '../../in-process/run-parts.ts';
import { activityParts, type ActivityPartOptions, type ActivityValueOptions } from './activity-parts.ts';

/** The task as an activity of its workflow sees it. */
export interface ActivityTask {
  /** 0–100. Resolves when it is committed; false where the task has ended or is another attempt's: stop working. */
  progress(progress: number, about?: { readonly stage?: string; readonly message?: string }): Promise<boolean>;
  /** As `progress`. */
  message(message: string, level?: FactPayload<'TASK_MESSAGE'>['level']): Promise<boolean>;
  /** As the other, for a value that is replaced. */
  stream(name: string, options: ActivityValueOptions): ValueStream;
  /**
   * Opens a part of the task, to be written to word by word, as the task of a handler does. Its text goes past Temporal: no history sees it. Await `end()` before the activity
   * ends: what waits to be sent then may be lost. An activity that Temporal runs again begins anew; that it calls `activityTask` closes what its
   * earlier tries left open as `ABANDONED`, whether it opens a part itself or not.
   */
  stream(name: string, options: ActivityPartOptions): PartStream;
}

/**
 * Lets an activity report while it runs: call it at the activity's start, with the workflow's `task.ref` as the activity got it. An activity
 * that Temporal runs again reports again (at least once); rejects with the reporter's `TaskBridgeError`, which the activity's log has too. How an activity ends is its own to say: a refusal
 * that it does not await stands in that log only.
 */
export function activityTask(reporter: Pick<TaskReporter, 'report'> & Partial<Pick<TaskReporter, 'parts'>>, ref: AttemptRef): ActivityTask {
  const { activityId, attempt, workflowExecution } = activityInfo();
  const source = `activity:${workflowExecution?.runId ?? ''}/${activityId}/${attempt}`;
  let seq = 0;
  // What an earlier try left is closed even where this one opens nothing: the end of the task would close it as whole.
  let parts: RunParts | undefined = attempt > 1 && reporter.parts ? activityParts({ reporter, ref, source, attempt }) : undefined;

  function say(intent: ReportIntent): Promise<boolean> {
    const send = () => reporter.report(ref, { source, seq: ++seq, intents: [intent] });
    const flushed = parts?.flushed();
    // What was written before comes before it.
    const sent = flushed ? flushed().then(send) : send();
    const said = sent.then(({ status }) => status !== 'fenced');
    // Whoever awaits it hears of it; where nobody does, the worker lives on, and its log has it.
    said.catch((error: unknown) => void log.warn('A report of a task was not taken.', { ...ref, report: intent.type, error }));
    return said;
  }

  return {
    progress: (progress, about = {}) => say({ type: 'report.progress', payload: { progress, ...about } }),
    // What it gives is of the kind that was asked for.
    stream: ((name: string, options: ActivityPartOptions | ActivityValueOptions) =>
      (parts ??= activityParts({ reporter, ref, source, attempt })).open(name, options)) as ActivityTask['stream'],
    message: (message, level) => say({ type: 'report.message', payload: level ? { message, level } : { message } }),
  };
}
