import { unavailable } from '../errors.ts';
import type { AuthAnswer, ExpiringCredentials } from './credentials.ts';

/** What a provider's answer puts on a request, and when that ends, in milliseconds since the epoch. */
export interface GivenCredentials {
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where nobody said. */
  readonly expiresAt: number | undefined;
}

/**
 * Reads an answer, for every transport alike: each platform would trim, refuse or send something else. Throws with code
 * `CREDENTIALS_UNAVAILABLE`, and names what no header can carry.
 */
export function readCredentials(answer: AuthAnswer): GivenCredentials {
  if (typeof answer === 'string') return { headers: bearer(answer), expiresAt: undefined };
  if (!isExpiring(answer)) return { headers: readHeaders(answer ?? {}), expiresAt: undefined };
  const { token, headers = {}, expiresAt } = answer;
  return { headers: { ...readHeaders(headers), ...bearer(token) }, expiresAt };
}

/** Headers are text; a number can only be the end of something. */
function isExpiring(answer: Exclude<AuthAnswer, string>): answer is ExpiringCredentials {
  return typeof answer?.expiresAt === 'number';
}

/** An empty token is none. */
function bearer(token: string | undefined): Readonly<Record<string, string>> {
  const text = readValue('token', token);
  return text === '' ? {} : { authorization: `Bearer ${text}` };
}

function readHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const quoted = JSON.stringify(name);
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw unavailable(`gave a header by an impossible name: ${quoted}`);
    const text = readValue(`header ${quoted}`, value);
    // Without a token, the name of its scheme is nothing either.
    if (text !== '' && !/^bearer$/i.test(text)) read[name] = text;
  }
  return read;
}

/** A value as a header can carry it. Never shown: it is a secret. */
function readValue(name: string, value: string | undefined): string {
  const text = `${value ?? ''}`.trim();
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text))
    throw unavailable(`gave a ${name} that no header can carry: it has a control character, or one beyond Latin-1`);
  return text;
}

/** The bearer token among headers, for transports that cannot set any. */
export function bearerToken(headers: Readonly<Record<string, string>>): string | undefined {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  return found === undefined ? undefined : /^Bearer (.+)$/i.exec(found)?.[1];
}
