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
