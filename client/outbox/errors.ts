import type { TaskBridgeClientError } from '../errors.ts';

/** A code that only an outbox gives: of a refusal, or of the error of a call. */
export type OutboxErrorCode =
  /** Too many commands, or too many bytes of them, wait already; see `details`. */
  | 'OUTBOX_FULL'
  /** The store could not keep or change it (switched off, out of space); see `cause`. */
  | 'OUTBOX_STORE_FAILED'
  /** It waited longer than `ageMsMax` and was given up; `wasSent` says whether the server may have it all the same. */
  | 'OUTBOX_EXPIRED'
  /** The start of the task that it is for was refused, expired or withdrawn. */
  | 'OUTBOX_START_FAILED'
  /** It was taken back; `wasSent` says whether the server may have it all the same. */
  | 'OUTBOX_WITHDRAWN';

/** True for failures that say nothing about the command itself, so that it waits and is sent again. */
export function isPassing({ code, status, retryable }: TaskBridgeClientError): boolean {
  // Without credentials that hold nothing can be said of it; a person may have to sign in first.
  if (retryable || status === 401) return true;
  // What is no answer of the protocol with a good status comes from a captive portal or a proxy; the others are this client's end.
  return ['INVALID_RESPONSE', 'ABORTED', 'CLOSED'].includes(code);
}
