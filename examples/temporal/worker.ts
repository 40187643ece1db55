/** The worker: runs the workflows and their activities. Any number of them may run, on any machine. `npx tsx examples/temporal/worker.ts` */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { Redis } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import { taskBridgeActivities } from 'taskbridge/adapters/temporal/activities';
import { createTaskReporter } from 'taskbridge/server/reporter';
import { activitiesOf } from './activities.ts';

const WORKFLOW_DOOR = 'taskbridge/adapters/temporal/workflow';
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const store = redisStore(new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'));
await store.open();
// Reports go to the store, where every host sees them: the hosts may be down.
const reporter = createTaskReporter({ store });

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' }),
  taskQueue: 'expenses',
  workflowsPath: here('workflows.ts'),
  bundlerOptions: {
    // Only in this repository, where the package is its own source: the bundle takes the door that this process would.
    webpackConfigHook: (config) => {
      const alias = { ...config.resolve?.alias, [WORKFLOW_DOOR]: fileURLToPath(import.meta.resolve(WORKFLOW_DOOR)) };
      return { ...config, resolve: { ...config.resolve, alias } };
    },
  },
  activities: { ...taskBridgeActivities(reporter), ...activitiesOf(reporter) },
});
console.log('Working');
await worker.run();
process.exit(0);
