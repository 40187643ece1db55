import type { IncomingMessage } from 'node:http';
import { TaskBridgeError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { HttpOptions } from './options.ts';

/** The answer to a body above a limit. */
export function payloadTooLarge(what: string, bytesMax: number): TaskBridgeError {
  return new TaskBridgeError('PAYLOAD_TOO_LARGE', `${what} is larger than ${bytesMax} bytes.`, { details: { bytesMax } });
}

/** The media type of a request, lower case and without parameters; empty where it has none. */
export function mediaType(req: IncomingMessage): string {
  return mediaTypeOf(req.headers['content-type'] ?? '');
}

/** The media type in a `Content-Type` value, lower case and without parameters. */
export function mediaTypeOf(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** Told what comes in. Exactly one of `end` and `fail` is called, once. */
export interface BodySink {
  chunk(bytes: Buffer): void;
  end(): void;
  fail(error: Error): void;
}

/**
 * Hands a request's body to a sink as it arrives, within a byte limit and a time limit, and gives a function that releases it. Fails with
 * `PAYLOAD_TOO_LARGE` as soon as the limit is passed (or announced), with `INVALID_REQUEST` where the body is late or ends early. Whatever
 * has not been read by then stays unread.
 */
export function receiveBody(req: IncomingMessage, bytesMax: number, options: HttpOptions, clock: Clock, sink: BodySink): () => void {
  if (req.readableDidRead)
    throw new TaskBridgeError('INTERNAL_ERROR', 'This server reads bodies before TaskBridge sees them; sending this again is of no use.', {
      cause: new Error('The body was read before TaskBridge saw it: mount its middleware before any body parser.'),
    });
  if (Number(req.headers['content-length'] ?? 0) > bytesMax) throw payloadTooLarge('The request', bytesMax);

  let received = 0;
  let holding = true;
  const release = () => {
    holding = false;
    clock.clearTimeout(timer);
    req.off('data', onData).off('end', onEnd).off('close', onCut);
    req.pause();
  };
  const fail = (error: Error) => {
    if (!holding) return;
    release();
    sink.fail(error);
  };
  const onData = (chunk: Buffer) => {
    received += chunk.length;
    if (received > bytesMax) fail(payloadTooLarge('The request', bytesMax));
    else sink.chunk(chunk);
  };
  const onEnd = () => {
    release();
    sink.end();
  };
  const onCut = () => fail(new TaskBridgeError('INVALID_REQUEST', 'The connection ended within the body; send the request again.'));
  const onLate = () =>
    fail(new TaskBridgeError('INVALID_REQUEST', `The body did not arrive within ${options.requestTimeoutMs} ms; send the request again.`));
  const timer = clock.setTimeout(onLate, options.requestTimeoutMs);
  // The error listener stays: a reset after the release must not become an uncaught error.
  req.on('data', onData).on('end', onEnd).on('close', onCut).on('error', onCut);
  if (req.destroyed) onCut();
  return release;
}

/** Reads a whole body into memory, within the limits of {@link receiveBody}. */
export function readBody(req: IncomingMessage, bytesMax: number, options: HttpOptions, clock: Clock): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    receiveBody(req, bytesMax, options, clock, {
      chunk: (bytes) => void chunks.push(bytes),
      end: () => resolve(Buffer.concat(chunks)),
      fail: reject,
    });
  });
}
