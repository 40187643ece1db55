/** The host: takes reports, shows how they stand, takes answers. `npx tsx examples/bullmq-worker/host.ts` */
import { createServer } from 'node:http';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridge } from 'taskbridge/server';
import { QUEUE, type ReportJob } from './job.ts';
import { queueExecutor } from './queue-executor.ts';

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

const queue = new Queue<ReportJob>(QUEUE, { connection: new Redis(url) });
const bridge = createTaskBridge({
  store: redisStore(new Redis(url)),
  executor: queueExecutor(queue),
  // For demonstrations only: whoever says a name is believed.
  auth: ({ headers }) => (headers.authorization?.startsWith('Bearer ') ? { subject: headers.authorization.slice(7) } : undefined),
});
const server = createServer(bridge.handler({ prefix: '/api/v1' }));
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => console.log('Listening on', server.address()));
process.once('SIGTERM', () => void bridge.close().then(() => process.exit(0)));
