import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../redis/free-port.ts';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { temporalServer, type TemporalServer } from './dev-server.ts';
import { patience } from '../support/patience.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const children: ChildProcess[] = [];
let redis: RedisServer;
let temporal: TemporalServer;
let port: number;

/** Runs a file of the example until it says a word. */
async function run(file: string, word: string): Promise<void> {
  const env = { ...process.env, PORT: String(port), REDIS_URL: `redis://127.0.0.1:${redis.port}`, TEMPORAL_ADDRESS: temporal.address };
  const child = fork(`examples/temporal/${file}`, {
    cwd: root,
    env,
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.push(child);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        said += bytes.toString();
        if (said.includes(word)) resolve();
      });
    child.once('exit', () => reject(new Error(`${file} ended:\n${said}`)));
  });
}

beforeAll(async () => {
  [redis, temporal, port] = await Promise.all([startRedis(), temporalServer(), freePort()]);
  await Promise.all([run('host.ts', 'Listening'), run('worker.ts', 'Working')]);
}, patience(120_000));

afterAll(async () => {
  for (const child of children) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  await temporal?.close();
  await redis?.stop();
});

it('the example pays what a manager approved', async () => {
  const client = createTaskBridgeClient({ baseUrl: `http://127.0.0.1:${port}`, auth: () => 'ada' });
  const { taskId } = await client.start({ taskType: 'expense', input: { amount: 250, purpose: 'a chair' } });
  const types: string[] = [];
  let last: unknown;
  for await (const fact of client.observe(taskId)) {
    types.push(fact.type);
    last = fact.payload;
    if (fact.type === 'TASK_SUSPENDED')
      await client.act(taskId, { suspendId: (fact.payload as { suspendId: string }).suspendId, actionType: 'approve' });
  }
  expect(types.map((type) => type.replace('TASK_', ''))).toEqual([
    'STARTED',
    'PROGRESS',
    'MESSAGE',
    'PROGRESS',
    'SUSPENDED',
    'ACTION_ACCEPTED',
    'PROGRESS',
    'COMPLETED',
  ]);
  expect(last).toEqual({ result: { paid: true, receipt: `paid 250 for ${taskId.slice(0, 8)}` } });
  await client.close();
});
