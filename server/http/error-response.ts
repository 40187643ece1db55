import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorEnvelope } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import { httpStatus } from './status.ts';

/** An answer that is no success, ready for any kind of connection. */
export interface ErrorResponse {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** The envelope as UTF-8 JSON. */
  readonly body: Buffer;
}

/**
 * Makes any thrown value an error that a caller may see. Everything but a `TaskBridgeError` becomes `INTERNAL_ERROR` without a word of its
 * own text, which goes to the logger instead; a `TaskBridgeError` with a cause is logged too.
 */
export function callerError(thrown: unknown, logger: Logger | undefined): TaskBridgeError {
  if (thrown instanceof TaskBridgeError) {
    if (thrown.cause !== undefined) logger?.warn(thrown.message, { code: thrown.code, error: thrown.cause });
    return thrown;
  }
  logger?.error('A request failed.', { error: thrown });
  return new TaskBridgeError('INTERNAL_ERROR', 'The server failed while it answered; the request may be sent again.');
}

/** On every answer of ours, beside what the host has set: no browser takes it for a page, a script or a part of either. */
export const guardHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
};

/** Where a host's own CORS middleware has said what pages may read, that stays. */
export const EXPOSED = 'Access-Control-Expose-Headers';

/** Writes an error as status, headers and envelope. */
export function errorResponse(error: TaskBridgeError, clock: Clock): ErrorResponse {
  const envelope: ErrorEnvelope = {
    code: error.code,
    message: error.message,
    details: error.details,
    timestamp: new Date(clock.now()).toISOString(),
  };
  const body = Buffer.from(JSON.stringify(envelope));
  return {
    status: httpStatus[error.code],
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.length,
      'Cache-Control': 'no-store',
      ...guardHeaders,
      // A page of another origin reads no header that is not named here.
      ...(error.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.retryAfterSeconds), [EXPOSED]: 'Retry-After' }),
    },
    body,
  };
}

/** Answers a request whose response is not Koa's any more. Destroys it where the head is already out: nothing true can be said then. */
export function writeErrorResponse(res: ServerResponse, error: TaskBridgeError, clock: Clock): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { status, headers, body } = errorResponse(error, clock);
  res.writeHead(status, headers).end(body);
}

/** Answers an upgrade with the same envelope, on its bare socket, and closes it. */
export function refuseUpgrade(socket: Duplex, error: TaskBridgeError, clock: Clock): void {
  const { status, headers, body } = errorResponse(error, clock);
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  socket.on('error', () => socket.destroy());
  // Nobody reads this connection any more, so that its end would never be seen.
  socket.once('finish', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`), body]));
}
