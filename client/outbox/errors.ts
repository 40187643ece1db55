import type { TaskBridgeClientError } from '../errors.ts';

/** Codes that only an outbox gives; what each means is on the right. Those of a call are in a `TaskBridgeClientError`. */
export const outboxErrorCodes = {
  OUTBOX_FULL: 'Too many commands, or too many bytes of them, wait already; see `details`.',
  OUTBOX_STORE_FAILED: 'The store could not keep or change it (switched off, out of space); see `cause`.',
  OUTBOX_EXPIRED: 'It waited longer than `ageMsMax` and was given up; `wasSent` says whether the server may have it all the same.',
  OUTBOX_START_FAILED: 'The start of the task that it is for was refused, expired or withdrawn.',
  OUTBOX_WITHDRAWN: 'It was taken back; `wasSent` says whether the server may have it all the same.',
} as const;

/** A code that only an outbox gives. */
export type OutboxErrorCode = keyof typeof outboxErrorCodes;

/** True for failures that say nothing about the command itself, so that it waits and is sent again. */
export function isPassing({ code, status, retryable }: TaskBridgeClientError): boolean {
  // Without credentials that hold nothing can be said of it; a person may have to sign in first.
  if (retryable || status === 401 || status === 408 || status === 425 || status === 429) return true;
  // What is no answer of the protocol with a good status comes from a captive portal or a proxy.
  if (code === 'INVALID_RESPONSE') return true;
  return ['NETWORK_ERROR', 'TIMEOUT', 'ABORTED', 'CLOSED', 'CREDENTIALS_UNAVAILABLE'].includes(code);
}
