import type { IncomingMessage } from 'node:http';
import { TaskBridgeError } from '../errors.ts';
import type { AuthContext, AuthContextResolver } from '../ports/auth.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Asks the host's resolver who sent a request: for HTTP, SSE and upgrades alike.
 *
 * Throws `AUTHENTICATION_ERROR` where nobody did, and what {@link assertSound} does.
 */
export async function authenticate(auth: AuthContextResolver, request: IncomingMessage, clock: Clock): Promise<AuthContext> {
  const context = await auth(request);
  if (!context) throw new TaskBridgeError('AUTHENTICATION_ERROR', 'The request carries no valid credentials; send them and try again.');
  assertSound(context, clock);
  return context;
}

/**
 * Fails closed: throws a plain error for a context without a subject, which would make strangers share their tasks, and
 * `AUTHENTICATION_ERROR` where the credentials have ended.
 */
export function assertSound(context: AuthContext, clock: Clock): void {
  if (typeof context.subject !== 'string' || context.subject === '') throw new Error('The auth resolver gave a context without a subject.');
  if (context.expiresAt !== undefined && context.expiresAt <= clock.now())
    throw new TaskBridgeError('AUTHENTICATION_ERROR', 'The credentials have ended; refresh them and try again.');
}
