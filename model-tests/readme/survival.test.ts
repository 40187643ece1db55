import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import type { TaskSnapshotResponse } from 'taskbridge/wire';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { forkProgram, startProcess, type RunningProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { patience } from '../support/patience.ts';
import { root, snippet } from './snippets.ts';

// The host of the README as it stands there: who copies it deploys it. Inside the project, so that its packages are found.
const folder = mkdtempSync(join(root, 'model-tests/readme/run-'));
let redis: RedisServer;
let made = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Puts something in the place of what the README has there. */
function replaced(text: string, what: string, by: string): string {
  expect(text).toContain(what);
  return text.replace(what, by);
}

/** The host on LMDB, as it is given. */
function onLmdb(): string {
  return replaced(snippet('host'), './data', join(folder, `data-${made++}`));
}

/** The host on Redis, as the README says to change it. */
function onRedis(): string {
  const store = replaced(snippet('redis'), 'redis://localhost:6379', `redis://localhost:${redis.port}/${made++}`);
  return replaced(
    replaced(snippet('host'), "import { lmdbStore } from 'taskbridge/adapters/lmdb';\n", store),
    "store: lmdbStore({ path: './data' })",
    'store',
  );
}

interface Host {
  readonly url: string;
  readonly process: RunningProcess;
}

/** Starts the host, as often as somebody restarts it. */
async function start(text: string): Promise<Host> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const file = join(folder, `host-${port}.ts`);
  writeFileSync(file, replaced(text, 'listen(3000)', `listen(${port})`));
  const isReady = () =>
    vi.waitFor(async () => expect((await fetch(`${url}/ready`)).status).toBe(200), { interval: 100, timeout: patience(60_000) });
  const process = await startProcess('The host of the README', () => forkProgram(file), isReady);
  onTestFinished(() => process.kill());
  return { url, process };
}

/** Ends it as a deploy does. It has to end by itself, and well. */
async function terminate({ process: { child } }: Host): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await gone).toEqual([0, null]);
}

/** A cake whose topping is asked for. */
async function askedFor(url: string) {
  const client = createTaskBridgeClient({ baseUrl: url, auth: () => 'alice' });
  onTestFinished(() => client.close());
  const { taskId } = await client.start({ taskType: 'cake.bake', input: {} });
  const suspendId = await vi.waitFor(async () => {
    const response = await fetch(`${url}/api/v1/tasks/${taskId}`, { headers: { authorization: 'Bearer alice' } });
    const { suspensions } = (await response.json()) as TaskSnapshotResponse;
    expect(suspensions).toHaveLength(1);
    return suspensions[0]?.suspendId ?? '';
  });
  return { taskId, suspendId };
}

/** Answers the question, which is open still, and gets the cake; the question was asked once. */
async function answered(url: string, { taskId, suspendId }: { readonly taskId: string; readonly suspendId: string }): Promise<void> {
  const client = createTaskBridgeClient({ baseUrl: url, auth: () => 'alice' });
  onTestFinished(() => client.close());
  expect(await client.act(taskId, { suspendId, actionType: 'cream' })).toMatchObject({ status: 'ACCEPTED' });
  const observation = client.observe(taskId);
  const types: string[] = [];
  for await (const { type } of observation) types.push(type);
  expect(observation.getSnapshot().task).toMatchObject({ state: 'completed', result: { topping: 'cream' } });
  expect(types.filter((type) => type === 'TASK_SUSPENDED')).toHaveLength(1);
}

/** A node that was killed holds its work for a lease of 30 seconds, the default that the README leaves. */
const LIMIT_MS = patience(180_000);

describe.each([
  ['LMDB', onLmdb],
  ['Redis', onRedis],
])('the host of the README on %s', (_, textOf) => {
  test('goes on with a question after it was killed', { timeout: LIMIT_MS }, async () => {
    const host = await start(textOf());
    const asked = await askedFor(host.url);
    await host.process.kill('SIGKILL');
    await host.process.restart();
    await answered(host.url, asked);
  });

  test('goes on with a question after it was restarted, and ends by itself', { timeout: LIMIT_MS }, async () => {
    const host = await start(textOf());
    const asked = await askedFor(host.url);
    await terminate(host);
    await host.process.restart();
    await answered(host.url, asked);
    await terminate(host);
  });
});

test(
  'the host of the README on Redis goes on with a question that is answered while another process takes its place',
  { timeout: LIMIT_MS },
  async () => {
    const text = onRedis();
    const old = await start(text);
    const asked = await askedFor(old.url);
    const next = await start(text);
    const ended = terminate(old);
    await answered(next.url, asked);
    await ended;
  },
);
