import type { IncomingMessage } from 'node:http';
import { TaskBridgeError } from '../errors.ts';
import type { AuthContext, AuthContextResolver, PathParams } from '../ports/auth.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Asks the host's resolver who sent a request: for HTTP, SSE and upgrades alike. The parameters of its path go with the answer.
 *
 * Throws `AUTHENTICATION_ERROR` where nobody did, and what {@link assertSound} does.
 */
export async function authenticate(
  auth: AuthContextResolver,
  request: IncomingMessage,
  clock: Clock,
  params: PathParams = {},
): Promise<AuthContext> {
  const answer = await auth(request, { params });
  if (!answer) throw new TaskBridgeError('AUTHENTICATION_ERROR', 'The request carries no valid credentials; send them and try again.');
  const context: AuthContext = { ...answer, params };
  assertSound(context, clock);
  return context;
}

/**
 * Fails closed: throws a plain error for a context without a subject, which would make strangers share their tasks, for an `expiresAt` that
 * is no time, which would never come, and for scopes that are no list of texts; `AUTHENTICATION_ERROR` where the credentials have ended.
 */
export function assertSound(context: AuthContext, clock: Clock): void {
  if (typeof context.subject !== 'string' || context.subject === '') throw new Error('The auth resolver gave a context without a subject.');
  // Of a text, a part would count as a scope.
  if (context.scopes !== undefined && !(Array.isArray(context.scopes) && context.scopes.every((scope) => typeof scope === 'string')))
    throw new Error('The auth resolver gave a context whose scopes are no list of texts.');
  // Callers without TypeScript give dates as texts: what compares to nothing would never end.
  if (context.expiresAt !== undefined && !Number.isFinite(context.expiresAt))
    throw new Error('The auth resolver gave a context whose expiresAt is no number of milliseconds.');
  if (context.expiresAt !== undefined && context.expiresAt <= clock.now())
    throw new TaskBridgeError('AUTHENTICATION_ERROR', 'The credentials have ended; refresh them and try again.');
}
