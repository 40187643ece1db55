/** The original's example host on our doors: its task types, its settings, its paths. `npx tsx examples/original-host/host.ts` */
import { createServer } from 'node:http';
import { Client, Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { fileAttachments } from 'taskbridge/adapters/file';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import { redisStore } from 'taskbridge/adapters/redis';
import { temporalExecutor } from 'taskbridge/adapters/temporal';
import { createTaskBridge } from 'taskbridge/server';
import { authOf } from './auth.ts';
import { handlers } from './handlers.ts';
import { settingsOfProcess } from './settings.ts';
import { workflowNames } from './workflow-names.ts';

const settings = settingsOfProcess();
const { address, namespace, taskQueue } = settings.temporal;

const bridge = createTaskBridge({
  store: settings.redisUrl === undefined ? memoryStore() : redisStore(new Redis(settings.redisUrl), { prefix: settings.streamPrefix }),
  executor:
    settings.executor === 'fake'
      ? inProcess(handlers)
      : temporalExecutor({
          client: new Client({ connection: Connection.lazy({ address }), namespace }),
          taskQueue,
          workflow: workflowNames,
        }),
  auth: authOf(settings),
  // As long-lived as the store. Host and worker stand on one machine here; on several, give a folder that all of them have.
  attachments: settings.redisUrl === undefined ? memoryAttachments() : fileAttachments({ path: settings.uploadsPath, shared: true }),
  tasks: { retainedFactsMax: settings.retainedFactsMax, retainedAfterEndMs: settings.retainedAfterEndMs },
});

const app = new Koa();
app.use(bridge.middleware({ prefix: '/api/v1' }));
const answer = app.callback();
const server = createServer((request, response) => void answer(request, response));
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(settings.port, '127.0.0.1', () => console.log('Listening on', server.address()));
process.once('SIGTERM', () => void bridge.close({ spreadMs: 0 }).then(() => process.exit(0)));
