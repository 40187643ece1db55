import type { Json, JsonObject } from '../../machines/wire/index.ts';
import type { Clock, Logger } from '../../server/ports/index.ts';

/** What a token says, signature and times checked. */
export type JwtClaims = JsonObject;

/** Keys as an issuer publishes them (RFC 7517). */
export interface JwkSet {
  readonly keys: readonly JsonObject[];
}

/** What both resolvers take. */
export interface TokenOptions {
  /** How far the clocks of issuer and server may be apart, in seconds, at most 600. Defaults to 60. */
  readonly clockSkewSeconds?: number;
  /** The longest token that is looked at, in bytes. Defaults to 8192. */
  readonly tokenBytesMax?: number;
  /** Defaults to the words of `scope`, else to `scp` (a list, or words). */
  readonly scopes?: (claims: JwtClaims) => readonly string[];
  /** What policies see of the claims as `attributes`. Defaults to nothing: claims may hold what does not belong in logs. */
  readonly attributes?: (claims: JwtClaims) => JsonObject;
  /** Defaults to the machine's. */
  readonly clock?: Clock;
  /** Told of keys that cannot be fetched, once for each outage. Defaults to the console. */
  readonly logger?: Logger;
}

/** Options of `jwtAuth`. */
export interface JwtAuthOptions extends TokenOptions {
  /** What `iss` has to be, to the letter. A token of another issuer is not known here. */
  readonly issuer: string;
  /** What `aud` has to be, or to have in it: one of these. */
  readonly audience: string | readonly string[];
  /**
   * The issuer's keys, or where it publishes them: by `https:`, or `http:` on this machine. They are fetched with the first token, again after ten
   * minutes, and for a key that is not among them, but not within 30 seconds.
   */
  readonly jwks: URL | JwkSet;
  /** Signatures that are taken. Defaults to RS256, PS256, ES256, ES384 and EdDSA. Never `none`, and never one whose key also signs (HS…). */
  readonly algorithms?: readonly string[];
  /** The subject of a token; undefined refuses it. Defaults to `sub`; of several issuers, give each a prefix, or they share subjects. */
  readonly subject?: (claims: JwtClaims) => string | undefined;
}

/** The defaults of {@link JwtAuthOptions}. */
export const jwtDefaults = {
  clockSkewSeconds: 60,
  tokenBytesMax: 8192,
  algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
} as const satisfies Partial<JwtAuthOptions>;

const CLOCK_SKEW_SECONDS_MAX = 600;
const ASYMMETRIC = /^((RS|PS|ES)(256|384|512)|EdDSA|Ed25519)$/;

/**
 * Throws a `RangeError` that says which option cannot work, and why. Nothing is taken on trust: a setting that a host forgot is undefined, and
 * would match tokens that say nothing either.
 */
export function checkJwtOptions(options: Checked): void {
  const { issuer, audience, jwks, algorithms, clockSkewSeconds, tokenBytesMax } = options;
  if (!isText(issuer)) throw new RangeError('issuer is empty, or no text: without it anybody could have issued a token.');
  const audiences: unknown = typeof audience === 'string' ? [audience] : audience;
  if (!Array.isArray(audiences) || audiences.length === 0 || !audiences.every(isText))
    throw new RangeError('audience is empty, or no text: without it a token for another service would be taken here.');
  for (const name of ['subject', 'scopes', 'attributes'] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw new RangeError(`${name} is no function: it is asked for each token.`);
  if (!Array.isArray(algorithms) || algorithms.length === 0)
    throw new RangeError('algorithms is empty, or no list: no token could be taken.');
  checkSafety(algorithms, clockSkewSeconds, tokenBytesMax);
  checkKeys(jwks);
}

function checkSafety(algorithms: readonly unknown[], clockSkewSeconds: number, tokenBytesMax: number): void {
  const unsafe = algorithms.filter((algorithm) => !isText(algorithm) || !ASYMMETRIC.test(algorithm));
  if (unsafe.length > 0)
    throw new RangeError(
      `algorithms has ${JSON.stringify(unsafe[0])}: only signatures whose public key cannot sign are taken (RS…, PS…, ES…, EdDSA).`,
    );
  if (typeof clockSkewSeconds !== 'number' || !(clockSkewSeconds >= 0 && clockSkewSeconds <= CLOCK_SKEW_SECONDS_MAX))
    throw new RangeError(`clockSkewSeconds (${clockSkewSeconds}) must be from 0 to ${CLOCK_SKEW_SECONDS_MAX}.`);
  if (!Number.isSafeInteger(tokenBytesMax) || tokenBytesMax < 1)
    throw new RangeError(`tokenBytesMax (${tokenBytesMax}) must be a whole number of at least 1.`);
}

function checkKeys(jwks: unknown): void {
  if (!(jwks instanceof URL)) {
    const { keys } = (jwks ?? {}) as { readonly keys?: unknown };
    if (!Array.isArray(keys) || keys.length === 0 || !keys.every((key) => typeof key === 'object' && key !== null))
      throw new RangeError('jwks must be a URL, like new URL("https://…"), or a set of at least one key: { keys: [{ … }] }.');
    return;
  }
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(jwks.hostname);
  if (jwks.protocol !== 'https:' && !(jwks.protocol === 'http:' && isLocal))
    throw new RangeError(`jwks (${jwks.href}) must be an https: address, or anybody on the way could put his own keys there.`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

type Checked = JwtAuthOptions & Required<Pick<JwtAuthOptions, keyof typeof jwtDefaults>>;

/** The words of a claim that is a text or a list of texts. */
export function wordsOf(claim: Json | undefined): readonly string[] {
  if (typeof claim === 'string') return claim.split(' ').filter((word) => word !== '');
  return Array.isArray(claim) ? claim.filter((word: unknown): word is string => typeof word === 'string') : [];
}
