import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { root } from '../readme/snippets.ts';
import { endProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { completed, createScriptedServer, facts, TASK, writeEvents, type ScriptedServer } from '../support/scripted-server.ts';
import { bundle } from './bundle.ts';

const program = join(root, '.data/workerd/node_modules/@cloudflare/workerd-linux-64/bin/workerd');
/** The first one that knows `cache: 'no-store'`, without which polls and streams are refused; and one of today. */
const dates = ['2024-11-11', '2026-01-01'] as const;

const configOf = (compatibilityDate: string, port: number): string => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "${compatibilityDate}",
      globalOutbound = "net",
    )),
    (name = "net", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);`;

describe.each(dates)('the client in a worker of workerd, compatible with %s', (date) => {
  let worker: ChildProcess;
  let folder: string;
  let address: string;
  let server: ScriptedServer;
  beforeAll(async () => {
    if (!existsSync(program)) throw new Error(`workerd is not there (${program}). Run \`sh scripts/setup.sh workerd\`.`);
    folder = mkdtempSync(join(tmpdir(), 'taskbridge-workerd-'));
    const port = await freePort();
    address = `http://127.0.0.1:${port}`;
    writeFileSync(
      join(folder, 'worker.js'),
      await bundle(fileURLToPath(new URL('worker.ts', import.meta.url)), { format: 'esm', endings: ['.ts', '.js', '.mjs', '.json'] }),
    );
    writeFileSync(join(folder, 'config.capnp'), configOf(date, port));
    worker = spawn(program, ['serve', join(folder, 'config.capnp')], { stdio: 'inherit' });
    await vi.waitFor(async () => expect((await fetch(address)).status).toBe(200), { interval: 50 });
  });
  afterAll(async () => {
    await endProcess(worker);
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    server = await createScriptedServer();
  });
  afterEach(() => server.close());
  const ask = async (transports: readonly string[]): Promise<unknown> => {
    const body = JSON.stringify({ baseUrl: server.baseUrl, transports });
    return (await fetch(address, { method: 'POST', body })).json();
  };

  test.each(['ws', 'sse', 'poll'] as const)('starts a task, watches it over %s, answers and cancels', async (transport) => {
    const { script } = server;
    const log = [...facts(1, 4), completed(5)];
    script.command = (path) =>
      path.endsWith('/tasks')
        ? [201, { taskId: TASK, status: 'ACCEPTED', clientRequestId: 'r', deduplicated: false }]
        : [
            202,
            {
              taskId: TASK,
              suspendId: 's',
              clientActionId: 'c',
              status: path.endsWith('/actions') ? 'ACCEPTED' : 'CANCELLATION_REQUESTED',
            },
          ];
    script.subscribed = ({ confirm, send }) => (confirm(), send(...log));
    script.stream = (response) => writeEvents(response, ...log);
    script.poll = () => ({ taskId: TASK, events: log, nextAfterEventId: '5-1000', hasMore: false });
    expect(await ask([transport])).toEqual({
      ids: log.map((_, index) => `${index + 1}-1000`),
      status: 'ACCEPTED',
      cancelled: 'CANCELLATION_REQUESTED',
      state: 'completed',
      transport,
    });
  });

  test('follows no redirect', async () => {
    server.script.command = () => [307, {}, { location: `${server.baseUrl}/elsewhere` }];
    expect(await ask(['poll'])).toMatchObject({ code: 'NETWORK_ERROR' });
    expect(server.seen).toEqual(['post']);
  });
});
