import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { root, snippet } from './snippets.ts';

const run = promisify(execFile);
const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
// Inside the project, so that its packages are found.
const folder = mkdtempSync(join(root, 'model-tests/readme/run-'));
let host: ChildProcess;
let port = 0;

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    text
      .replaceAll('localhost:3000', `localhost:${port}`)
      .replace('listen(3000)', `listen(${port})`)
      .replace('./data', join(folder, 'data')),
  );
  return path;
}

beforeAll(async () => {
  port = await freePort();
  host = spawn(process.execPath, [tsx, write('host.ts', snippet('host'))], { cwd: root, stdio: 'inherit' });
  await vi.waitFor(async () => expect((await fetch(`http://localhost:${port}/ready`)).status).toBe(200), { interval: 100 });
});

afterAll(async () => {
  const gone = once(host, 'exit');
  host.kill('SIGTERM');
  await gone;
  rmSync(folder, { recursive: true, force: true });
});

test('the client of the README bakes a cake with the host of the README', async () => {
  const { stdout } = await run(process.execPath, [tsx, write('client.ts', `${snippet('client')}\nawait client.close();\n`)], { cwd: root });
  expect(stdout.trim().split('\n').at(-1)).toBe("{ topping: 'cream' }");
  expect(stdout).toContain('ws suspended');
});

test('the curl commands of the README start, read, watch and answer a task', async () => {
  const commands = snippet('curl').split(/\n(?=curl )/);
  expect(commands).toHaveLength(4);
  const curl = async (index: number, env: Record<string, string> = {}): Promise<string> => {
    const { stdout } = await run('sh', [write(`${index}.sh`, commands[index] ?? '')], { env: { ...process.env, ...env } });
    return stdout;
  };
  const { taskId } = JSON.parse(await curl(0)) as { taskId: string };
  const snapshot = () =>
    curl(1, { TASK: taskId }).then((body) => JSON.parse(body) as { state: string; suspensions: { suspendId: string }[] });
  await vi.waitFor(async () => expect((await snapshot()).state).toBe('suspended'));
  const [question] = (await snapshot()).suspensions;
  const stream = curl(2, { TASK: taskId });
  const answer = JSON.parse(await curl(3, { TASK: taskId, SUSPENSION: question?.suspendId ?? '' })) as { status: string };
  expect(answer.status).toBe('ACCEPTED');
  expect(await stream).toContain('"type":"TASK_COMPLETED"');
});
