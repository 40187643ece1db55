import type { AuthContextResolver } from '../../server/ports/index.ts';
import { createJwtResolver, type ClaimsCheck } from './jwt-auth.ts';
import type { JwkSet, TokenOptions } from './options.ts';

/** Options of `idTokenAuth`. */
export interface IdTokenAuthOptions extends TokenOptions {
  /** The project's id: the audience, and the end of the issuer's name. */
  readonly projectId: string;
  /** The keys, or where they are published. Defaults to Google's. */
  readonly jwks?: URL | JwkSet;
}

const PROJECT = /^[a-z0-9][a-z0-9.:-]{0,127}$/;
const SUBJECT_CHARACTERS_MAX = 128;
const GOOGLE_KEYS = 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com';

/**
 * Makes a resolver for the ID tokens of Firebase Authentication: {@link jwtAuth} with its issuer, `https://securetoken.google.com/<project>`, its
 * audience, RS256 alone, and its further rules: a `sub` of 1 to 128 characters, and `iat` and `auth_time` in the past. Such tokens have no scopes;
 * where policies ask for some, `scopes` says which a signed-in person has. Throws a `RangeError` for what is no project id.
 */
export function idTokenAuth({ projectId, jwks = new URL(GOOGLE_KEYS), ...options }: IdTokenAuthOptions): AuthContextResolver {
  // Undefined would be taken for the project "undefined".
  if (typeof projectId !== 'string' || !PROJECT.test(projectId))
    throw new RangeError(`projectId (${JSON.stringify(projectId)}) must be the id of a project, like "my-app-1a2b".`);
  return createJwtResolver(
    { ...options, jwks, issuer: `https://securetoken.google.com/${projectId}`, audience: projectId, algorithms: ['RS256'] },
    checkIdToken,
  );
}

const checkIdToken: ClaimsCheck = ({ sub, iat, auth_time: authTime }, latestSeconds) => {
  const isPast = (time: unknown): boolean => typeof time === 'number' && time <= latestSeconds;
  if (!isPast(iat)) return 'The token was not issued in the past.';
  if (!isPast(authTime)) return 'Nobody signed in for this token in the past.';
  return typeof sub === 'string' && sub.length <= SUBJECT_CHARACTERS_MAX ? undefined : 'The subject of the token is too long.';
};
