/** The host: takes expenses, shows how they stand, takes answers. `npx tsx examples/temporal/host.ts` */
import { createServer } from 'node:http';
import { Client, Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { redisStore } from 'taskbridge/adapters/redis';
import { temporalExecutor } from 'taskbridge/adapters/temporal';
import { createTaskBridge } from 'taskbridge/server';

const connection = Connection.lazy({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });

const bridge = createTaskBridge({
  store: redisStore(new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')),
  executor: temporalExecutor({ client: new Client({ connection }), taskQueue: 'expenses', workflow: { expense: 'expense' } }),
  // For demonstrations only: whoever says a name is believed.
  auth: ({ headers }) => (headers.authorization?.startsWith('Bearer ') ? { subject: headers.authorization.slice(7) } : undefined),
});

const app = new Koa();
app.use(bridge.middleware({ prefix: '/api/v1' }));
const answer = app.callback();
const server = createServer((request, response) => void answer(request, response));
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => console.log('Listening on', server.address()));
process.once('SIGTERM', () => void bridge.close().then(() => process.exit(0)));
