import { jwtAuth, type JwtAuthOptions } from '../../adapters/jwt/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { requireScopes } from '../../server/access/index.ts';
import type { AuthContext } from '../../server/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { securedHost } from './auth-host.ts';
import { startIssuer, type Claims } from './issuer.ts';

/** Whose tokens the bridge takes, and what for. */
export const ISSUER = 'https://issuer.example/';
export const AUDIENCE = 'tasks-api';
/** In seconds: the default. */
export const SKEW = 60;

/** An issuer, a bridge that trusts it, and the time of both. */
export async function trustingHost(options: Partial<JwtAuthOptions> = {}, alg?: string) {
  const clock = fakeClock();
  const issuer = await startIssuer(alg);
  const logged: string[] = [];
  const log = (message: string) => void logged.push(message);
  const auth = jwtAuth({ issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks, clock, logger: { warn: log, error: log }, ...options });
  const host = await securedHost({ auth, clock, store: memoryStore({ clock }), ownership: requireScopes() });
  const seconds = () => clock.now() / 1000;
  const claims = (more: Claims = {}): Claims => ({
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'ada',
    scope: 'tasks:read tasks:write',
    iat: seconds(),
    exp: seconds() + 300,
    ...more,
  });
  return { clock, issuer, host, auth, logged, seconds, claims, token: async (more?: Claims) => issuer.sign(claims(more)) };
}

/** What a resolver says of a token. */
export const contextOf = async (auth: ReturnType<typeof jwtAuth>, token: string): Promise<AuthContext | undefined> =>
  // A resolver reads the headers only.
  auth({ headers: { authorization: `Bearer ${token}` } } as Parameters<typeof auth>[0], { params: {} });
