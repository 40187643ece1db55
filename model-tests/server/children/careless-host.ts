import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { inProcess, type Handler, type Task } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge } from 'taskbridge/server';

// A host whose handler awaits nothing: `careless-host.ts <handler> <cancel or fence>`. Ends with 0 when it has survived the end of its task.
const [, , name = '', how = ''] = process.argv;
const question = { reasonCode: 'Q', allowedActions: ['ok'] };
const stopped = (task: Task): Promise<void> => new Promise((resolve) => task.signal.addEventListener('abort', () => resolve()));

const handlers: Readonly<Record<string, Handler>> = {
  async asks(task) {
    void task.suspend('q', question);
    await stopped(task);
  },
  async chains(task) {
    const asked = task.suspend('q', question);
    void asked.then(({ actionType }) => actionType).finally(() => undefined);
    void asked.finally(() => undefined).then(() => undefined);
    await stopped(task);
  },
  async 'reports too late'(task) {
    void task.suspend('q', question);
    await stopped(task);
    void task.progress(50).then(() => undefined);
    void task.message('too late');
    void task.save(1).finally(() => undefined);
    void task.suspend('another', question).then(() => undefined);
  },
  async 'asks nonsense'(task) {
    void task.suspend('', question);
    void task.suspend('q', { reasonCode: 'Q', allowedActions: [] }).then(() => undefined);
    void task.progress(-1);
    await stopped(task);
  },
  async 'throws what has no text'(task) {
    await stopped(task);
    throw Object.create(null);
  },
  async 'has a bug of its own'(task) {
    const later = task.message('now');
    void later.then(() => {
      throw new Error('a bug of its own');
    });
    await stopped(task);
  },
};

const handler = handlers[name];
if (!handler) throw new Error(`There is no handler ${name}.`);
let ended: () => void = () => undefined;
const end = new Promise<void>((resolve) => (ended = resolve));
const bridge = createTaskBridge({
  store: memoryStore(),
  executor: inProcess({ work: (task) => handler(task).finally(ended) }),
  auth: () => ({ subject: 'ann' }),
});
const app = new Koa();
app.use(bridge.middleware());
const handle = app.callback();
const server = createServer((request, response) => void handle(request, response));
await bridge.start();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/tasks`;

async function call<T>(path: string, body?: object): Promise<T> {
  const sent = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return (await (await fetch(url + path, sent)).json()) as T;
}

const { taskId } = await call<{ taskId: string }>('', { clientRequestId: 'r', taskType: 'work' });
while ((await call<{ state: string }>(`/${taskId}`)).state === 'accepted');
if (how === 'cancel') await call(`/${taskId}/cancel`, {});
else await bridge.close();
await end;
// A rejection that nobody heard has ended the process by then.
for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
console.log('alive');
process.exit(0);
