import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { root, snippet } from './snippets.ts';

const text = snippet('own-routes', 'server/README.md');
// Inside the project, so that its packages are found.
const folder = mkdtempSync(join(root, 'model-tests/readme/run-'));
const file = join(folder, 'own-routes.ts');
let host: ChildProcess;
let url = '';

beforeAll(async () => {
  const port = await freePort();
  url = `http://localhost:${port}`;
  writeFileSync(file, text.replace('listen(3000)', `listen(${port})`));
  host = spawn(process.execPath, [join(root, 'node_modules/tsx/dist/cli.mjs'), file], { cwd: root, stdio: 'inherit' });
  await vi.waitFor(async () => expect((await fetch(`${url}/ready`)).status).toBe(200), { interval: 100 });
});

afterAll(async () => {
  const gone = once(host, 'exit');
  host.kill('SIGTERM');
  await gone;
  rmSync(folder, { recursive: true, force: true });
});

test('the host of server/README.md streams on a route of its own, beside those of the protocol', async () => {
  for (let times = 0; times < 2; times += 1) {
    const stream = await (await fetch(`${url}/nightly`)).text();
    expect(stream).toMatch(/^: preamble {2049}\n\n:still here\n/);
    expect(stream).toContain('"type":"TASK_COMPLETED"');
    expect(stream).toContain('{"rows":3}');
  }
  expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  expect((await fetch(`${url}/api/v1/tasks/${'f'.repeat(32)}`)).status).toBe(401);
});
