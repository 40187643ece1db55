import type { IncomingMessage } from 'node:http';

const BEARER = /^bearer +([\w.~+/-]+=*) *$/i;

/**
 * The token of `Authorization: Bearer <token>`, or undefined where there is none. Also that of a browser's WebSocket, which sends it as the
 * subprotocol `bearer.<base64url token>`: the upgrade moves it into the header before a resolver is asked.
 */
export function bearerTokenOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  return BEARER.exec(headers.authorization ?? '')?.[1];
}
