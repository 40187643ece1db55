import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { bearerTokenOf, SERVICE_PREFIX } from '../../server/access/index.ts';
import {
  hostLogger,
  systemClock,
  TaskBridgeError,
  type AuthContext,
  type AuthContextResolver,
  type Logger,
} from '../../server/ports/index.ts';
import { knownKeys, publishedKeys } from './published-keys.ts';
import { checkJwtOptions, jwtDefaults, wordsOf, type JwtAuthOptions, type JwtClaims } from './options.ts';

/** A further check of claims that are sound: gives what is wrong with them, for the caller. */
export type ClaimsCheck = (claims: JwtClaims, latestSeconds: number) => string | undefined;

/** What a subject may be: it becomes part of keys, logs and metrics. */
const SUBJECT = /^[^\p{C}]{1,255}$/u;
/** The last millisecond of a date. */
const DATE_MS_MAX = 8_640_000_000_000_000;
/** The most broken keys of one issuer that its host is told of. */
const BROKEN_KEYS_TOLD_MAX = 64;

/**
 * Makes a resolver for signed tokens (JWT) of one issuer, as `Authorization: Bearer …` or as a browser's WebSocket sends them. `expiresAt` is
 * their end, so that streams are cut then and clients come with new ones; `appId` is `azp`, else `client_id`.
 *
 * No token, or one that names another issuer, is not known here (undefined), so that `anyOf` asks further. Throws `AUTHENTICATION_ERROR` for
 * one of this issuer that does not hold, and says why. Keys that cannot be fetched are `STORE_UNAVAILABLE` (503, `Retry-After`): a 401 would
 * make clients log people out. Keys that were fetched serve up to an hour while the issuer is away. A subject that begins with `svc:`
 * belongs to `serviceTokens` and is refused, unless `subject` gives it.
 *
 * Throws a `RangeError` for options that cannot work or are not safe.
 */
export function jwtAuth(options: JwtAuthOptions): AuthContextResolver {
  return createJwtResolver(options, () => undefined);
}

/** {@link jwtAuth} with a further check. */
export function createJwtResolver(options: JwtAuthOptions, check: ClaimsCheck): AuthContextResolver {
  const whole = withDefaults(options);
  checkJwtOptions(whole);
  const { issuer, audience, jwks, clock = systemClock, algorithms, clockSkewSeconds, tokenBytesMax } = whole;
  const logger = hostLogger(options.logger);
  const keyOf = jwks instanceof URL ? publishedKeys(jwks, { clock, logger, clockSkewMs: clockSkewSeconds * 1000 }) : knownKeys(jwks);
  const noteBrokenKey = brokenKeyNotes(logger, issuer);

  return async (request) => {
    const token = bearerTokenOf(request);
    if (token === undefined) return undefined;
    if (token.length > tokenBytesMax) throw refused(`The token is longer than ${tokenBytesMax} bytes.`);
    const said = unverified(token);
    if (said?.['iss'] !== issuer) return undefined;
    const issuedAt = typeof said['iat'] === 'number' ? said['iat'] * 1000 : undefined;
    const nowSeconds = Math.floor(clock.now() / 1000);
    const verified = await jwtVerify(token, (header, input) => keyOf({ header, input, issuedAt }), {
      issuer,
      audience: [audience].flat(),
      algorithms: [...algorithms],
      clockTolerance: clockSkewSeconds,
      currentDate: new Date(nowSeconds * 1000),
      requiredClaims: ['sub', 'exp'],
    }).catch((error: unknown) => refuse(error, (fault) => noteBrokenKey(token, fault)));
    // It was JSON on the wire.
    const claims = verified.payload as JwtClaims;
    const fault = check(claims, nowSeconds + clockSkewSeconds);
    if (fault !== undefined) throw refused(fault);
    return contextOf(claims, options, clockSkewSeconds);
  };
}

function withDefaults(options: JwtAuthOptions): JwtAuthOptions & Required<Pick<JwtAuthOptions, keyof typeof jwtDefaults>> {
  const { algorithms = jwtDefaults.algorithms, clockSkewSeconds = jwtDefaults.clockSkewSeconds } = options;
  const { tokenBytesMax = jwtDefaults.tokenBytesMax } = options;
  return { ...options, algorithms, clockSkewSeconds, tokenBytesMax };
}

/** What a token claims, whoever wrote it; undefined for what is none. */
function unverified(token: string): JwtClaims | undefined {
  try {
    return decodeJwt(token) as JwtClaims;
  } catch {
    return undefined;
  }
}

function contextOf(claims: JwtClaims, options: JwtAuthOptions, clockSkewSeconds: number): AuthContext {
  const { subject: subjectOf, scopes: scopesOf, attributes } = options;
  const subject = subjectOf ? subjectOf(claims) : claims['sub'];
  if (typeof subject !== 'string' || !SUBJECT.test(subject)) throw refused('The token has no subject that can be taken.');
  if (!subjectOf && subject.startsWith(SERVICE_PREFIX)) throw refused(`Subjects that begin with ${SERVICE_PREFIX} belong to services.`);
  const appId = [claims['azp'], claims['client_id']].find((claim) => typeof claim === 'string');
  return {
    subject,
    scopes: scopesOf ? scopesOf(claims) : wordsOf(claims['scope'] ?? claims['scp']),
    ...(appId !== undefined && { appId }),
    ...(attributes && { attributes: attributes(claims) }),
    // As long as the token is taken; jose has seen that this is a number.
    expiresAt: Math.min((Number(claims['exp']) + clockSkewSeconds) * 1000, DATE_MS_MAX),
  };
}

const claimFaults: Readonly<Record<string, string>> = {
  aud: 'The token is for another audience.',
  nbf: 'The token is not valid yet.',
  exp: 'The token has no end.',
  sub: 'The token has no subject.',
};

/** What jose says of a token, for its caller. */
function refuse(error: unknown, noteBrokenKey: (error: unknown) => void): never {
  if (error instanceof TaskBridgeError) throw error;
  if (error instanceof errors.JWTExpired) throw refused('The token has ended; get a new one.');
  if (error instanceof errors.JWTClaimValidationFailed)
    throw refused(claimFaults[error.claim] ?? `The claim ${JSON.stringify(error.claim)} of the token does not hold.`);
  if (error instanceof errors.JOSEAlgNotAllowed) throw refused('The token is signed in a way that is not taken here.');
  if (error instanceof errors.JWSSignatureVerificationFailed) throw refused('The signature of the token does not fit.');
  if (error instanceof errors.JWKSNoMatchingKey) throw refused('The token is signed with a key that its issuer does not publish.');
  if (error instanceof errors.JWKSMultipleMatchingKeys) throw refused('The token does not say which key it is signed with.');
  // The key was published, and is too short, or no public key, or cannot be read: that is not the caller's to know more of.
  if (error instanceof errors.JWKSInvalid || !(error instanceof errors.JOSEError)) {
    noteBrokenKey(error);
    throw refused('The token is signed with a key that cannot be used.');
  }
  throw refused('The token cannot be read.');
}

/** Tells the host of a key that cannot be used, once: anybody can name it in as many tokens as he likes. */
function brokenKeyNotes(logger: Logger, issuer: string): (token: string, error: unknown) => void {
  const told = new Set<string>();
  return (token, error) => {
    const kid = String(decodeProtectedHeader(token).kid ?? '');
    if (told.has(kid) || told.size >= BROKEN_KEYS_TOLD_MAX) return;
    told.add(kid);
    logger.error('A key of an issuer cannot be used; tokens that are signed with it are refused.', { issuer, kid, error });
  };
}

function refused(message: string): TaskBridgeError {
  return new TaskBridgeError('AUTHENTICATION_ERROR', message);
}
