import type { IncomingMessage } from 'node:http';
import { TaskBridgeError } from '../../errors.ts';

/** The subprotocol that is selected where a client offers it. */
export const subprotocol = 'taskbridge.v1';

const BEARER = 'bearer.';
const BASE64_URL = /^[\w-]+$/;
/** What a header may carry without surprises. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * Browsers cannot set headers on a WebSocket and send their token as a subprotocol, `bearer.<base64url token>`. Moves it to where the
 * host's resolver looks, `authorization`, and takes it out of the protocols. A header that is there already stays.
 *
 * Throws `AUTHENTICATION_ERROR` for what is no base64url of printable characters, and for two tokens.
 */
export function moveBearerToken({ headers }: IncomingMessage): void {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const bearers = offered.filter((name) => name.startsWith(BEARER));
  const [bearer, ...others] = bearers;
  if (bearer === undefined) return;
  const encoded = bearer.slice(BEARER.length);
  const token = Buffer.from(encoded, 'base64url').toString('utf8');
  const isSound =
    others.length === 0 && BASE64_URL.test(encoded) && PRINTABLE.test(token) && Buffer.from(token).toString('base64url') === encoded;
  if (!isSound)
    throw new TaskBridgeError(
      'AUTHENTICATION_ERROR',
      'The subprotocol bearer.<token> carries no base64url text; encode the token without padding.',
    );
  headers.authorization ??= `Bearer ${token}`;
  const rest = offered.filter((name) => name !== bearer && name !== '');
  if (rest.length > 0) headers['sec-websocket-protocol'] = rest.join(', ');
  else delete headers['sec-websocket-protocol'];
}

/** Checks `allowedOrigins` once, and brings them into the form of an `Origin` header. Throws a `RangeError` for what is none. */
export function originSet(allowedOrigins: readonly string[]): ReadonlySet<string> {
  return new Set(
    allowedOrigins.map((text) => {
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (!url || url.origin === 'null' || url.pathname !== '/' || url.search !== '' || url.hash !== '')
        throw new RangeError(`allowedOrigins: ${JSON.stringify(text)} is no origin; write it like "https://app.example.com".`);
      return url.origin;
    }),
  );
}

/**
 * A browser sends its cookies with every page's WebSocket, whoever wrote the page. So where nothing but a cookie speaks for the caller, the
 * page must be of this host or of an allowed origin. A request without `Origin` is no browser's.
 *
 * Throws `TASK_OWNERSHIP_ERROR` (403).
 */
export function refuseForeignOrigin({ headers }: IncomingMessage, allowedOrigins: ReadonlySet<string>): void {
  const { cookie, authorization, origin, host } = headers;
  if (cookie === undefined || authorization !== undefined || origin === undefined) return;
  if (allowedOrigins.has(origin)) return;
  if (host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()) return;
  throw new TaskBridgeError(
    'TASK_OWNERSHIP_ERROR',
    'Pages of this origin may not use the cookies of this server; ask its host to allow the origin.',
  );
}
