import type { JsonObject } from './json.ts';

/** Every code that an error envelope may carry; what each means to a caller is on the right. */
export const errorCodes = {
  AUTHENTICATION_ERROR: 'The credentials are missing, wrong or out of date.',
  TASK_OWNERSHIP_ERROR: 'This caller may not create such a task.',
  ORIGIN_NOT_ALLOWED: 'A page of this origin may not use the cookies of this server.',
  TASK_NOT_FOUND: 'There is no such task, or no such suspension or file in it, for this caller.',
  INVALID_REQUEST: 'The body cannot be read, or has a content type that is not supported.',
  UPLOAD_VALIDATION_ERROR: 'An attachment is too large, one too many, or of a type that is not allowed.',
  REQUEST_VALIDATION_ERROR: 'A field is missing, unknown or out of range; `details.errors[]` says which.',
  IDEMPOTENCY_CONFLICT: 'The same client-made id was used before with other content.',
  TASK_NOT_ENDED: 'The task has not ended: it can be neither removed nor started again.',
  ACTION_NOT_ALLOWED: 'The suspension does not take an action of this type.',
  PAYLOAD_TOO_LARGE: 'The request, or a file, is larger than the limit in `details`.',
  RATE_LIMITED: 'Too many at once; `Retry-After` says when to come back.',
  TASK_SUBMISSION_ERROR: 'The executor refused the task, which is recorded as failed.',
  STORE_UNAVAILABLE: 'The store did not answer, or holds state of a newer version; try again later.',
  NOT_FOUND: 'There is no such route.',
  METHOD_NOT_ALLOWED: 'The route exists, but not for this method; see `Allow`.',
  INTERNAL_ERROR: 'The server failed; nothing is said about how.',
} as const;

/** A code of the error envelope. */
export type ErrorCode = keyof typeof errorCodes;

/** The body of every answer that is no success. */
export interface ErrorEnvelope {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: JsonObject;
  /** RFC 3339, UTC. */
  readonly timestamp: string;
}
