import { createHash } from 'node:crypto';
import type { ForkOptions } from 'node:child_process';
import { expect, test } from 'vitest';
import { startIssuer } from '../auth/issuer.ts';
import { forkProgram, printed, startProcess } from '../support/child-process.ts';

const SECRET = 'billing-0123456789abcdefgh';
const metadata = { version: 'v0.9', surfaceId: 'feedback', sourceComponentId: 'send', name: 'submit' };

test('lets people and a service in, each to what is theirs, and takes actions that fit', async () => {
  const issuer = await startIssuer();
  const env = {
    ...process.env,
    PORT: '0',
    ISSUER: 'https://issuer.example/',
    AUDIENCE: 'tasks-api',
    JWKS: issuer.jwks.href,
    BILLING_SHA256: createHash('sha256').update(SECRET).digest('hex'),
  };
  const options = { env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] } satisfies ForkOptions;
  const start = () => forkProgram('examples/auth/host.ts', [], options);
  const host = await startProcess('The host', start, (child) => printed(child, /port: (\d+)/));
  const ask = async (token: string, path: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${host.said[1]}/api/v1/tasks${path}`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  try {
    const claims = { iss: env.ISSUER, aud: env.AUDIENCE, sub: 'ada', exp: Math.floor(Date.now() / 1000) + 3600 };
    const ada = await issuer.sign({ ...claims, scope: 'tasks:read tasks:write' });
    const reader = await issuer.sign({ ...claims, scope: 'tasks:read' });
    const create = { clientRequestId: '1', taskType: 'review' };
    expect((await ask('x', '', create)).status).toBe(401);
    expect((await ask(reader, '', create)).status).toBe(403);
    const path = `/${String((await ask(ada, '', create)).body['taskId'])}`;
    await expect.poll(async () => (await ask(reader, path)).body['state']).toBe('suspended');
    expect((await ask(SECRET, path)).status).toBe(404);
    expect((await ask(SECRET, '', create)).status).toBe(201);

    const [question] = (await ask(ada, path)).body['suspensions'] as { suspendId: string }[];
    const action = { clientActionId: 'a', suspendId: question?.suspendId, actionType: 'a2ui_action' };
    const act = async (more: object, token = ada) => (await ask(token, `${path}/actions`, { ...action, ...more })).status;
    expect(await act({ metadata: {}, payload: { rating: 5 } })).toBe(400);
    expect(await act({ metadata, payload: { rating: 6 } })).toBe(400);
    expect(await act({ metadata, payload: { rating: 5 } }, reader)).toBe(404);
    expect(await act({ metadata, payload: { rating: 5 } })).toBe(202);
    await expect.poll(async () => (await ask(ada, path)).body['result']).toEqual({ rating: 5 });
  } finally {
    await host.kill();
  }
});
