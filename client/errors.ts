import type { TransportFailure } from '../machines/index.ts';
import type { ErrorCode, JsonObject } from '../machines/wire/index.ts';
import { abortReason } from './abort.ts';

/** A code that only a client gives. */
export type ClientErrorCode =
  /** No answer came: no connection, a cut, or a redirect, which is not followed. */
  | 'NETWORK_ERROR'
  /** No answer came in time. */
  | 'TIMEOUT'
  /** The caller gave up by its signal. */
  | 'ABORTED'
  /** The client or the observation was closed. */
  | 'CLOSED'
  /** The call cannot be sent as it stands, or its route threw; the message says why. */
  | 'INVALID_ARGUMENT'
  /** The answer is not what the protocol says, or is too large. */
  | 'INVALID_RESPONSE'
  /** The server answered 4xx without an envelope. */
  | 'REQUEST_REFUSED'
  /** The server answered 5xx without an envelope. */
  | 'SERVER_ERROR'
  /** The server closed the WebSocket for good; see `closeCode`. */
  | 'CONNECTION_REFUSED'
  /** The auth provider failed (see `cause`), gave nothing in time, or what no header can carry. */
  | 'CREDENTIALS_UNAVAILABLE'
  /** The server ruled out every transport that may be used. */
  | 'NO_TRANSPORT'
  /** An iterator was asked for after the facts that it begins with were let go. */
  | 'FACTS_RELEASED'
  /** An iterator came to text of a part that is not kept here any more, or that never came. */
  | 'TEXT_RELEASED'
  /** Of an actor of `taskbridge/xstate`: its task failed, and `details` are the failure. */
  | 'TASK_FAILED'
  /** The same: its task was cancelled, and `details` say why. */
  | 'TASK_CANCELLED';

/** More about an error than its code and message. */
export interface TaskBridgeClientErrorOptions {
  readonly details?: JsonObject;
  readonly status?: number | undefined;
  readonly closeCode?: number | undefined;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
  /** Defaults to `client`. */
  readonly codeFrom?: 'server' | 'client';
  readonly cause?: unknown;
}

/** The one error of the client. The message says what happened, then what to do. */
export class TaskBridgeClientError extends Error {
  override readonly name = 'TaskBridgeClientError';
  /** A code of the server's envelope, a {@link ClientErrorCode}, or a code of another server. */
  readonly code: ErrorCode | ClientErrorCode | (string & {});
  /** Whose code that is: the server's, from its envelope, or this client's, a {@link ClientErrorCode}. */
  readonly codeFrom: 'server' | 'client';
  /** The envelope's details; empty where there were none. */
  readonly details: JsonObject;
  /** The HTTP status, where an answer was the reason. */
  readonly status: number | undefined;
  /** The WebSocket close code, where a close was the reason. */
  readonly closeCode: number | undefined;
  /** True where the same call may succeed later. */
  readonly retryable: boolean;
  /** What the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Where a code of the package is told of: in its pages. */
  readonly help: string;

  constructor(code: TaskBridgeClientError['code'], message: string, options: TaskBridgeClientErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.codeFrom = options.codeFrom ?? 'client';
    this.details = options.details ?? {};
    this.status = options.status;
    this.closeCode = options.closeCode;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.help = `taskbridge/docs/errors.md#${code.toLowerCase()}`;
  }
}

/** The error of what cannot be used as it was given; nothing was sent. */
export function invalidArgument(message: string, cause?: unknown): TaskBridgeClientError {
  return new TaskBridgeClientError('INVALID_ARGUMENT', message, { cause });
}

/** The error of a call whose signal was aborted; its reason is the cause. */
export function aborted(signal: AbortSignal): TaskBridgeClientError {
  // Whoever aborts with an error of ours (a closed client, a time-out) means that very error.
  const reason = abortReason(signal);
  if (reason instanceof TaskBridgeClientError) return reason;
  return new TaskBridgeClientError('ABORTED', 'The call was aborted by its signal.', { cause: reason });
}

/** The error of whatever needs credentials and has none; the provider may have some later. */
export function unavailable(what: string, cause?: unknown): TaskBridgeClientError {
  return new TaskBridgeClientError('CREDENTIALS_UNAVAILABLE', `The auth provider ${what}.`, { cause, retryable: true });
}

/** The error of whatever is asked after the end. */
export function closed(what: 'client' | 'observation' | 'outbox'): TaskBridgeClientError {
  return new TaskBridgeClientError('CLOSED', `The ${what} is closed. Make a new one to go on.`);
}

/** The transport chart's last word as an error; an error of ours that was its cause is passed on. */
export function fatal({ code, message, status, closeCode, cause }: TransportFailure): TaskBridgeClientError {
  if (cause instanceof TaskBridgeClientError) return cause;
  return new TaskBridgeClientError(code, message, {
    // A refusal without an envelope has a code of ours.
    codeFrom: status === undefined || code === 'REQUEST_REFUSED' || code === 'SERVER_ERROR' ? 'client' : 'server',
    status,
    closeCode,
    cause,
  });
}
