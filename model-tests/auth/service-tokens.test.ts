import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { jwtAuth } from '../../adapters/jwt/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { anyOf, requireScopes, serviceTokens, type ServiceTokensOptions } from '../../server/access/index.ts';
import { TaskBridgeError, type AuthContextResolver } from '../../server/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startIssuer } from './issuer.ts';
import { securedHost } from './auth-host.ts';

const billing = 'billing-0123456789abcdefgh';
const mailer = 'mailer-0123456789abcdefghi';
const sha256 = createHash('sha256').update(mailer).digest('hex');
const ask = (resolver: AuthContextResolver, authorization?: string) =>
  // A resolver reads the headers only.
  resolver({ headers: { ...(authorization !== undefined && { authorization }) } } as Parameters<AuthContextResolver>[0], { params: {} });

describe('service tokens', () => {
  const resolver = serviceTokens({ tokens: { billing, mailer: { sha256, scopes: ['tasks:read'], appId: 'mail' } } });

  test.each([
    ['a secret', `Bearer ${billing}`, { subject: 'svc:billing', appId: 'billing' }],
    ['a hash', `Bearer ${mailer}`, { subject: 'svc:mailer', appId: 'mail', scopes: ['tasks:read'] }],
    ['a scheme in other letters', `bearer ${billing}`, { subject: 'svc:billing', appId: 'billing' }],
    ['a token that is almost right', `Bearer ${billing}x`, undefined],
    ['the hash itself', `Bearer ${sha256}`, undefined],
    ['another scheme', `Basic ${billing}`, undefined],
    ['a bare token', billing, undefined],
    ['nothing', undefined, undefined],
  ])('know a service by %s', async (_name, authorization, context) => {
    expect(await ask(resolver, authorization)).toEqual(context);
  });

  test('hold over a real request and a real upgrade, each service with tasks of its own', async () => {
    const tokens = { billing: { secret: billing, scopes: ['tasks:read', 'tasks:write'] }, mailer: { sha256, scopes: ['tasks:read'] } };
    const host = await securedHost({ auth: serviceTokens({ tokens }), ownership: requireScopes() });
    expect((await host.both(billing)).status).toBe(404);
    expect((await host.both('x'.repeat(30))).status).toBe(401);
    const taskId = await host.create(billing);
    expect((await host.call(billing, 'GET', `/${taskId}`)).status).toBe(200);
    expect((await host.call(mailer, 'GET', `/${taskId}`)).status).toBe(404);
    expect(await host.call(mailer, 'POST', '', { clientRequestId: 'r', taskType: 'ask' })).toMatchObject({ status: 403 });
  });

  test.each<[string, ServiceTokensOptions['tokens'], string]>([
    ['a name with a colon', { 'a:b': billing }, 'The service name "a:b"'],
    ['a name that is too long', { ['a'.repeat(65)]: billing }, 'The service name'],
    ['a secret that could be guessed', { a: 'x'.repeat(23) }, 'has 23 characters'],
    ['a secret that no header carries', { a: 'x'.repeat(4097) }, 'has 4097 characters'],
    ['a secret with spaces', { a: 'x x'.repeat(9) }, 'letters, digits'],
    ['neither secret nor hash', { a: {} }, 'needs a secret or its sha256'],
    ['secret and hash', { a: { secret: billing, sha256 } }, 'needs a secret or its sha256'],
    ['a hash that is none', { a: { sha256: 'abc' } }, '64 hex digits'],
    ['a token that two share', { a: mailer, b: { sha256 } }, 'svc:a belongs to another service too'],
  ])('refuse %s at once', (_name, tokens, message) => {
    expect(() => serviceTokens({ tokens })).toThrow(message);
  });

  test('take names and secrets at their limits', () => {
    expect(serviceTokens({ tokens: { ['a'.repeat(64)]: 'x'.repeat(24), b: 'y'.repeat(4096) } })).toBeTypeOf('function');
  });
});

describe('any of several resolvers', () => {
  test('asks the first that knows the credentials, and no further', async () => {
    const asked: string[] = [];
    const one = (name: string, answer: () => { subject: string } | undefined): AuthContextResolver => {
      return () => {
        asked.push(name);
        return answer();
      };
    };
    const refuses = () => {
      throw new TaskBridgeError('AUTHENTICATION_ERROR', 'It has ended.');
    };
    expect(
      await ask(
        anyOf(
          one('a', () => undefined),
          one('b', () => ({ subject: 'x' })),
          one('c', refuses),
        ),
      ),
    ).toEqual({ subject: 'x' });
    await expect(
      ask(
        anyOf(
          one('d', refuses),
          one('e', () => ({ subject: 'x' })),
        ),
      ),
    ).rejects.toThrow('It has ended.');
    expect(await ask(anyOf(one('f', () => undefined)))).toBeUndefined();
    expect(asked).toEqual(['a', 'b', 'd', 'f']);
    expect(() => anyOf()).toThrow(TypeError);
  });

  test('lets people, of two issuers, and services in by the same door, and says to each why not', async () => {
    const clock = fakeClock();
    const [staff, customers] = await Promise.all([startIssuer(), startIssuer()]);
    const trust = (issuer: string, { jwks }: { readonly jwks: URL }) => jwtAuth({ issuer, audience: 'api', jwks, clock });
    const auth = anyOf(serviceTokens({ tokens: { billing } }), trust('https://staff/', staff), trust('https://customers/', customers));
    const host = await securedHost({ auth, clock, store: memoryStore({ clock }) });
    const claims = { aud: 'api', sub: 'ada', exp: clock.now() / 1000 + 300 };
    for (const token of [
      billing,
      await staff.sign({ iss: 'https://staff/', ...claims }),
      await customers.sign({ iss: 'https://customers/', ...claims }),
    ])
      expect((await host.both(token)).status).toBe(404);
    // One issuer may not speak for another.
    expect(await host.both(await staff.sign({ iss: 'https://customers/', ...claims }))).toMatchObject({
      status: 401,
      message: 'The signature of the token does not fit.',
    });
    const ended = await customers.sign({ iss: 'https://customers/', ...claims, exp: clock.now() / 1000 - 100 });
    expect(await host.both(ended)).toMatchObject({ status: 401, message: 'The token has ended; get a new one.' });
    expect((await host.both(undefined)).status).toBe(401);
  });
});
