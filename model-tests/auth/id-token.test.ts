import { describe, expect, test } from 'vitest';
import { idTokenAuth } from '../../adapters/jwt/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { requireScopes } from '../../server/access/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startIssuer, type Claims } from './issuer.ts';
import { securedHost } from './auth-host.ts';

const PROJECT = 'bakery-1a2b';

/** A local issuer that speaks as Firebase does. */
async function stage(alg = 'RS256') {
  const clock = fakeClock();
  const issuer = await startIssuer(alg);
  const everything = () => ['tasks:read', 'tasks:write'];
  const auth = idTokenAuth({ projectId: PROJECT, jwks: issuer.jwks, scopes: everything, clock });
  const host = await securedHost({ auth, clock, store: memoryStore({ clock }), ownership: requireScopes() });
  const seconds = clock.now() / 1000;
  const token = (more: Claims = {}) =>
    issuer.sign({
      iss: `https://securetoken.google.com/${PROJECT}`,
      aud: PROJECT,
      sub: 'Uid0123456789',
      auth_time: seconds - 100,
      iat: seconds - 10,
      exp: seconds + 3590,
      firebase: { sign_in_provider: 'password' },
      ...more,
    });
  return { host, token, seconds, clock };
}

describe('an ID token', () => {
  test('is taken for a request, an upgrade and a create, with the scopes that the host gives to who is signed in', async () => {
    const { host, token } = await stage();
    const ada = await token();
    expect((await host.both(ada)).status).toBe(404);
    const taskId = await host.create(ada);
    expect((await host.call(ada, 'GET', `/${taskId}`)).status).toBe(200);
    expect((await host.call(await token({ sub: 'Uid2' }), 'GET', `/${taskId}`)).status).toBe(404);
  });

  test.each<[string, Claims, string]>([
    ['of another project', { aud: 'other' }, 'The token is for another audience.'],
    ['of another issuer', { iss: 'https://accounts.google.com' }, 'The request carries no valid credentials; send them and try again.'],
    ['whose person has not signed in yet', { auth_time: 9e9 }, 'Nobody signed in for this token in the past.'],
    ['that does not say when its person signed in', { auth_time: undefined }, 'Nobody signed in for this token in the past.'],
    ['of the future', { iat: 8e9, exp: 9e9 }, 'The token was not issued in the past.'],
    ['without a time', { iat: undefined }, 'The token was not issued in the past.'],
    ['without a subject', { sub: '' }, 'The token has no subject that can be taken.'],
    ['whose subject is too long', { sub: 'a'.repeat(129) }, 'The subject of the token is too long.'],
  ])('%s is refused', async (_name, more, message) => {
    const { host, token } = await stage();
    expect(await host.both(await token(more))).toMatchObject({ status: 401, code: 'AUTHENTICATION_ERROR', message });
  });

  test('may be of a clock that is a minute ahead', async () => {
    const { host, token, seconds } = await stage();
    expect((await host.both(await token({ auth_time: seconds + 60, iat: seconds + 60 }))).status).toBe(404);
    expect((await host.both(await token({ auth_time: seconds + 61, iat: seconds + 60 }))).status).toBe(401);
  });

  test('has to be signed by RS256', async () => {
    const { host, token } = await stage('ES256');
    expect(await host.both(await token())).toMatchObject({ status: 401, message: 'The token is signed in a way that is not taken here.' });
  });

  test.each(['', 'A project', 'a/../b', '-a'])('needs the id of a project, which %j is not', (projectId) => {
    expect(() => idTokenAuth({ projectId })).toThrow(RangeError);
  });

  test('needs one that is a text', () => {
    // Of a host without TypeScript: a variable of its environment that is not set.
    for (const projectId of [undefined, null, ['bakery']]) expect(() => idTokenAuth({ projectId } as never)).toThrow('projectId');
  });
});
