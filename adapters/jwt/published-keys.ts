import { createLocalJWKSet, errors, type CryptoKey, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { retryDelayMs, type RetryPolicy } from '../../machines/index.ts';
import { monotonicMs, TaskBridgeError, type Clock, type Logger } from '../../server/ports/index.ts';
import type { JwkSet } from './options.ts';

/** What a token is signed with. */
export interface SignedToken {
  readonly header: JWSHeaderParameters;
  readonly input: FlattenedJWSInput;
  /** Its `iat` in milliseconds, where it has one. */
  readonly issuedAt: number | undefined;
}

/** Gives the key of a token. Throws an error of jose's where the issuer has none for it, `STORE_UNAVAILABLE` where that cannot be known now. */
export type KeySet = (token: SignedToken) => Promise<CryptoKey>;

/** What a set of published keys needs. */
export interface PublishedKeysDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How far the clocks of issuer and server may be apart. */
  readonly clockSkewMs: number;
}

/** Then the keys are fetched anew, so that one that its issuer took back is taken no longer. */
const FRESH_MS = 10 * 60 * 1000;
/** So long they serve where they cannot be fetched anew; tokens live about as long, and who is in shall stay in. */
const STALE_MS = 60 * 60 * 1000;
/** No more than one fetch in that time for keys that are unknown: anybody can invent such. */
const COOL_DOWN_MS = 30_000;
const FETCH_MS = 5000;
/** `iat` is cut to whole seconds: the token may be as much younger. */
const ISSUED_AT_ROUNDING_MS = 1000;
const BYTES_MAX = 256 * 1024;
/** Somebody waits for each fetch: how long the next ones wait after one that failed. */
const fetchRetry: RetryPolicy = { baseMs: 1000, maxMs: COOL_DOWN_MS, triesMax: Infinity, jitter: 0 };

/** Keys that a host has. */
export function knownKeys(jwks: JwkSet): KeySet {
  const find = createLocalJWKSet(asJose(jwks));
  return ({ header, input }) => find(header, input);
}

/** Keys that an issuer publishes: one fetch at once, whoever waits for it. */
export function publishedKeys(url: URL, deps: PublishedKeysDeps): KeySet {
  const published = new PublishedKeys(url, deps);
  return (token) => published.keyOf(token);
}

/** What was fetched: as the issuer had it at some time after `fetchedAt`. */
interface FetchedKeys {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  /** The date, which tokens have too. */
  readonly fetchedAt: number;
  /** The same in monotonic time, by which their age is measured. */
  readonly since: number;
  /** Which fetch it was. */
  readonly number: number;
}

class PublishedKeys {
  readonly #url: URL;
  readonly #deps: PublishedKeysDeps;
  #known: FetchedKeys | undefined;
  /** How many fetches have begun. */
  #begun = 0;
  #fetching: Promise<void> | undefined;
  #failures = 0;
  /** In monotonic time. */
  #restUntil = Number.NEGATIVE_INFINITY;

  constructor(url: URL, deps: PublishedKeysDeps) {
    this.#url = url;
    this.#deps = deps;
  }

  async keyOf({ header, input, issuedAt }: SignedToken): Promise<CryptoKey> {
    const begunBefore = this.#begun;
    if (!this.#isYounger(FRESH_MS)) await this.#refresh();
    if (!this.#known || !this.#isYounger(STALE_MS)) throw this.#unavailable();
    for (let keys = this.#known; ; keys = this.#known) {
      try {
        return await keys.find(header, input);
      } catch (error) {
        // Of a fetch that began when the token was here already, the answer is certain: whoever signs has published the key before.
        if (!(error instanceof errors.JWKSNoMatchingKey) || keys.number > begunBefore) throw error;
        await this.#refresh();
        if (this.#known !== keys) continue;
        // The token's key may be newer than those which are known: that is no reason to send anybody away.
        if (this.#failures > 0 || !this.#isOlder(issuedAt, keys)) throw this.#unavailable();
        throw error;
      }
    }
  }

  /** Whether a token was surely signed before the keys were fetched, however far the clocks are apart. One that says no time may be new. */
  #isOlder(issuedAt: number | undefined, { fetchedAt }: FetchedKeys): boolean {
    return issuedAt !== undefined && issuedAt + ISSUED_AT_ROUNDING_MS + this.#deps.clockSkewMs <= fetchedAt;
  }

  #isYounger(ms: number): boolean {
    return this.#known !== undefined && monotonicMs(this.#deps.clock) - this.#known.since < ms;
  }

  /** Fetches unless that was done just now. Never rejects: what is known by then decides. */
  async #refresh(): Promise<void> {
    if (!this.#fetching && monotonicMs(this.#deps.clock) < this.#restUntil) return;
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined));
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { clock, logger } = this.#deps;
    const [fetchedAt, since, number] = [clock.now(), monotonicMs(clock), ++this.#begun];
    try {
      this.#known = { find: createLocalJWKSet(asJose(await fetchKeys(this.#url, clock))), fetchedAt, since, number };
      this.#failures = 0;
      this.#restUntil = monotonicMs(clock) + COOL_DOWN_MS;
    } catch (error) {
      this.#restUntil = monotonicMs(clock) + retryDelayMs(fetchRetry, this.#failures++);
      if (this.#failures === 1)
        logger.warn('The keys of an issuer could not be fetched; it is tried again.', { url: this.#url.href, error });
    }
  }

  #unavailable(): TaskBridgeError {
    const retryAfterSeconds = Math.max(1, Math.ceil((this.#restUntil - monotonicMs(this.#deps.clock)) / 1000));
    return new TaskBridgeError('STORE_UNAVAILABLE', 'The keys that tokens are checked with cannot be fetched now; try again later.', {
      retryAfterSeconds,
    });
  }
}

async function fetchKeys(url: URL, clock: Clock): Promise<JwkSet> {
  const stop = new AbortController();
  const timer = clock.setTimeout(() => stop.abort(new Error(`No answer within ${FETCH_MS} milliseconds.`)), FETCH_MS);
  try {
    const response = await fetch(url, { redirect: 'error', headers: { accept: 'application/json' }, signal: stop.signal });
    if (!response.ok) throw new Error(`Answered ${response.status}.`);
    // jose checks that it is a set of keys.
    const jwks = JSON.parse(await textOf(response)) as Partial<JwkSet> | null;
    // An issuer that is starting, or broken: nobody could be let in by it, so that the keys from before are better.
    if (jwks?.keys?.length === 0) throw new Error('Answered a set without keys.');
    return jwks as JwkSet;
  } finally {
    clock.clearTimeout(timer);
    stop.abort();
  }
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BYTES_MAX) throw new Error(`Answered more than ${BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** jose copies what it is given and refuses what is no set of keys. */
function asJose(jwks: JwkSet): JSONWebKeySet {
  return jwks as unknown as JSONWebKeySet;
}
