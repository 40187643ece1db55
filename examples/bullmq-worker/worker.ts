/** A worker: runs jobs of the queue. Any number of them may run, on any machine. `npx tsx examples/bullmq-worker/worker.ts` */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskReporter } from 'taskbridge/server/reporter';
import { buildReport } from './build-report.ts';
import { jobProcessor, QUEUE } from './job.ts';
import { tasks } from './tasks.ts';

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
/** How long the queue waits for a worker that is gone, in milliseconds. */
const stalledMs = Number(process.env['STALLED_MS'] ?? 30_000);

const store = redisStore(new Redis(url));
await store.open();
// Reports go to the store, where every host sees them: the hosts may be down.
const reporter = createTaskReporter({ store, contract: tasks });

const worker = new Worker(QUEUE, jobProcessor(reporter, buildReport), {
  connection: new Redis(url, { maxRetriesPerRequest: null }),
  // A job that waits for a person keeps its place.
  concurrency: 100,
  lockDuration: stalledMs,
  stalledInterval: stalledMs,
  // So many workers may be killed under one job before the queue gives it up.
  maxStalledCount: 10,
});
await worker.waitUntilReady();
console.log('Working');
// Jobs that wait for a person are not waited for: another worker takes them when this one is missed.
process.once('SIGTERM', () => void worker.close(true).then(() => process.exit(0)));
