/** A host whose work answers as a chat does: `npx tsx examples/agent/host.ts [--data .data/agent] [--port 3000] [--word-ms 50]`. */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import Koa from 'koa';
import { inProcess, type Task } from 'taskbridge/adapters/in-process';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { createTaskBridge } from 'taskbridge/server';
import { scriptedModel } from './scripted-model.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '.data/agent' },
    port: { type: 'string', default: '3000' },
    'word-ms': { type: 'string', default: '50' },
  },
});

async function answer(task: Task) {
  const { question = '' } = task.input as { readonly question?: string };
  const out = task.stream('answer', { kind: 'text', onRerun: 'continue' });
  let said = await out.text;

  async function speak(weather?: string | null): Promise<void> {
    for await (const word of scriptedModel({ question, said, weather }, { wordMs: Number(values['word-ms']), signal: task.signal })) {
      said += word;
      await out.write(word);
    }
  }

  await speak();
  // Asked once, however often the host is killed: the answer is that of the key.
  const { actionType } = await task.suspend('weather', {
    reasonCode: 'TOOL_NEEDED',
    interaction: { tool: 'weather', text: 'May I look at the weather?' },
    allowedActions: ['allow', 'refuse'],
  });
  await speak(actionType === 'allow' ? 'windy, and dry until six' : null);
  // The end of the task closes the part in the same step: a host that is killed here never says its answer twice.
  return { looked: actionType === 'allow' };
}

const bridge = createTaskBridge({
  store: lmdbStore({ path: values.data }),
  executor: inProcess({ 'question.answer': { run: answer, repeatable: true } }),
  auth: ({ headers }) => (headers.authorization === 'Bearer demo' ? { subject: 'demo' } : undefined),
});
const app = new Koa();
app.use(bridge.middleware());
const handle = app.callback();
const server = createServer((request, response) => void handle(request, response));
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(Number(values.port), '127.0.0.1', () => {
  const address = server.address();
  if (typeof address !== 'object' || address === null) return;
  // The page that started this process listens for the port; a person reads it.
  if (process.send) process.send({ port: address.port });
  else console.log(`Listening on http://127.0.0.1:${address.port}/api/v1, data in ${values.data}`);
});

const close = (): void => void bridge.close({ spreadMs: 0 }).then(() => process.exit(0));
for (const event of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(event, close);
