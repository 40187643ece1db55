import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge } from 'taskbridge/server';
import { expect, it, onTestFinished } from 'vitest';

const body = JSON.stringify({ clientRequestId: 'r', taskType: 'echo' });

/** A create that waits until it is told to go on; gives how often it was, and the status. */
async function create(port: number, token: string | undefined): Promise<[continues: number, status: number | undefined]> {
  let continues = 0;
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    expect: '100-continue',
    ...(token && { authorization: token }),
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', method: 'POST', path: '/api/v1/tasks', headers, agent: false }, resolve);
    sent.on('error', reject);
    sent.on('continue', () => {
      continues += 1;
      if (continues === 1) sent.end(body);
    });
    sent.flushHeaders();
  });
  response.destroy();
  return [continues, response.statusCode];
}

it.each([true, false])('a body is asked for once, and of nobody unknown where the server leaves it to us (%s)', async (isOurs) => {
  const bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess({ echo: async (task) => task.input }),
    auth: ({ headers }) => (headers.authorization ? { subject: headers.authorization } : undefined),
  });
  const listener = bridge.handler();
  const server = createServer(listener);
  if (isOurs) server.on('checkContinue', listener);
  await bridge.start();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await bridge.close();
  });
  const { port } = server.address() as AddressInfo;
  expect(await create(port, 'ada')).toEqual([1, 201]);
  expect(await create(port, undefined)).toEqual([isOurs ? 0 : 1, 401]);
});
