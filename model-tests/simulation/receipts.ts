import type { CancelTaskResponse, SubmitActionResponse } from '../../machines/wire/index.ts';
import type { KnownTask } from './oracle.ts';

/** Whether what a server said of an answer is what the log says. */
export function isTrueReceipt(
  { accepted, expired, open, lost, everAccepted }: KnownTask,
  { suspendId, clientActionId, status }: Pick<SubmitActionResponse, 'suspendId' | 'clientActionId' | 'status'>,
): boolean {
  // What was said of a history that is lost cannot be taken back.
  if (lost.length > 0) return (status !== 'ACCEPTED' && status !== 'DEDUPLICATED') || everAccepted.has(clientActionId);
  const isOurs = accepted.get(suspendId) === clientActionId;
  if (status === 'ACCEPTED' || status === 'DEDUPLICATED') return isOurs;
  if (status === 'REJECTED_EXPIRED') return expired.has(suspendId);
  return !isOurs && !open.has(suspendId) && !expired.has(suspendId);
}

/** Whether what a server said of a wish to cancel is what the log says. */
export function isTrueCancel({ facts, terminal, lost }: KnownTask, { status }: Pick<CancelTaskResponse, 'status'>): boolean {
  if (lost.length > 0) return true;
  if (status === 'ALREADY_TERMINAL') return terminal !== undefined;
  return facts.some(({ type }) => type === 'TASK_CANCEL_REQUESTED' || type === 'TASK_CANCELLED');
}
