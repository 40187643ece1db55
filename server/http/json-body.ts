import type { IncomingMessage } from 'node:http';
import { TaskBridgeError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { HttpOptions } from './options.ts';
import { mediaType, readBody } from './request-body.ts';

/** How a route takes its body. */
export interface JsonBodyRules {
  /** True where no body at all means `{}`. */
  readonly optional?: boolean;
}

/**
 * Reads a JSON body.
 *
 * Throws `INVALID_REQUEST` for another content type, for bytes that are no UTF-8, for text that is no JSON and for a missing body;
 * `PAYLOAD_TOO_LARGE` above `bodyBytesMax`. What the JSON says is for the schemas to check.
 */
export async function readJson(req: IncomingMessage, options: HttpOptions, clock: Clock, rules: JsonBodyRules = {}): Promise<unknown> {
  const type = mediaType(req);
  const isJson = type === 'application/json';
  if (!isJson && !rules.optional) throw unsupportedContentType(type);
  const bytes = await readBody(req, options.bodyBytesMax, options, clock);
  if (bytes.length === 0) {
    if (rules.optional) return {};
    throw new TaskBridgeError('INVALID_REQUEST', 'The body is empty; send a JSON object.');
  }
  if (!isJson) throw unsupportedContentType(type);
  return parseJson(bytes, 'The body');
}

/** Parses UTF-8 JSON, or throws `INVALID_REQUEST` that names it. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TaskBridgeError('INVALID_REQUEST', `${what} is not valid UTF-8.`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new TaskBridgeError('INVALID_REQUEST', `${what} is not valid JSON.`);
  }
}

/** The answer to a content type that a route does not take. */
export function unsupportedContentType(type: string): TaskBridgeError {
  const got = type === '' ? 'none' : JSON.stringify(type.slice(0, 128));
  return new TaskBridgeError('INVALID_REQUEST', `Unsupported content type (${got}); send application/json.`);
}
