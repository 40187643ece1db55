import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { TaskBridgeError } from '../errors.ts';

/** Origins whose pages may use the cookies of this server. */
export interface OriginSet {
  /** Of the `Origin` header, as it came. */
  has(origin: string): boolean;
}

const STAR = '*.';
/** What browsers send by themselves, once a person has given it. */
const AMBIENT_SCHEME = /^(basic|digest|negotiate|ntlm)\b/i;
const BEARER_SUBPROTOCOL = /(^|,)\s*bearer\./;

/**
 * Checks `allowedOrigins` once. An origin is `scheme://host[:port]`, of any scheme (`capacitor://localhost`); `https://*.example.com` stands
 * for every host below `example.com`, not for itself. Throws a `RangeError` for what is none.
 */
export function originSet(allowedOrigins: readonly string[]): OriginSet {
  const origins = new Set<string>();
  const below: { readonly start: string; readonly end: string }[] = [];
  for (const text of allowedOrigins) {
    const origin = originOf(text);
    if (origin === undefined || origin.includes('*', origin.indexOf('//') + 3))
      throw new RangeError(`allowedOrigins: ${JSON.stringify(text)} is no origin; write it like "https://app.example.com".`);
    const [start = '', domain] = origin.split(`//${STAR}`);
    if (domain === undefined && origin.includes('*'))
      throw new RangeError(`allowedOrigins: ${JSON.stringify(text)} would match nothing; a star stands for what comes before a domain.`);
    if (domain === undefined) origins.add(origin);
    else if (!domain.includes('.'))
      throw new RangeError(`allowedOrigins: ${JSON.stringify(text)} would let in far too many; name a domain with a dot after the star.`);
    else below.push({ start: `${start}//`, end: `.${domain}` });
  }
  return {
    has: (origin) => {
      const known = originOf(origin);
      return known !== undefined && (origins.has(known) || below.some(({ start, end }) => known.startsWith(start) && known.endsWith(end)));
    },
  };
}

/** An origin in the form of the header; undefined for what is none. `URL` gives "null" for schemes that it does not know. */
function originOf(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.host === '' || !/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '' || url.username !== '')
    return undefined;
  return `${url.protocol}//${url.host}`;
}

/**
 * A browser sends its cookies with every page's WebSocket, form and simple POST, whoever wrote the page; likewise a password of HTTP's own
 * dialog and a client's certificate. So where nothing else speaks for the caller, the page must be of this host or of an allowed origin. A page
 * of another origin that brings a token of its own is let in without what the browser added. A request without `Origin` is no page's.
 *
 * `isKnown` says that the host has found out who it is: by what, nobody here can tell, so that a token beside a cookie does not count.
 *
 * Throws `ORIGIN_NOT_ALLOWED` (403).
 */
export function refuseForeignOrigin({ headers, socket }: IncomingMessage, allowed: OriginSet, isKnown = false): void {
  const { origin, authorization } = headers;
  if (origin === undefined || isOwnPage(headers, origin) || allowed.has(origin)) return;
  const isAmbient = authorization !== undefined && AMBIENT_SCHEME.test(authorization);
  const bringsToken = (authorization !== undefined && !isAmbient) || BEARER_SUBPROTOCOL.test(headers['sec-websocket-protocol'] ?? '');
  const isCertified = (socket as Partial<TLSSocket> | undefined)?.authorized === true;
  if (isCertified || ((isKnown || !bringsToken) && (headers.cookie !== undefined || isAmbient)))
    throw new TaskBridgeError(
      'ORIGIN_NOT_ALLOWED',
      'Pages of this origin may not use the cookies of this server; ask its host to allow the origin.',
    );
  delete headers.cookie;
  if (isAmbient) delete headers.authorization;
}

/**
 * By the browser's own word, which no page can forge, or by the host's name as it was asked for. A proxy often puts a name of its own into
 * `Host`; no page can set `X-Forwarded-Host` on a request that carries cookies.
 */
function isOwnPage(headers: IncomingHttpHeaders, origin: string): boolean {
  if (headers['sec-fetch-site'] === 'same-origin') return true;
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  const forwarded = headers['x-forwarded-host'];
  const names = [headers.host, ...(typeof forwarded === 'string' ? forwarded.split(',', 1) : [])];
  return names.some((name) => name !== undefined && hostOf(page.protocol, name.trim()) === page.host);
}

/** The host as a URL has it: in lower case, without the port that goes without saying. */
function hostOf(protocol: string, name: string): string | undefined {
  const text = `${protocol}//${name}`;
  return URL.canParse(text) ? new URL(text).host : undefined;
}
