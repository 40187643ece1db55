import type Koa from 'koa';
import { limits } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import { jsonExcess, type JsonBounds } from '../json-scan.ts';
import type { Clock } from '../ports/clock.ts';
import type { HttpOptions } from './options.ts';
import { mediaType, payloadTooLarge, readBody } from './request-body.ts';
import { validationError } from './validation.ts';

/** Made once: to open one costs more than what it decodes. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** How a route takes its body. */
export interface JsonBodyRules {
  /** True where no body at all means `{}`. */
  readonly optional?: boolean;
}

/**
 * Reads a JSON body, or takes what a body parser of the host's has made of it (`body` of the request, as Express and Koa have it).
 *
 * Throws `INVALID_REQUEST` for another content type, for bytes that are no UTF-8, for text that is no JSON and for a missing body;
 * `PAYLOAD_TOO_LARGE` above `bodyBytesMax`, `REQUEST_VALIDATION_ERROR` above `bodyValuesMax`. What the JSON says is for the schemas to check.
 */
export async function readJson(ctx: Koa.Context, options: HttpOptions, clock: Clock, rules: JsonBodyRules = {}): Promise<unknown> {
  const type = mediaType(ctx.req);
  const isJson = type === 'application/json';
  if (!isJson && !rules.optional) throw unsupportedContentType(type);
  const bytes = parsedBefore(ctx, options.bodyBytesMax) ?? (await readBody(ctx.req, options.bodyBytesMax, options, clock));
  if (bytes.length === 0) {
    if (rules.optional) return {};
    throw new TaskBridgeError('INVALID_REQUEST', 'The body is empty; send a JSON object.');
  }
  if (!isJson) throw unsupportedContentType(type);
  // Around what a field may hold there is the body itself.
  return parseJson(bytes, 'The body', { valuesMax: options.bodyValuesMax, nestingMax: limits.nestingMax + 1 });
}

/**
 * The body that somebody read before us, as JSON again, so that all limits are those of one that we read; undefined where nobody did, or kept nothing of
 * it. Throws `PAYLOAD_TOO_LARGE`.
 */
function parsedBefore({ req, request }: Koa.Context, bytesMax: number): Uint8Array | undefined {
  if (!req.readableDidRead) return undefined;
  const value = (req as { readonly body?: unknown }).body ?? (request as { readonly body?: unknown }).body;
  if (value === undefined) return undefined;
  const bytes = value instanceof Uint8Array ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  if (bytes.length > bytesMax) throw payloadTooLarge('The request', bytesMax);
  return bytes;
}

/**
 * Parses UTF-8 JSON, or throws `INVALID_REQUEST` that names it. What has too many values, or is nested too deeply, is no JSON object yet when it is
 * refused (`REQUEST_VALIDATION_ERROR`), with the place below `field`.
 */
export function parseJson(bytes: Uint8Array, what: string, bounds: JsonBounds, field?: string): unknown {
  assertBounds(bytes, bounds, field);
  let text;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new TaskBridgeError('INVALID_REQUEST', `${what} is not valid UTF-8.`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new TaskBridgeError('INVALID_REQUEST', `${what} is not valid JSON.`);
  }
}

/** Throws `REQUEST_VALIDATION_ERROR` for JSON above its bounds, with the place below `field`. */
export function assertBounds(bytes: Uint8Array, bounds: JsonBounds, field?: string): void {
  const excess = jsonExcess(bytes, bounds);
  if (!excess) return;
  const reason =
    excess.bound === 'nestingMax'
      ? `is nested deeper than ${limits.nestingMax}`
      : `has, with all before it, more than ${bounds.valuesMax} values (bodyValuesMax)`;
  throw validationError([{ path: [...(field === undefined ? [] : [field]), ...excess.path].join('.'), reason }]);
}

/** The answer to a content type that a route does not take. */
export function unsupportedContentType(type: string): TaskBridgeError {
  const got = type === '' ? 'none' : JSON.stringify(type.slice(0, 128));
  return new TaskBridgeError('INVALID_REQUEST', `Unsupported content type (${got}); send application/json.`);
}
