import type { FactPayload } from '../../machines/wire/index.ts';

// Read by name and shape, without Temporal's classes: the host, the workflow sandbox and the worker each have their own copy of them.

interface FailureLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly type?: unknown;
  readonly nonRetryable?: unknown;
  readonly details?: unknown;
}

/** The first detail of a failure that `taskFailure` made. */
export interface FailureDetail {
  readonly taskbridge: { readonly retryable: boolean };
}

const CODE = /^[A-Z][A-Z0-9_]{0,255}$/;
const MESSAGE_CHARACTERS_MAX = 1024;
const WRAPPERS = ['WorkflowFailedError', 'ActivityFailure', 'ChildWorkflowFailure'];

/** What people read of a failure that was not made for them: its text may tell secrets. Temporal's history has all of it. */
const NEUTRAL = 'The work failed.';

/**
 * What the log says of a failure: its code and text are those of the innermost `ApplicationFailure` where its type is written like a code
 * (`CARD_DECLINED`), else `HANDLER_FAILED` and nothing of its text; it is retryable as `taskFailure` says, else where a code was given and
 * Temporal may retry it.
 */
export function failurePayload(error: unknown): FactPayload<'TASK_FAILED'> {
  const { name, message, type, nonRetryable, details } = innermost(error);
  const text = typeof message === 'string' && message !== '' ? message.slice(0, MESSAGE_CHARACTERS_MAX) : NEUTRAL;
  if (name === 'TimeoutFailure') return { code: 'WORK_TIMED_OUT', message: 'The work did not end in time.', retryable: true };
  // The word of the person who terminated it.
  if (name === 'TerminatedFailure') return { code: 'WORKFLOW_TERMINATED', message: text, retryable: true };
  if (name !== 'ApplicationFailure' || typeof type !== 'string' || !CODE.test(type))
    return { code: 'HANDLER_FAILED', message: NEUTRAL, retryable: false };
  return { code: type, message: text, retryable: retryableIn(details) ?? nonRetryable !== true };
}

/** True where somebody cancelled the work. */
export function isCancelled(error: unknown): boolean {
  return innermost(error).name === 'CancelledFailure';
}

function innermost(error: unknown): FailureLike {
  let failure = asFailure(error);
  while (WRAPPERS.includes(String(failure.name)) && typeof failure.cause === 'object' && failure.cause !== null) failure = failure.cause;
  return failure;
}

function asFailure(error: unknown): FailureLike {
  return typeof error === 'object' && error !== null ? error : {};
}

function retryableIn(details: unknown): boolean | undefined {
  const [detail] = Array.isArray(details) ? (details as unknown[]) : [];
  if (typeof detail !== 'object' || detail === null || !('taskbridge' in detail)) return undefined;
  // Only taskFailure writes this key.
  return (detail as FailureDetail).taskbridge.retryable;
}
