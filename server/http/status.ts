import type { ErrorCode } from '../../machines/wire/index.ts';

/** The one table from error code to HTTP status. Source: protocol, "Errors". */
export const httpStatus: Readonly<Record<ErrorCode, number>> = {
  AUTHENTICATION_ERROR: 401,
  TASK_OWNERSHIP_ERROR: 403,
  ORIGIN_NOT_ALLOWED: 403,
  TASK_NOT_FOUND: 404,
  INVALID_REQUEST: 400,
  UPLOAD_VALIDATION_ERROR: 400,
  REQUEST_VALIDATION_ERROR: 422,
  IDEMPOTENCY_CONFLICT: 409,
  TASK_NOT_ENDED: 409,
  ACTION_NOT_ALLOWED: 409,
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  TASK_SUBMISSION_ERROR: 503,
  STORE_UNAVAILABLE: 503,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  INTERNAL_ERROR: 500,
};

/**
 * The one table from error code to the close code of a WebSocket that was already accepted. 1008 is final for clients; 1011 and 1013 make
 * them come back. Source: protocol, "WebSocket".
 */
export const closeCode: Readonly<Record<ErrorCode, number>> = {
  AUTHENTICATION_ERROR: 1008,
  TASK_OWNERSHIP_ERROR: 1008,
  ORIGIN_NOT_ALLOWED: 1008,
  TASK_NOT_FOUND: 1008,
  INVALID_REQUEST: 1008,
  UPLOAD_VALIDATION_ERROR: 1008,
  REQUEST_VALIDATION_ERROR: 1008,
  IDEMPOTENCY_CONFLICT: 1008,
  TASK_NOT_ENDED: 1008,
  ACTION_NOT_ALLOWED: 1008,
  PAYLOAD_TOO_LARGE: 1009,
  RATE_LIMITED: 1013,
  TASK_SUBMISSION_ERROR: 1011,
  STORE_UNAVAILABLE: 1013,
  NOT_FOUND: 1008,
  METHOD_NOT_ALLOWED: 1008,
  INTERNAL_ERROR: 1011,
};
