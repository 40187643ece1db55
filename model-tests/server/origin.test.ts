import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createTaskBridge } from '../../server/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { bridgeOf } from './bridge-of.ts';

/** Knows one token, and falls back to the cookie: what a page's own token must not lead to. */
const tokenOrCookie = ({ headers }: IncomingMessage) => {
  if (headers.authorization === 'Bearer good') return { subject: 'bob' };
  if (headers.authorization?.startsWith('Basic ')) return { subject: 'carol' };
  return headers.cookie === undefined ? undefined : { subject: headers.cookie };
};

/** Posts a task; gives the status, or the code of the error. */
async function create(url: string, headers: Record<string, string>): Promise<number | string> {
  const body = JSON.stringify({ clientRequestId: JSON.stringify(headers), taskType: 'work' });
  const response = await fetch(`${url}/api/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const { code } = (await response.json()) as { code?: string };
  return code ?? response.status;
}

/** Opens a socket; gives the status of the answer. */
async function upgrade(url: string, protocols: string[], headers: Record<string, string>): Promise<number | undefined> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/tasks/ws`, protocols, { headers });
  socket.on('error', () => undefined);
  const opened = once(socket, 'upgrade').then(() => 101);
  const refused = once(socket, 'unexpected-response').then(([, response]) => (response as IncomingMessage).statusCode);
  const status = await Promise.race([opened, refused]);
  socket.terminate();
  return status;
}

const bearer = (token: string) => ['taskbridge.v1', `bearer.${Buffer.from(token).toString('base64url')}`];
const foreign = { origin: 'https://evil.example' };

test('lets a foreign page in by the token that it brings, and never by what the browser added', async () => {
  const of = await bridgeOf(inProcess({ work: () => Promise.resolve() }), { auth: tokenOrCookie });
  expect(await upgrade(of.url, bearer('good'), { cookie: 'alice', ...foreign })).toBe(101);
  expect(await upgrade(of.url, bearer('anything'), { cookie: 'alice', ...foreign })).toBe(401);
  expect(await upgrade(of.url, bearer('anything'), { cookie: 'alice', authorization: 'Basic YTpi', ...foreign })).toBe(401);
  expect(await upgrade(of.url, ['taskbridge.v1'], { cookie: 'alice', ...foreign })).toBe(403);
  expect(await upgrade(of.url, ['taskbridge.v1'], { authorization: 'Basic YTpi', ...foreign })).toBe(403);
  expect(await upgrade(of.url, bearer('anything'), { cookie: 'alice', origin: of.url })).toBe(101);
  expect(await create(of.url, { authorization: 'Bearer good', cookie: 'alice', ...foreign })).toBe(201);
  expect(await create(of.url, { authorization: 'Bearer bad', cookie: 'alice', ...foreign })).toBe('AUTHENTICATION_ERROR');
  expect(await create(of.url, { authorization: 'basic YTpi', ...foreign })).toBe('ORIGIN_NOT_ALLOWED');
});

test('knows its own pages behind a proxy that changes the host', async () => {
  const of = await bridgeOf(inProcess({ work: () => Promise.resolve() }), { auth: tokenOrCookie });
  const page = { cookie: 'alice', origin: 'https://app.example.com' };
  expect(await create(of.url, page)).toBe('ORIGIN_NOT_ALLOWED');
  expect(await create(of.url, { ...page, 'sec-fetch-site': 'same-origin' })).toBe(201);
  expect(await create(of.url, { ...page, 'sec-fetch-site': 'same-site' })).toBe('ORIGIN_NOT_ALLOWED');
  expect(await create(of.url, { ...page, 'sec-fetch-site': 'cross-site' })).toBe('ORIGIN_NOT_ALLOWED');
  expect(await create(of.url, { ...page, 'x-forwarded-host': 'App.Example.com:443, inner' })).toBe(201);
  expect(await create(of.url, { ...page, 'x-forwarded-host': 'other.example.com' })).toBe('ORIGIN_NOT_ALLOWED');
});

test('lets in the pages of apps, extensions and subdomains that are allowed', async () => {
  const allowedOrigins = [
    'capacitor://localhost',
    'chrome-extension://abcdefghijklmnop',
    'https://*.example.com',
    'HTTPS://App.Example.org:443',
  ];
  const of = await bridgeOf(inProcess({ work: () => Promise.resolve() }), { auth: tokenOrCookie, allowedOrigins });
  const from = (origin: string) => create(of.url, { cookie: 'alice', origin });
  for (const origin of [
    'capacitor://localhost',
    'chrome-extension://abcdefghijklmnop',
    'https://a.example.com',
    'https://a.b.example.com',
    'https://app.example.org',
  ])
    expect([origin, await from(origin)]).toEqual([origin, 201]);
  for (const origin of [
    'capacitor://other',
    'ionic://localhost',
    'https://example.com',
    'http://a.example.com',
    'https://a.example.com:8443',
    'https://aexample.com',
    'https://a.example.com.evil.org',
  ])
    expect([origin, await from(origin)]).toEqual([origin, 'ORIGIN_NOT_ALLOWED']);
});

test('refuses an allowed origin that can match nothing, or far too much', () => {
  const made = (origin: string) => () =>
    createTaskBridge({ store: memoryStore(), executor: inProcess({}), auth: () => Promise.resolve(undefined), allowedOrigins: [origin] });
  for (const origin of [
    'example.com',
    'https://app.example.com/path',
    'null',
    'https://*',
    'https://*.com',
    'https://a.*.com',
    'https://app*.example.com',
    '*',
  ])
    expect(made(origin)).toThrow(RangeError);
});

test('lets pages of foreign origins change nothing with the cookie of a caller', async () => {
  const of = await bridgeOf(inProcess({ work: () => Promise.resolve() }), {
    auth: ({ headers }) => ({ subject: headers.cookie ?? headers.authorization ?? '' }),
    allowedOrigins: ['https://app.example.com'],
  });
  const post = async (headers: Record<string, string>) => {
    const body = JSON.stringify({ clientRequestId: JSON.stringify(headers), taskType: 'work' });
    const response = await fetch(`${of.url}/api/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    const { code } = (await response.json()) as { code?: string };
    return code ?? response.status;
  };
  expect(await post({ cookie: 'alice', origin: 'https://evil.example' })).toBe('ORIGIN_NOT_ALLOWED');
  expect(await post({ cookie: 'alice', origin: 'null' })).toBe('ORIGIN_NOT_ALLOWED');
  expect(await post({ cookie: 'alice', origin: 'https://app.example.com' })).toBe(201);
  expect(await post({ cookie: 'alice', origin: of.url })).toBe(201);
  expect(await post({ cookie: 'alice' })).toBe(201);
  expect(await post({ authorization: 'alice', origin: 'https://evil.example' })).toBe(201);
});
