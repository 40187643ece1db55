import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let host: ChildProcess;
let base = '';

beforeAll(async () => {
  host = spawn(process.execPath, ['--import', 'tsx', 'examples/greeter/host.ts'], {
    cwd: root,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const chunk of host.stdout ?? []) if (/port: (\d+)/.test((said += String(chunk)))) break;
  base = `http://127.0.0.1:${/port: (\d+)/.exec(said)?.[1]}/api/v1`;
});
afterAll(async () => {
  if (host.exitCode !== null) return;
  host.kill('SIGTERM');
  await once(host, 'exit');
});

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
  const gone = once(host, 'exit');
  host.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
});
