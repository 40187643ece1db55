import { activityInfo, heartbeat } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Redis } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskReporter, type AttemptRef } from 'taskbridge/server/reporter';
import { activityTask, taskBridgeActivities } from '../../../adapters/temporal/activities/index.ts';
import { thoughtOf, wordOf } from '../told-words.ts';

// A worker: `worker.ts <bundle of workflows> <Redis port> <Temporal address> <task queue>`. Reports to the store, not to a host.
const [, , codePath = '', redisPort = '', address = '', taskQueue = ''] = process.argv;
const quiet = { warn: () => undefined, error: () => undefined };
const redis = new Redis(Number(redisPort), { maxRetriesPerRequest: null });
redis.on('error', () => undefined);
const store = redisStore(redis, { logger: quiet });
await store.open();
const reporter = createTaskReporter({ store, logger: quiet });

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue,
  workflowBundle: { codePath },
  stickyQueueScheduleToStartTimeout: '1 second',
  activities: {
    ...taskBridgeActivities(reporter),
    async work(_: unknown, step: number) {
      process.send?.({ working: step });
      await new Promise((resolve) => setTimeout(resolve, 20));
      return `did ${step}`;
    },
    // Tries before `lastTry` go on until they are killed.
    async tell(ref: AttemptRef, words: number, lastTry: number) {
      const task = activityTask(reporter, ref);
      const { attempt } = activityInfo();
      const thoughts = task.stream('thoughts', { kind: 'reasoning', flushMs: 10 });
      const answer = task.stream('answer', { kind: 'text', flushMs: 10 });
      void thoughts.write(thoughtOf(attempt));
      for (let nth = 0; nth < words || attempt < lastTry; nth++) {
        await answer.write(wordOf(attempt, nth));
        heartbeat();
        // As a model says one token after the other.
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
      await thoughts.end();
      await answer.end();
      return `told ${words} words`;
    },
  },
});
const running = worker.run();
process.send?.('ready');
process.once('disconnect', () => process.exit(0));
await running;
