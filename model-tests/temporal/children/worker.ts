import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Redis } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskReporter } from 'taskbridge/server/reporter';
import { taskBridgeActivities } from '../../../adapters/temporal/activities/index.ts';

// A worker: `worker.ts <bundle of workflows> <Redis port> <Temporal address> <task queue>`. Reports to the store, not to a host.
const [, , codePath = '', redisPort = '', address = '', taskQueue = ''] = process.argv;
const quiet = { warn: () => undefined, error: () => undefined };
const redis = new Redis(Number(redisPort), { maxRetriesPerRequest: null });
redis.on('error', () => undefined);
const store = redisStore(redis, { logger: quiet });
await store.open();

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue,
  workflowBundle: { codePath },
  stickyQueueScheduleToStartTimeout: '1 second',
  activities: {
    ...taskBridgeActivities(createTaskReporter({ store, logger: quiet })),
    async work(_: unknown, step: number) {
      process.send?.({ working: step });
      await new Promise((resolve) => setTimeout(resolve, 20));
      return `did ${step}`;
    },
  },
});
const running = worker.run();
process.send?.('ready');
process.once('disconnect', () => process.exit(0));
await running;
