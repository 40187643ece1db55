/** A host whose work answers as a chat does: `npx tsx examples/agent/host.ts [folder]` (port 3000, or `PORT`). */
import { createServer } from 'node:http';
import Koa from 'koa';
import { inProcess, type Task } from 'taskbridge/adapters/in-process';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { createTaskBridge } from 'taskbridge/server';
import { scriptedModel } from './scripted-model.ts';

const [, , folder = '.data/agent'] = process.argv;

async function answer(task: Task) {
  const { question = '' } = task.input as { readonly question?: string };
  // Asked once, however often the host is killed: the answer is that of the key.
  const { actionType } = await task.suspend('weather', {
    reasonCode: 'TOOL_NEEDED',
    interaction: { text: 'May I look at the weather?' },
    allowedActions: ['allow', 'refuse'],
  });
  const out = task.stream('answer', { kind: 'text', onRerun: 'continue' });
  const begun = await out.text;
  await out.pipe(scriptedModel({ question, begun, ...(actionType === 'allow' && { weather: 'windy, and dry until six' }) }, task.signal));
  await out.end();
  return { looked: actionType === 'allow' };
}

const bridge = createTaskBridge({
  store: lmdbStore({ path: folder }),
  executor: inProcess({ 'question.answer': { run: answer, repeatable: true } }),
  auth: ({ headers }) => (headers.authorization === 'Bearer demo' ? { subject: 'demo' } : undefined),
});
const app = new Koa();
app.use(bridge.middleware());
const handle = app.callback();
const server = createServer((request, response) => void handle(request, response));
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => console.log('Listening on', server.address()));
process.once('SIGTERM', () => void bridge.close({ spreadMs: 0 }).then(() => process.exit(0)));
