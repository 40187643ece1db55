import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { inProcess } from '../../adapters/in-process/index.ts';
import { bridgeOf } from '../server/bridge-of.ts';

const nosniff = 'nosniff';
const policy = "default-src 'none'; frame-ancestors 'none'";

test('no browser takes an answer of ours for a page or a script, whatever the answer is', async () => {
  const of = await bridgeOf(inProcess({ work: () => Promise.resolve() }), {
    auth: ({ headers }) => (headers.authorization === 'none' ? undefined : { subject: 'ada' }),
  });
  const at = `${of.url}/api/v1/tasks`;
  const post = (path: string, body: string, authorization = 'some') =>
    fetch(`${at}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body });
  const created = await post('', JSON.stringify({ clientRequestId: 'r', taskType: 'work' }));
  const { taskId } = (await created.json()) as { taskId: string };
  const answers = [
    created,
    await fetch(`${at}/${taskId}`),
    await fetch(`${at}/${taskId}/events?waitTimeoutMs=1000`),
    await fetch(`${at}/${taskId}/events/stream`),
    await fetch(`${at}/${taskId}`, { method: 'OPTIONS' }),
    await fetch(`${at}/${taskId}/unknown`),
    await fetch(`${at}/ws`),
    await post('', '{'),
    await post('', '{}', 'none'),
    await fetch(`${of.url}/health`),
    await fetch(`${of.url}/ready`),
  ];
  for (const { url, status, headers } of answers)
    expect([url, status, headers.get('x-content-type-options'), headers.get('content-security-policy')]).toEqual([
      url,
      status,
      nosniff,
      policy,
    ]);
  const socket = new WebSocket(`${at.replace('http', 'ws')}/ws`, { headers: { authorization: 'none' } });
  socket.on('error', () => undefined);
  const [, refused] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  expect([refused.statusCode, refused.headers['x-content-type-options']]).toEqual([401, nosniff]);
  socket.terminate();
});
