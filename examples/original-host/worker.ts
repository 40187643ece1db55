/** The worker of `TB_EXECUTOR_MODE=temporal`: runs the workflows and their activity. `npx tsx examples/original-host/worker.ts` */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { Redis } from 'ioredis';
import { fileAttachments } from 'taskbridge/adapters/file';
import { redisStore } from 'taskbridge/adapters/redis';
import { taskBridgeActivities } from 'taskbridge/adapters/temporal/activities';
import { createTaskReporter } from 'taskbridge/server/reporter';
import { activitiesOf } from './activities.ts';
import { settingsOfProcess } from './settings.ts';

const WORKFLOW_DOOR = 'taskbridge/adapters/temporal/workflow';
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const { executor, redisUrl, streamPrefix, temporal, uploadsPath } = settingsOfProcess();
if (executor === 'fake' || redisUrl === undefined) {
  console.error('TB_EXECUTOR_MODE is fake: the host does the work itself, and there is nothing for a worker to do.');
  process.exit(1);
}

const store = redisStore(new Redis(redisUrl), { prefix: streamPrefix });
await store.open();
const reporter = createTaskReporter({ store });

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: temporal.address }),
  namespace: temporal.namespace,
  taskQueue: temporal.taskQueue,
  workflowsPath: here('workflows.ts'),
  bundlerOptions: {
    // Only in this repository, where the package is its own source: the bundle takes the door that this process would.
    webpackConfigHook: (config) => {
      const alias = { ...config.resolve?.alias, [WORKFLOW_DOOR]: fileURLToPath(import.meta.resolve(WORKFLOW_DOOR)) };
      return { ...config, resolve: { ...config.resolve, alias } };
    },
  },
  activities: { ...taskBridgeActivities(reporter), ...activitiesOf(fileAttachments({ path: uploadsPath, shared: true })) },
});
console.log('Working');
await worker.run();
process.exit(0);
