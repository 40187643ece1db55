import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../ports/clock.ts';
import type { ErrorResponse } from './error-response.ts';
import type { HttpOptions } from './options.ts';

/** True while a request's body is still under way. */
export function isReceiving(req: IncomingMessage): boolean {
  const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
  return hasBody && !req.complete && !req.destroyed;
}

/**
 * Refuses a request whose body is still being sent. The whole answer goes out at once; then the body is read and thrown away for a bounded
 * while before the connection ends. An answer that is written and cut at once is lost to a client that is still sending: the reset
 * overtakes it.
 */
export function answerEarly(req: IncomingMessage, res: ServerResponse, refusal: ErrorResponse, options: HttpOptions, clock: Clock): void {
  let drained = 0;
  const finish = () => {
    clock.clearTimeout(timer);
    req.off('data', count);
    res.end();
  };
  const count = (chunk: Uint8Array) => {
    drained += chunk.length;
    if (drained > options.drainBytesMax) finish();
  };
  const timer = clock.setTimeout(finish, options.drainMs);
  res.writeHead(refusal.status, { ...refusal.headers, Connection: 'close' });
  res.write(refusal.body);
  req.on('data', count).once('end', finish).once('close', finish).on('error', finish);
  req.resume();
}
