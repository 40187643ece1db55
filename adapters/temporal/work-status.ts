import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type { Json } from '../../machines/wire/index.ts';
import type { WorkStatus } from '../../server/ports/index.ts';
import { failurePayload, isCancelled } from './failure.ts';

const RUNNING = ['RUNNING', 'CONTINUED_AS_NEW', 'PAUSED'];

/** How a workflow stands, in the words of its task's log. */
export async function workStatusOf(handle: WorkflowHandle): Promise<WorkStatus> {
  try {
    const { status } = await handle.describe();
    if (RUNNING.includes(status.name)) return { status: 'running' };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    const message = 'Temporal does not know the workflow any more.';
    return { status: 'ended', end: { type: 'report.failed', payload: { code: 'WORK_LOST', message, retryable: true } } };
  }
  try {
    // A workflow's result is JSON: Temporal's converter made it from some.
    const result = ((await handle.result()) ?? null) as Json;
    return { status: 'ended', end: { type: 'report.completed', payload: { result } } };
  } catch (error) {
    // Anything else says nothing of the workflow.
    if (!(error instanceof Error) || error.name !== 'WorkflowFailedError') throw error;
    if (isCancelled(error)) return { status: 'ended', end: { type: 'report.cancelled', payload: {} } };
    return { status: 'ended', end: { type: 'report.failed', payload: failureOf(error) } };
  }
}

function failureOf(error: Error) {
  const payload = failurePayload(error);
  return payload.code === 'WORK_TIMED_OUT'
    ? { ...payload, code: 'WORKFLOW_TIMED_OUT', message: 'The workflow did not end in its time.' }
    : payload;
}
