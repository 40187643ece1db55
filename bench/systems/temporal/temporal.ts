import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Redis } from 'ioredis';
import { redisStore } from '../../../adapters/redis/index.ts';
import { taskBridgeActivities } from '../../../adapters/temporal/activities/index.ts';
import { temporalExecutor } from '../../../adapters/temporal/index.ts';
import { createTaskBridge } from '../../../server/index.ts';
import { createTaskReporter } from '../../../server/reporter/index.ts';
import { serveRpc } from '../../rpc/server.ts';
import { cpuMicroseconds } from '../own-process.ts';
import { TOKEN } from '../system.ts';
import { activitiesOf } from './activities.ts';
import type { TemporalSystem, TemporalWork } from './temporal-system.ts';

// A host whose work runs elsewhere, and a worker that runs it: both in this process, since what is compared is in both. `temporal.js <Redis port>
// <Temporal address>`
const [, , redisPort = '', address = ''] = process.argv;
const QUEUE = `bench-${process.pid}`;

interface Waiting {
  began(): void;
  ended(facts: number, ms: number): void;
}

const waiting = new Map<string, Waiting>();
const store = redisStore(new Redis(Number(redisPort)));
const bare = new Redis(Number(redisPort));
const connection = await Connection.connect({ address });
const client = new Client({ connection });
const bridge = createTaskBridge({
  store,
  executor: temporalExecutor({ client, taskQueue: QUEUE, workflow: { measured: 'measured' } }),
  auth: () => ({ subject: TOKEN }),
});
await bridge.start();

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
// A store of its own, as a worker that is its own process has.
const workerStore = redisStore(new Redis(Number(redisPort)));
await workerStore.open();
const reporter = createTaskReporter({ store: workerStore });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue: QUEUE,
  workflowBundle: await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('workflows.js', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  }),
  activities: {
    ...taskBridgeActivities(reporter),
    ...activitiesOf(reporter, bare, {
      began: (key) => waiting.get(key)?.began(),
      ended: (key, ...done) => waiting.get(key)?.ended(...done),
    }),
  },
});
void worker.run();

let started = 0;

async function start(work: TemporalWork, key: string, ms: number): Promise<void> {
  if (work === 'ours') await bridge.tasks({ subject: TOKEN }).start({ clientRequestId: key, taskType: 'measured', input: { key, ms } });
  else await client.workflow.start('bare', { workflowId: key, taskQueue: QUEUE, args: [key, ms] });
}

/** Runs one; gives when its activity began, and what it reported. */
async function run(work: TemporalWork, ms: number): Promise<{ readonly begunMs: number; readonly facts: number; readonly ms: number }> {
  const key = `${work}-${(started += 1)}`;
  const asked = performance.now();
  let begunMs = 0;
  const done = new Promise<{ facts: number; ms: number }>((resolve) =>
    waiting.set(key, { began: () => (begunMs = performance.now() - asked), ended: (facts, took) => resolve({ facts, ms: took }) }),
  );
  await start(work, key, ms);
  const ended = await done;
  waiting.delete(key);
  return { begunMs, ...ended };
}

await serveRpc<TemporalSystem>({
  async starts({ work, count }) {
    const took: number[] = [];
    while (took.length < count) took.push((await run(work, 0)).begunMs);
    return took;
  },
  async reports({ work, workflows, ms }) {
    const before = cpuMicroseconds();
    const runs = await Promise.all(Array.from({ length: workflows }, () => run(work, ms)));
    const facts = runs.reduce((sum, each) => sum + each.facts, 0);
    return { facts, ms: Math.max(...runs.map((each) => each.ms)), cpuUs: cpuMicroseconds() - before };
  },
});
