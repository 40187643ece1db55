import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { onTestFinished } from 'vitest';
import { onLoopback } from '../support/loopback.ts';

/** What a token says; what is undefined is left out. */
export type Claims = Readonly<Record<string, unknown>>;

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly secret: CryptoKey;
  readonly published: object;
}

/** An issuer of tokens that publishes its keys by a real HTTP server, and can rotate them and fail. */
export interface Issuer {
  /** Where its keys are. */
  readonly jwks: URL;
  /** How often its keys were asked for. */
  readonly fetches: number;
  /** What it answers instead of its keys: a status, or a text. Undefined: the keys. */
  answer: number | string | undefined;
  /** Takes its keys back and publishes a new one, which signs from then on. */
  rotate(alg?: string): Promise<void>;
  /** Signs with its newest key, whatever is claimed; `kid: null` leaves the key's name out. */
  sign(claims: Claims, header?: { readonly kid?: string | null }): Promise<string>;
  /** Its newest key as it is published. */
  publicKey(): object;
  close(): Promise<void>;
}

/** Starts one; it is closed when the test has finished. */
export async function startIssuer(alg = 'ES256'): Promise<Issuer> {
  let keys: SigningKey[] = [await makeKey(1, alg)];
  let made = 1;
  let fetches = 0;
  const server = createServer((_request, response) => {
    fetches++;
    const { answer } = issuer;
    if (typeof answer === 'number') response.writeHead(answer).end();
    else
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(answer ?? JSON.stringify({ keys: keys.map(({ published }) => published) }));
  });
  const { url, close } = await onLoopback(server);
  onTestFinished(() => close());

  function newest(): SigningKey {
    const [key] = keys;
    if (!key) throw new Error('An issuer has a key.');
    return key;
  }
  const issuer: Issuer = {
    jwks: new URL('/keys', url),
    get fetches() {
      return fetches;
    },
    answer: undefined,
    async rotate(next = newest().alg) {
      keys = [await makeKey(++made, next)];
    },
    async sign(claims, { kid = newest().kid } = {}) {
      const { alg: signedBy, secret } = newest();
      return new SignJWT(claims).setProtectedHeader({ alg: signedBy, ...(kid !== null && { kid }) }).sign(secret);
    },
    publicKey: () => newest().published,
    close,
  };
  return issuer;
}

/** One of RSA takes a second to make, so that each process makes one for the issuers of its tests. */
const rsaKeys = new Map<string, ReturnType<typeof generateKeyPair>>();

function keyPair(number: number, alg: string): ReturnType<typeof generateKeyPair> {
  const known = number === 1 ? rsaKeys.get(alg) : undefined;
  const made = known ?? generateKeyPair(alg, { extractable: true });
  if (/^[RP]S/.test(alg)) rsaKeys.set(alg, made);
  return made;
}

async function makeKey(number: number, alg: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await keyPair(number, alg);
  const kid = `key-${number}`;
  return { kid, alg, secret: privateKey, published: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}
