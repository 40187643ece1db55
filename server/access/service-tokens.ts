import { createHash, timingSafeEqual } from 'node:crypto';
import type { AuthContextResolver } from '../ports/auth.ts';
import { bearerTokenOf } from './bearer-token.ts';

/** One service and its token: the secret itself, or its SHA-256 as 64 hex digits, so that no configuration has to hold the secret. */
export interface ServiceToken {
  readonly secret?: string;
  readonly sha256?: string;
  /** Defaults to none. */
  readonly scopes?: readonly string[];
  /** Defaults to the service's name. */
  readonly appId?: string;
}

/** What `serviceTokens` knows. */
export interface ServiceTokensOptions {
  /** By the name of the service, which makes its subject `svc:<name>`; a text is the secret. */
  readonly tokens: Readonly<Record<string, string | ServiceToken>>;
}

/** What the subjects of services begin with; no other resolver of ours gives such a subject. */
export const SERVICE_PREFIX = 'svc:';

const NAME = /^[\w.-]{1,64}$/;
const SECRET_CHARACTERS_MIN = 24;
const SECRET_CHARACTERS_MAX = 4096;
/** What `Authorization: Bearer` can carry. */
const SECRET = /^[\w.~+/-]+=*$/;
const SHA256 = /^[0-9a-f]{64}$/i;

/**
 * Makes a resolver for services that show a long random token as `Authorization: Bearer …`. A token that belongs to none of them is not known
 * here (undefined), so that `anyOf` asks further. Every comparison takes the same time. To change a token, give the service two names for a
 * while, or two hosts one after the other.
 *
 * Throws a `RangeError` for a name that is no plain word, a secret of fewer than 24 or more than 4096 characters or of such that no header carries,
 * and a token that two services share.
 */
export function serviceTokens({ tokens }: ServiceTokensOptions): AuthContextResolver {
  const services = Object.entries(tokens).map(([name, given]) => {
    if (!NAME.test(name))
      throw new RangeError(`The service name ${JSON.stringify(name)} must be 1 to 64 letters, digits, ".", "_" or "-".`);
    const { scopes, appId = name, ...token } = typeof given === 'string' ? { secret: given } : given;
    return { context: { subject: `${SERVICE_PREFIX}${name}`, appId, ...(scopes && { scopes }) }, digest: digestOf(name, token) };
  });
  const shared = services.find(({ digest }, at) => services.slice(at + 1).some((other) => digest.equals(other.digest)));
  if (shared) throw new RangeError(`The token of ${shared.context.subject} belongs to another service too; give each its own.`);
  return (request) => {
    const token = bearerTokenOf(request);
    if (token === undefined) return undefined;
    const shown = sha256(token);
    // All are compared, whichever fits.
    const [found] = services.filter(({ digest }) => timingSafeEqual(digest, shown));
    return found?.context;
  };
}

function digestOf(name: string, { secret, sha256: hash }: ServiceToken): Buffer {
  if ((secret === undefined) === (hash === undefined))
    throw new RangeError(`The service ${name} needs a secret or its sha256, one of both.`);
  if (secret !== undefined && (secret.length < SECRET_CHARACTERS_MIN || secret.length > SECRET_CHARACTERS_MAX))
    throw new RangeError(
      `The secret of ${name} has ${secret.length} characters; it must have ${SECRET_CHARACTERS_MIN} to ${SECRET_CHARACTERS_MAX}.`,
    );
  if (secret !== undefined && !SECRET.test(secret))
    throw new RangeError(`The secret of ${name} may have letters, digits and "-._~+/", with "=" at its end: a header carries no others.`);
  if (hash !== undefined && !SHA256.test(hash)) throw new RangeError(`The sha256 of ${name} must be 64 hex digits.`);
  return secret === undefined ? Buffer.from(hash ?? '', 'hex') : sha256(secret);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
