/** The smallest host: one task type, state in memory, one person. `npx tsx examples/greeter/host.ts` */
import { createServer } from 'node:http';
import Koa from 'koa';
import { inProcess, type Task } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge } from 'taskbridge/server';

async function greet(task: Task) {
  await task.progress(50, { stage: 'asking' });
  const { payload } = await task.suspend('name', { reasonCode: 'NAME_NEEDED', allowedActions: ['tell'] });
  return { greeting: `Hello, ${typeof payload['name'] === 'string' ? payload['name'] : 'stranger'}!` };
}

const bridge = createTaskBridge({
  store: memoryStore(),
  // Run again after a restart: with a store that outlives its process, nobody is asked twice.
  executor: inProcess({ greet: { run: greet, repeatable: true } }),
  auth: ({ headers }) => (headers.authorization === 'Bearer demo' ? { subject: 'demo' } : undefined),
});

const app = new Koa();
app.use(bridge.middleware({ prefix: '/api/v1' }));
const answer = app.callback();
const server = createServer((request, response) => void answer(request, response));
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => console.log('Listening on', server.address()));
process.once('SIGTERM', () => void bridge.close({ spreadMs: 0 }).then(() => process.exit(0)));
