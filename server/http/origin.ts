import type { IncomingMessage } from 'node:http';
import { TaskBridgeError } from '../errors.ts';

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
 * A browser sends its cookies with every page's WebSocket, form and simple POST, whoever wrote the page. So where nothing but a cookie
 * speaks for the caller, the page must be of this host or of an allowed origin. A request without `Origin` is no browser's.
 *
 * Throws `ORIGIN_NOT_ALLOWED` (403).
 */
export function refuseForeignOrigin({ headers }: IncomingMessage, allowedOrigins: ReadonlySet<string>): void {
  const { cookie, authorization, origin, host } = headers;
  if (cookie === undefined || authorization !== undefined || origin === undefined) return;
  if (allowedOrigins.has(origin)) return;
  if (host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()) return;
  throw new TaskBridgeError(
    'ORIGIN_NOT_ALLOWED',
    'Pages of this origin may not use the cookies of this server; ask its host to allow the origin.',
  );
}
