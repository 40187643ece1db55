import { activityInfo, log } from '@temporalio/activity';
import type { ReportIntent } from '../../../machines/index.ts';
import type { TaskReporter } from '../../../server/reporter/index.ts';
import type { ReportAnswer, ReportCall, ReportedIntent, WorkflowReport } from '../contract.ts';

/** Activities that workflows of `taskWorkflow` report by. */
export interface TaskBridgeActivities {
  taskbridgeReport(call: ReportCall): Promise<ReportAnswer[]>;
}

/**
 * The activities of a worker whose workflows report on tasks: `Worker.create({ activities: { ...taskBridgeActivities(reporter), … } })`. What
 * they report is committed once, however often Temporal runs them: the source is the workflow's run, the number counts within the workflow. A
 * reset makes a new run, whose reports are taken anew.
 */
export function taskBridgeActivities(reporter: Pick<TaskReporter, 'report' | 'resolution' | 'now'>): TaskBridgeActivities {
  async function take({ taskId, attempt }: ReportCall, source: string, { seq, intents }: WorkflowReport): Promise<ReportAnswer> {
    try {
      const outcome = await reporter.report({ taskId, attempt }, { source, seq, intents: await Promise.all(intents.map(asIntent)) });
      if (outcome.status === 'fenced') return outcome;
      const refusals = outcome.status === 'committed' ? outcome.refusals.map((refusal) => refusal ?? null) : [];
      const [only] = intents;
      const wasAsked = outcome.status === 'duplicate' || refusals[0] === 'ALREADY_ASKED';
      const resolution =
        only?.type === 'report.suspended' && wasAsked ? await reporter.resolution(taskId, only.payload.suspendId) : undefined;
      return { status: 'taken', refusals, ...(resolution && { resolution }) };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'TASK_NOT_FOUND') return { status: 'gone' };
      if (code === 'REQUEST_VALIDATION_ERROR' || code === 'PAYLOAD_TOO_LARGE') {
        // The workflow hears of it where it listens.
        log.warn('A report of a task was refused.', { taskId, attempt, error });
        return { status: 'invalid', message: (error as Error).message };
      }
      // Nobody knows what became of it: Temporal runs the activity again, and what was written is not written twice.
      throw error;
    }
  }

  async function asIntent(said: ReportedIntent): Promise<ReportIntent> {
    if (said.type !== 'report.suspended') return said;
    const { type, payload, expiresInMs } = said;
    if (expiresInMs === undefined) return { type, payload };
    return { type, payload: { ...payload, expiresAt: new Date((await reporter.now()) + expiresInMs).toISOString() } };
  }

  return {
    async taskbridgeReport(call) {
      const source = `run:${activityInfo().workflowExecution?.runId ?? ''}`;
      const answers: ReportAnswer[] = [];
      for (const report of call.reports) {
        const answer = await take(call, source, report);
        answers.push(answer);
        if (answer.status === 'fenced' || answer.status === 'gone') break;
      }
      return answers;
    },
  };
}
