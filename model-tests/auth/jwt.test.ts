import fc from 'fast-check';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { jwtAuth, type JwtAuthOptions } from '../../adapters/jwt/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { securedHost } from './auth-host.ts';
import { startIssuer, type Claims } from './issuer.ts';
import { AUDIENCE, contextOf, ISSUER, SKEW, trustingHost } from './jwt-fixture.ts';

describe('a token that holds', () => {
  test('is taken for a request, an upgrade, a create and an answer', async () => {
    const { host, token } = await trustingHost();
    const ada = await token();
    expect(await host.both(ada)).toMatchObject({ status: 404, code: 'TASK_NOT_FOUND' });
    const taskId = await host.create(ada);
    expect(await host.call(ada, 'GET', `/${taskId}`)).toMatchObject({ status: 200 });
    expect(await host.call(await token({ sub: 'bob' }), 'GET', `/${taskId}`)).toMatchObject({ status: 404 });
  });

  test('says who asks, for which scopes, from which app and how long', async () => {
    const { auth, token, seconds } = await trustingHost({ attributes: ({ org }) => ({ org: org ?? null }) });
    expect(await contextOf(auth, await token({ scope: ' tasks:read  tasks:write ', azp: 'web', org: 'acme' }))).toEqual({
      subject: 'ada',
      scopes: ['tasks:read', 'tasks:write'],
      appId: 'web',
      attributes: { org: 'acme' },
      expiresAt: (seconds() + 300 + SKEW) * 1000,
    });
    const other = await contextOf(auth, await token({ scope: undefined, scp: ['a', 7, 'b'], client_id: 'cli' }));
    expect(other).toMatchObject({ scopes: ['a', 'b'], appId: 'cli' });
    expect(await contextOf(auth, await token({ scope: undefined }))).toMatchObject({ scopes: [] });
  });

  test('lets the host name the subject and the scopes', async () => {
    const { auth, token } = await trustingHost({ subject: ({ sub }) => `acme|${JSON.stringify(sub)}`, scopes: () => ['all'] });
    expect(await contextOf(auth, await token())).toMatchObject({ subject: 'acme|"ada"', scopes: ['all'] });
  });

  test('may end at any time that a number can say', async () => {
    const { host, token } = await trustingHost();
    const ada = await token({ exp: 1e300 });
    const taskId = await host.create(ada);
    const stream = await fetch(`${host.url}/api/v1/tasks/${taskId}/events/stream`, { headers: { authorization: `Bearer ${ada}` } });
    expect((await stream.body?.getReader().read())?.done).toBe(false);
  });

  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])('may be signed by %s', async (alg) => {
    const { host, token } = await trustingHost({}, alg);
    expect((await host.both(await token())).status).toBe(404);
  });

  test('ends its streams when it ends, so that clients come with a new one', async () => {
    const { host, token, clock } = await trustingHost();
    const ada = await token();
    const taskId = await host.create(ada);
    const stream = await fetch(`${host.url}/api/v1/tasks/${taskId}/events/stream`, { headers: { authorization: `Bearer ${ada}` } });
    const reader = stream.body?.getReader();
    await reader?.read();
    clock.advance((300 + SKEW) * 1000);
    const rest = (async () => {
      while (reader && !(await reader.read()).done);
    })();
    // Cut: neither an end nor a goodbye, so that nobody takes it for the end of the log.
    await expect(rest).rejects.toThrow('terminated');
    expect(await host.both(ada)).toMatchObject({ status: 401 });
    expect((await host.both(await token())).status).toBe(404);
  });

  test.each([
    ['the very end of the skew', -SKEW + 1, 404],
    ['beyond it', -SKEW, 401],
  ])('is taken until its end and the skew are over: %s', async (_name, exp, status) => {
    const { host, token, seconds } = await trustingHost();
    expect((await host.both(await token({ exp: seconds() + exp }))).status).toBe(status);
  });

  test.each([
    ['within the skew', SKEW, 404],
    ['beyond it', SKEW + 1, 401],
  ])('may begin a little later: %s', async (_name, nbf, status) => {
    const { host, token, seconds } = await trustingHost();
    expect((await host.both(await token({ nbf: seconds() + nbf }))).status).toBe(status);
  });
});

describe('a token that does not hold', () => {
  test.each<[string, Claims, string]>([
    ['another audience', { aud: 'other-api' }, 'The token is for another audience.'],
    ['no audience', { aud: undefined }, 'The token is for another audience.'],
    ['no end', { exp: undefined }, 'The token has no end.'],
    ['no subject', { sub: undefined }, 'The token has no subject.'],
    ['an empty subject', { sub: '' }, 'The token has no subject that can be taken.'],
    ['a subject that is too long', { sub: 'a'.repeat(256) }, 'The token has no subject that can be taken.'],
    ['a subject with a line feed', { sub: 'ada\nroot' }, 'The token has no subject that can be taken.'],
    ['the subject of a service', { sub: 'svc:billing' }, 'Subjects that begin with svc: belong to services.'],
    ['another issuer', { iss: 'https://other.example/' }, 'The request carries no valid credentials; send them and try again.'],
    ['no issuer', { iss: undefined }, 'The request carries no valid credentials; send them and try again.'],
  ])('is refused: %s', async (_name, more, message) => {
    const { host, token } = await trustingHost();
    expect(await host.both(await token(more))).toMatchObject({ status: 401, code: 'AUTHENTICATION_ERROR', message });
  });

  test('is refused where its signature was made by another key of that name', async () => {
    const { host, claims } = await trustingHost();
    const stranger = await startIssuer();
    expect(await host.both(await stranger.sign(claims()))).toMatchObject({
      status: 401,
      message: 'The signature of the token does not fit.',
    });
  });

  test('is refused where its claims were changed', async () => {
    const { host, token, claims } = await trustingHost();
    const [head, , signature] = (await token()).split('.');
    const body = Buffer.from(JSON.stringify(claims({ sub: 'root' }))).toString('base64url');
    expect(await host.both(`${head}.${body}.${signature}`)).toMatchObject({
      status: 401,
      message: 'The signature of the token does not fit.',
    });
  });

  test('is refused where nobody signed it', async () => {
    const { host, claims } = await trustingHost();
    expect(await host.both(new UnsecuredJWT(claims()).encode())).toMatchObject({ status: 401 });
  });

  test('is refused where the public key served as a secret', async () => {
    const { host, issuer, claims } = await trustingHost({}, 'RS256');
    const published = new TextEncoder().encode(JSON.stringify(issuer.publicKey()));
    const forged = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'key-1' }).sign(published);
    expect(await host.both(forged)).toMatchObject({ status: 401, message: 'The token is signed in a way that is not taken here.' });
    expect(issuer.fetches).toBe(0);
  });

  test('is refused where it is signed in a way that the host did not allow', async () => {
    const { host, token } = await trustingHost({ algorithms: ['RS256'] }, 'ES256');
    expect(await host.both(await token())).toMatchObject({ status: 401, message: 'The token is signed in a way that is not taken here.' });
  });

  test.each([
    ['at the limit', 0, 404],
    ['above it', -1, 401],
  ])('is refused where it is too long: %s', async (_name, spare, status) => {
    const clock = fakeClock();
    const issuer = await startIssuer();
    const token = await issuer.sign({ iss: ISSUER, aud: AUDIENCE, sub: 'ada', exp: clock.now() / 1000 + 9 });
    const auth = jwtAuth({ issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks, clock, tokenBytesMax: token.length + spare });
    const host = await securedHost({ auth, clock, store: memoryStore({ clock }) });
    expect((await host.both(token)).status).toBe(status);
  });

  test('is refused by its length before anybody reads it', async () => {
    const { host, issuer, token } = await trustingHost();
    expect(await host.both(await token({ text: 'x'.repeat(6200) }))).toMatchObject({
      status: 401,
      message: 'The token is longer than 8192 bytes.',
    });
    expect(issuer.fetches).toBe(0);
  });

  test.each(['x', 'a.b.c', '..', 'e30.e30.', 'e30.bnVsbA.e30', `e30.${Buffer.from('[1]').toString('base64url')}.e30`])(
    'is not known where it is garbage: %s',
    async (garbage) => {
      const { host, issuer } = await trustingHost();
      expect(await host.both(garbage)).toMatchObject({ status: 401, code: 'AUTHENTICATION_ERROR' });
      expect(issuer.fetches).toBe(0);
    },
  );

  test('never throws anything but a refusal, whatever stands in its parts', async () => {
    const { auth, issuer, claims } = await trustingHost();
    const part = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url');
    const header = fc.record(
      {
        alg: fc.oneof(fc.string(), fc.constantFrom('ES256', 'none', 'HS256')),
        kid: fc.jsonValue(),
        crit: fc.jsonValue(),
        typ: fc.jsonValue(),
        b64: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const body = fc.record(
      { sub: fc.jsonValue(), aud: fc.jsonValue(), exp: fc.jsonValue(), nbf: fc.jsonValue(), iat: fc.jsonValue(), scope: fc.jsonValue() },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(header, body, fc.base64String(), async (head, more, signature) => {
        const token = `${part(head)}.${part({ ...claims(), ...more })}.${signature.replaceAll(/[+/=]/g, '')}`;
        const thrown = await contextOf(auth, token).then(
          (context) => context,
          (error: unknown) => error,
        );
        // A key that is not published yet, by what the token says of itself, is waited for.
        expect(['AUTHENTICATION_ERROR', 'STORE_UNAVAILABLE']).toContain((thrown as { readonly code?: string }).code);
        // Signed by the issuer, the strangest claims are taken or refused as well.
        const signed = await contextOf(auth, await issuer.sign({ ...claims(), ...more })).catch((error: unknown) => error);
        expect(signed).toSatisfy(
          (one: { name?: string; subject?: string }) => one.name === 'TaskBridgeError' || typeof one.subject === 'string',
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe('options that cannot work or are not safe are refused at once', () => {
  const sound: JwtAuthOptions = { issuer: ISSUER, audience: AUDIENCE, jwks: new URL('https://issuer.example/keys') };
  test.each<[string, Partial<JwtAuthOptions>, string]>([
    ['no issuer', { issuer: '' }, 'issuer is empty'],
    ['no audience', { audience: [] }, 'audience is empty'],
    ['an empty audience', { audience: ['a', ''] }, 'audience is empty'],
    ['no algorithm', { algorithms: [] }, 'algorithms is empty'],
    ['none', { algorithms: ['RS256', 'none'] }, '"none"'],
    ['a shared secret', { algorithms: ['HS256'] }, '"HS256"'],
    ['a skew below zero', { clockSkewSeconds: -1 }, 'clockSkewSeconds (-1)'],
    ['a skew above the limit', { clockSkewSeconds: 601 }, 'clockSkewSeconds (601)'],
    ['no length', { tokenBytesMax: 0 }, 'tokenBytesMax (0)'],
    ['keys without TLS', { jwks: new URL('http://issuer.example/keys') }, 'must be an https: address'],
  ])('%s', (_name, wrong, message) => {
    expect(() => jwtAuth({ ...sound, ...wrong })).toThrow(message);
  });

  // What a host without TypeScript gives, where a variable of its environment is not set.
  test.each<[keyof JwtAuthOptions, readonly unknown[]]>([
    ['issuer', [undefined, null, ['i'], 7]],
    ['audience', [undefined, null, [undefined], [['a']], 7, {}]],
    ['jwks', [undefined, null, 'https://issuer.example/keys', {}, { keys: 7 }, { keys: [] }, { keys: [7] }]],
    ['algorithms', [null, 'RS256', [undefined], [['RS256']]]],
    ['clockSkewSeconds', [null, '60', Number.NaN]],
    ['tokenBytesMax', [null, '9', Number.POSITIVE_INFINITY]],
    ['subject', ['sub', null]],
    ['scopes', [['tasks:read'], 'tasks:read']],
    ['attributes', [{}]],
  ])('%s of another type', (name, wrong) => {
    for (const value of wrong) {
      const make = () => jwtAuth({ ...sound, [name]: value });
      expect(make, JSON.stringify(value)).toThrow(RangeError);
      expect(make).toThrow(name);
    }
  });

  test('one that has a default may be undefined', async () => {
    const unset = { algorithms: undefined, clockSkewSeconds: undefined, tokenBytesMax: undefined } as object;
    const { auth, token } = await trustingHost(unset);
    expect(await contextOf(auth, await token())).toMatchObject({ subject: 'ada' });
  });

  test('at the limits they are taken', () => {
    expect(jwtAuth({ ...sound, clockSkewSeconds: 600, tokenBytesMax: 1 })).toBeTypeOf('function');
    expect(jwtAuth({ ...sound, clockSkewSeconds: 0, jwks: new URL('http://localhost:9/keys') })).toBeTypeOf('function');
  });
});
