import { activityInfo, log } from '@temporalio/activity';
import { contractQuestion, contractType } from '../../../machines/contract/index.ts';
import type { ReportIntent } from '../../../machines/index.ts';
import type { TaskReporter } from '../../../server/reporter/index.ts';
import type { ReportAnswer, ReportCall, ReportedIntent, WorkflowReport } from '../contract.ts';

/** What of a reporter these activities need; its contract, where workflows ask by one. */
export type WorkflowReporter = Pick<TaskReporter, 'report' | 'resolution' | 'now'> & Partial<Pick<TaskReporter, 'contract'>>;

/** Activities that workflows of `taskWorkflow` report by. */
export interface TaskBridgeActivities {
  taskbridgeReport(call: ReportCall): Promise<ReportAnswer[]>;
}

/**
 * The activities of a worker whose workflows report on tasks: `Worker.create({ activities: { ...taskBridgeActivities(reporter), … } })`. What
 * they report is committed once, however often Temporal runs them: the source is the workflow's run, the number counts within the workflow. A
 * reset makes a new run, whose reports are taken anew.
 */
export function taskBridgeActivities(reporter: WorkflowReporter): TaskBridgeActivities {
  async function take({ taskId, attempt }: ReportCall, source: string, { seq, intents }: WorkflowReport): Promise<ReportAnswer> {
    try {
      const outcome = await reporter.report({ taskId, attempt }, { source, seq, intents: await Promise.all(intents.map(asIntent)) });
      if (outcome.status === 'fenced') return outcome;
      const refusals = outcome.status === 'committed' ? outcome.refusals.map((refusal) => refusal ?? null) : [];
      const [only] = intents;
      const wasAsked = outcome.status === 'duplicate' || refusals[0] === 'ALREADY_ASKED';
      const resolution =
        (only?.type === 'report.suspended' || only?.type === 'report.asked') && wasAsked
          ? await reporter.resolution(taskId, only.payload.suspendId)
          : undefined;
      return { status: 'taken', refusals, ...(resolution && { resolution }) };
    } catch (error) {
      if (error instanceof UnknownQuestionError) return { status: 'invalid', message: error.message };
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
    if (said.type !== 'report.suspended' && said.type !== 'report.asked') return said;
    const { payload, expiresInMs } = said.type === 'report.asked' ? wholeQuestion(reporter, said) : said;
    const type = 'report.suspended';
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

type Asked = Extract<ReportedIntent, { readonly type: 'report.asked' }>;

/** The contract of a worker has no such question: its workflows were made for another one. */
class UnknownQuestionError extends Error {}

/** What a contract says of a question, and what the flow said. */
function wholeQuestion({ contract }: WorkflowReporter, { taskType, key, payload, expiresInMs }: Asked) {
  const type = contract && contractType(contract, taskType);
  const question = type && contractQuestion(type, key);
  if (!question) {
    const names = type
      ? `its questions are ${[...type.questions.keys()].join(', ') || 'none'}`
      : `the reporter of this worker has no contract of it`;
    throw new UnknownQuestionError(`The key ${JSON.stringify(key)} names no question of ${taskType}: ${names}.`);
  }
  const { reasonCode, kind, schemaVersion, actions } = question;
  const allowedActions = [...(payload.allowedActions ?? actions.keys())];
  return { payload: { ...payload, reasonCode, kind, schemaVersion, allowedActions }, expiresInMs };
}
