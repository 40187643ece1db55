import type { ErrorCode, JsonObject } from '../machines/wire/index.ts';

/** More about an error than its code and message. */
export interface TaskBridgeErrorOptions {
  /** Goes to the caller. */
  readonly details?: JsonObject;
  /** Becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Stays here. */
  readonly cause?: unknown;
}

/** The one error of this library. Its message goes to the caller: it says what happened, then what to do, and nothing about the inside. */
export class TaskBridgeError extends Error {
  override readonly name = 'TaskBridgeError';
  readonly code: ErrorCode;
  readonly details: JsonObject;
  readonly retryAfterSeconds: number | undefined;
  /** Where its code is told of: a page of this package. */
  readonly help: string;

  constructor(code: ErrorCode, message: string, options: TaskBridgeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.help = `taskbridge/docs/errors.md#${code.toLowerCase()}`;
  }
}

/** The answer while the store does not. */
export function storeUnavailable(cause: unknown): TaskBridgeError {
  return new TaskBridgeError('STORE_UNAVAILABLE', 'The store did not answer; try again.', { retryAfterSeconds: 1, cause });
}

/** The answer for a question that the task never asked. */
export function suspensionNotFound(suspendId: string): TaskBridgeError {
  return new TaskBridgeError('TASK_NOT_FOUND', `There is no suspension ${JSON.stringify(suspendId.slice(0, 64))} in this task.`);
}

/** The answer for an unknown task and for a foreign one: nobody learns which. */
export function taskNotFound(taskId: string): TaskBridgeError {
  return new TaskBridgeError('TASK_NOT_FOUND', `There is no task ${JSON.stringify(taskId.slice(0, 64))} for this caller.`);
}
