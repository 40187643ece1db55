import type { ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { forkProgram, printed, startProcess, type RunningProcess } from '../support/child-process.ts';

let host: RunningProcess<RegExpExecArray>;
let base = '';

beforeAll(async () => {
  const options = { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] } satisfies ForkOptions;
  const start = () => forkProgram('examples/greeter/host.ts', [], options);
  host = await startProcess('The greeter', start, (child) => printed(child, /port: (\d+)/));
  base = `http://127.0.0.1:${host.said[1]}/api/v1`;
});
afterAll(() => host.kill());

const headers = { authorization: 'Bearer demo', 'content-type': 'application/json' };
async function call(path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(
    `${base}${path}`,
    body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) },
  );
  expect(response.ok).toBe(true);
  return (await response.json()) as Record<string, unknown>;
}

it('has at most 40 lines', async () => {
  expect(
    (await readFile(new URL('../../examples/greeter/host.ts', import.meta.url), 'utf8')).trimEnd().split('\n').length,
  ).toBeLessThanOrEqual(40);
});

it('asks for a name and greets', async () => {
  const { taskId } = await call('/tasks', { clientRequestId: '1', taskType: 'greet' });
  const path = `/tasks/${String(taskId)}`;
  await expect.poll(async () => (await call(path))['state']).toBe('suspended');
  const suspensions = (await call(path))['suspensions'] as { suspendId: string }[];
  await call(`${path}/actions`, {
    clientActionId: '1',
    suspendId: suspensions[0]?.suspendId,
    actionType: 'tell',
    payload: { name: 'Ada' },
  });
  await expect.poll(async () => (await call(path))['result']).toEqual({ greeting: 'Hello, Ada!' });
});

it('ends on SIGTERM', async () => {
  const gone = once(host.child, 'exit');
  host.child.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
});
