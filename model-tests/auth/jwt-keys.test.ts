import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { jwtAuth } from '../../adapters/jwt/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { onLoopback } from '../support/loopback.ts';
import { securedHost } from './auth-host.ts';
import { startIssuer, type Issuer } from './issuer.ts';
import { AUDIENCE, contextOf, ISSUER, SKEW, trustingHost } from './jwt-fixture.ts';

describe('the keys of an issuer', () => {
  test('are fetched once for any number of callers, and not again while they are fresh', async () => {
    const { host, issuer, token, clock } = await trustingHost();
    const ada = await token();
    await Promise.all(Array.from({ length: 20 }, () => host.call(ada, 'GET', `/${'0'.repeat(32)}`)));
    expect(issuer.fetches).toBe(1);
    clock.advance(240_000);
    await host.both(ada);
    expect(issuer.fetches).toBe(1);
  });

  test('may be rotated at any time: a new one is fetched, and one that was taken back is refused', async () => {
    const { host, issuer, token, clock } = await trustingHost();
    const before = await token({ exp: clock.now() / 1000 + 3600 });
    expect((await host.both(before)).status).toBe(404);
    // So long that the first token is older than the second fetch, however far the clocks are apart.
    clock.advance(61_000);
    await issuer.rotate('RS256');
    const after = await token({ exp: clock.now() / 1000 + 3600 });
    expect((await host.both(after)).status).toBe(404);
    expect(issuer.fetches).toBe(2);
    // It is not among the keys any more, which are newer than the token.
    expect(await host.both(before)).toMatchObject({
      status: 401,
      message: 'The token is signed with a key that its issuer does not publish.',
    });
  });

  test('are taken back within ten minutes', async () => {
    const { host, issuer, token, clock } = await trustingHost();
    const before = await token({ exp: clock.now() / 1000 + 3600 });
    expect((await host.both(before)).status).toBe(404);
    await issuer.rotate();
    clock.advance(10 * 60_000 - 1);
    expect((await host.both(before)).status).toBe(404);
    clock.advance(1);
    expect((await host.both(before)).status).toBe(401);
  });

  test('are fetched no more than every 30 seconds for names that anybody can invent', async () => {
    const { host, issuer, claims, clock } = await trustingHost();
    const invented = async (iat: number) => host.both(await issuer.sign(claims({ iat }), { kid: 'invented' }));
    const old = clock.now() / 1000 - 100;
    for (let times = 0; times < 5; times++) expect((await invented(old)).status).toBe(401);
    expect(issuer.fetches).toBe(1);
    clock.advance(30_000);
    await invented(old);
    await invented(old);
    expect(issuer.fetches).toBe(2);
  });

  test('that may be newer than those which are known are waited for: nobody is sent away', async () => {
    const { host, issuer, token, clock } = await trustingHost();
    await host.both(await token());
    clock.advance(10_000);
    await issuer.rotate();
    const after = await token();
    // The first look is cooling down.
    expect(await host.both(after)).toMatchObject({ status: 503, code: 'STORE_UNAVAILABLE', retryAfter: '20' });
    clock.advance(20_000);
    expect((await host.both(after)).status).toBe(404);
  });

  test.each<[string, number | undefined]>([
    ['by a clock that is as far behind as is allowed', -SKEW],
    ['in the second of the fetch', 0],
    ['at a time that it does not say', undefined],
  ])('are waited for, too, where the token was issued %s', async (_name, after) => {
    const { host, issuer, token, clock } = await trustingHost();
    clock.advance(300);
    await host.both(await token({ iat: Math.floor(clock.now() / 1000) }));
    clock.advance(500);
    await issuer.rotate();
    const iat = after === undefined ? undefined : Math.floor(clock.now() / 1000) + after;
    const rotated = await token({ iat });
    expect(await host.both(rotated)).toMatchObject({ status: 503, code: 'STORE_UNAVAILABLE', retryAfter: '30' });
    clock.advance(29_500);
    expect((await host.both(rotated)).status).toBe(404);
    expect(issuer.fetches).toBe(2);
  });

  test('that were published while others were fetched are waited for', async () => {
    const clock = fakeClock();
    const [before, after] = [await startIssuer(), await startIssuer()];
    await after.rotate();
    const asked: ((keys: object[]) => void)[] = [];
    let onAsked = () => {};
    const server = createServer((_request, response) => {
      asked.push((keys) => response.end(JSON.stringify({ keys })));
      onAsked();
    });
    const { url, close } = await onLoopback(server);
    onTestFinished(() => close());
    const auth = jwtAuth({ issuer: ISSUER, audience: AUDIENCE, jwks: new URL(url), clock });
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'ada', exp: clock.now() / 1000 + 900 };
    const isAsked = new Promise<void>((resolve) => (onAsked = resolve));
    const first = contextOf(auth, await before.sign(claims));
    await isAsked;
    // The answer that is on its way does not have its key yet.
    const token = await after.sign(claims);
    const second = contextOf(auth, token).catch((error: unknown) => error);
    asked[0]?.([before.publicKey()]);
    expect(await first).toMatchObject({ subject: 'ada' });
    expect(await second).toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfterSeconds: 30 });
    clock.advance(30_000);
    onAsked = () => asked[1]?.([after.publicKey()]);
    expect(await contextOf(auth, token)).toMatchObject({ subject: 'ada' });
    expect(asked).toHaveLength(2);
  });

  test.each<[string, object]>([
    ['is no point of its curve', { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
    ['lacks a part', { kty: 'EC', crv: 'P-256' }],
    ['is too short', { kty: 'RSA', n: 'AQAB', e: 'AQAB' }],
    ['is a private one', { kty: 'EC', private: true }],
  ])('refuse the tokens that name one that %s, and tell the host once', async (_name, bad) => {
    const { host, issuer, claims, token, logged } = await trustingHost();
    const broken = 'private' in bad ? { ...issuer.publicKey(), kid: 'bad', d: 'AAAA' } : { ...bad, kid: 'bad' };
    issuer.answer = JSON.stringify({ keys: [issuer.publicKey(), broken] });
    const alg = 'n' in bad ? 'RS256' : 'ES256';
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const forged = `${part({ alg, kid: 'bad' })}.${part(claims())}.eA`;
    for (const _time of [1, 2])
      expect(await host.both(forged)).toMatchObject({ status: 401, message: 'The token is signed with a key that cannot be used.' });
    expect(logged).toEqual(['A key of an issuer cannot be used; tokens that are signed with it are refused.']);
    expect((await host.both(await token())).status).toBe(404);
  });

  test('need no name where there is one key, and one where there are several', async () => {
    const { host, issuer, claims } = await trustingHost();
    expect((await host.both(await issuer.sign(claims(), { kid: null }))).status).toBe(404);
    const other = await startIssuer();
    issuer.answer = JSON.stringify({ keys: [issuer.publicKey(), { ...other.publicKey(), kid: 'key-2' }] });
    const two = await trustingHost();
    two.issuer.answer = issuer.answer;
    expect(await two.host.both(await issuer.sign(two.claims(), { kid: null }))).toMatchObject({
      status: 401,
      message: 'The token does not say which key it is signed with.',
    });
  });

  test('may be the host’s own, without any fetch', async () => {
    const issuer = await startIssuer();
    const clock = fakeClock();
    const jwks = { keys: [JSON.parse(JSON.stringify(issuer.publicKey()))] };
    const auth = jwtAuth({ issuer: ISSUER, audience: [AUDIENCE, 'other'], jwks, clock });
    const token = await issuer.sign({ iss: ISSUER, aud: ['x', 'other'], sub: 'ada', exp: clock.now() / 1000 + 9 });
    expect(await contextOf(auth, token)).toMatchObject({ subject: 'ada' });
    expect(issuer.fetches).toBe(0);
  });
});

describe('an issuer that is away', () => {
  test.each<[string, (issuer: Issuer) => void | Promise<void>]>([
    ['answers 500', (issuer) => void (issuer.answer = 500)],
    ['answers no JSON', (issuer) => void (issuer.answer = '<html>')],
    ['answers what is no set of keys', (issuer) => void (issuer.answer = '{"keys":7}')],
    ['answers a set without keys', (issuer) => void (issuer.answer = '{"keys":[]}')],
    ['answers without an end', (issuer) => void (issuer.answer = `"${'x'.repeat(300_000)}"`)],
    ['listens no longer', (issuer) => issuer.close()],
  ])('is weather, which sends nobody away: it %s', async (_name, fail) => {
    const { host, issuer, token, logged, clock } = await trustingHost();
    await fail(issuer);
    const ada = await token();
    expect(await host.both(ada)).toMatchObject({ status: 503, code: 'STORE_UNAVAILABLE', retryAfter: '1' });
    expect(await host.both(ada)).toMatchObject({ status: 503 });
    expect(issuer.fetches).toBeLessThanOrEqual(1);
    expect(logged).toEqual(['The keys of an issuer could not be fetched; it is tried again.']);
    clock.advance(1000);
    // Each failure rests twice as long.
    expect(await host.both(ada)).toMatchObject({ status: 503, retryAfter: '2' });
    expect(logged).toHaveLength(1);
  });

  test('is asked again, and its tokens are taken as soon as it is back', async () => {
    const { host, issuer, token, clock } = await trustingHost();
    issuer.answer = 503;
    const ada = await token();
    expect((await host.both(ada)).status).toBe(503);
    issuer.answer = undefined;
    clock.advance(999);
    expect((await host.both(ada)).status).toBe(503);
    clock.advance(1);
    expect((await host.both(ada)).status).toBe(404);
  });

  test('leaves who is in, for an hour, by the keys that are known', async () => {
    const { host, issuer, token, clock } = await trustingHost();
    const ada = await token({ exp: clock.now() / 1000 + 7200 });
    expect((await host.both(ada)).status).toBe(404);
    issuer.answer = 500;
    clock.advance(60 * 60_000 - 1);
    expect((await host.both(ada)).status).toBe(404);
    clock.advance(1);
    expect((await host.both(ada)).status).toBe(503);
  });

  test('keeps its keys where it answers a set of none', async () => {
    const { host, issuer, token, clock } = await trustingHost();
    const ada = await token({ exp: clock.now() / 1000 + 3600 });
    expect((await host.both(ada)).status).toBe(404);
    issuer.answer = '{"keys":[]}';
    clock.advance(11 * 60_000);
    expect((await host.both(ada)).status).toBe(404);
    expect(issuer.fetches).toBe(2);
  });

  test('is a 503, too, where the logger throws that is told', async () => {
    const log = () => {
      throw new Error('The disk is full.');
    };
    const { host, issuer, token } = await trustingHost({ logger: { warn: log, error: log } });
    issuer.answer = 500;
    expect(await host.both(await token())).toMatchObject({ status: 503, code: 'STORE_UNAVAILABLE' });
  });

  test('does not send away who has a key that it may have published by now', async () => {
    const { host, issuer, token, clock } = await trustingHost();
    await host.both(await token());
    clock.advance(40_000);
    issuer.answer = 500;
    await issuer.rotate();
    expect((await host.both(await token())).status).toBe(503);
  });

  test('is given up after five seconds of silence', async () => {
    const clock = fakeClock();
    const silent = createServer(() => undefined);
    const { url, close } = await onLoopback(silent);
    onTestFinished(() => close());
    const asked = new Promise<void>((resolve) => silent.once('request', () => resolve()));
    const auth = jwtAuth({ issuer: ISSUER, audience: AUDIENCE, jwks: new URL(url), clock, logger: { warn: () => {}, error: () => {} } });
    const issuer = await startIssuer();
    const host = await securedHost({ auth, clock, store: memoryStore({ clock }) });
    const answer = host.call(await issuer.sign({ iss: ISSUER, aud: AUDIENCE, sub: 'a', exp: clock.now() / 1000 + 9 }), 'GET', '/x');
    await asked;
    clock.advance(5000);
    expect(await answer).toMatchObject({ status: 503 });
  });

  test('may not send its keys’ readers elsewhere', async () => {
    const { issuer, token } = await trustingHost();
    const redirecting = createServer((_request, response) => response.writeHead(302, { location: issuer.jwks.href }).end());
    const { url, close } = await onLoopback(redirecting);
    onTestFinished(() => close());
    const auth = jwtAuth({ issuer: ISSUER, audience: AUDIENCE, jwks: new URL(url), logger: { warn: () => {}, error: () => {} } });
    await expect(contextOf(auth, await token())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(issuer.fetches).toBe(0);
  });
});
