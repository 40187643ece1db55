import type { Classification, RefusedAnswer } from '../../machines/index.ts';
import type { JsonObject } from '../../machines/wire/index.ts';
import { TaskBridgeClientError } from '../errors.ts';
import type { DecodedEnding } from '../observation/frame-decoder.ts';
import type { ClientSettings } from '../options.ts';

/** Reads a body as text, no further than `bytesMax`. Rejects with code `INVALID_RESPONSE` beyond, and with whatever a torn body throws. */
export async function readText(response: Response, bytesMax: number): Promise<string> {
  // React Native's fetch has no body streams; there the whole text is all that can be had.
  if (!response.body) return response.text();
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      await reader.cancel();
      throw new TaskBridgeClientError('INVALID_RESPONSE', `The answer is above ${bytesMax} bytes.`, { status: response.status });
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** True for an object of JSON, which a list is not. */
export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses JSON that should be an object; undefined for anything else. */
export function parseObject(text: string): { readonly [key: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What `Retry-After` asks to wait, in milliseconds, at most `maxMs`; undefined where it asks nothing that can be read. */
function retryAfterMs(text: string | null | undefined, now: number, maxMs: number): number | undefined {
  if (text == null || text.trim() === '') return undefined;
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxMs);
}

/** Codes of the protocol's envelope are in capitals, and a message is beside them: what else is JSON is somebody else's. */
const CODE = /^[A-Z][A-Z\d_]*$/;

/** The refusal that a status, a body and a `Retry-After` make, with the host's word on it. */
export function refusedBy(
  { clock, limits, classify, origin }: Pick<ClientSettings, 'clock' | 'limits' | 'classify' | 'origin'>,
  status: number,
  body: string,
  retryAfter: string | null | undefined,
): RefusedAnswer & { readonly details: JsonObject } {
  const envelope = parseObject(body) ?? {};
  const { code, message, details } = envelope;
  const isOurs = typeof code === 'string' && CODE.test(code) && typeof message === 'string';
  if (isOurs) origin.hasSpoken = true;
  const waitMs = retryAfterMs(retryAfter, clock.now(), limits.retryAfterMaxMs);
  const refused = {
    status,
    ...(isOurs && { code }),
    ...(typeof message === 'string' && { message }),
    ...(!origin.hasSpoken && { isUnknown: true }),
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
    // The envelope came from JSON, so an object in it is one of JSON.
    details: isObject(details) ? (details as JsonObject) : {},
  };
  return { ...refused, ...verdictOn({ classify }, toError(refused)) };
}

/** The host's word on a failure, where it has one. */
export function verdictOn(
  { classify }: Pick<ClientSettings, 'classify'>,
  failure: TaskBridgeClientError,
): { readonly verdict?: Classification } {
  const verdict = classify?.(failure);
  return verdict ? { verdict } : {};
}

/** What a connection ends with when something throws while it is opened or read: how to tell of it, and the ending, with the host's word on it. */
export function thrownBy(settings: Pick<ClientSettings, 'classify'>, cause: unknown): readonly [reason: string, ending: DecodedEnding] {
  const text = String((cause as Error | undefined)?.message ?? cause);
  const error =
    cause instanceof TaskBridgeClientError
      ? cause
      : new TaskBridgeClientError('NETWORK_ERROR', `The connection failed: ${text}`, { cause, retryable: true });
  // A route that is none will be none the next time, too.
  const kind = error.code === 'INVALID_ARGUMENT' ? 'unsendable' : 'lost';
  return [`network: ${text}`, { kind, error, ...verdictOn(settings, error) }];
}

/** The same as an error. */
export function toError({
  status,
  code,
  message,
  retryAfterMs: waitMs,
  details = {},
}: RefusedAnswer & { readonly details?: JsonObject }): TaskBridgeClientError {
  return new TaskBridgeClientError(
    code ?? (status >= 500 ? 'SERVER_ERROR' : 'REQUEST_REFUSED'),
    message ?? `The server answered ${status}.`,
    {
      status,
      details,
      codeFrom: code === undefined ? 'client' : 'server',
      // Only the server's own word is final; what a proxy says passes.
      retryable: code === undefined || status === 408 || status === 425 || status === 429 || status >= 500,
      retryAfterMs: waitMs,
    },
  );
}
