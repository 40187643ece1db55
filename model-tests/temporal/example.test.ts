import { createTaskBridgeClient } from 'taskbridge/client/node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedis, type RedisServer } from '../redis/redis-server.ts';
import { freePort } from '../support/free-port.ts';
import { forkProgram, printed, startProcess, type RunningProcess } from '../support/child-process.ts';
import { temporalServer, type TemporalServer } from './dev-server.ts';
import { patience } from '../support/patience.ts';

const children: RunningProcess[] = [];
let redis: RedisServer;
let temporal: TemporalServer;
let port: number;

/** Runs a file of the example until it says a word. */
async function run(file: string, word: string): Promise<void> {
  const env = { ...process.env, PORT: String(port), REDIS_URL: `redis://127.0.0.1:${redis.port}`, TEMPORAL_ADDRESS: temporal.address };
  const start = () => forkProgram(`examples/temporal/${file}`, [], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  children.push(await startProcess(file, start, (child) => printed(child, new RegExp(word))));
}

beforeAll(async () => {
  [redis, temporal, port] = await Promise.all([startRedis(), temporalServer(), freePort()]);
  await Promise.all([run('host.ts', 'Listening'), run('worker.ts', 'Working')]);
}, patience(120_000));

afterAll(async () => {
  await Promise.all(children.map((child) => child.kill()));
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
