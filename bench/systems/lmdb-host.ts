import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { createTaskBridge } from '../../server/index.ts';
import { serveRpc } from '../rpc/server.ts';
import type { RestartedSystem } from './restarted.ts';

// A host on LMDB as its users write it, on a folder that another one left: `lmdb-host.js <Redis port, unused> <folder> <tasks of each kind>`
const [, , , path = '', count = '0'] = process.argv;
const left = { work: Number(count), ask: Number(count) };
const begun = performance.now();
let workedOff = (): void => undefined;
const whole = new Promise<void>((resolve) => (workedOff = resolve));
if (left.work === 0) workedOff();

function countDown(kind: keyof typeof left): void {
  left[kind] -= 1;
  if (left.work <= 0 && left.ask <= 0) workedOff();
}

const work: Handler = () => {
  countDown('work');
  return Promise.resolve({});
};
const ask: Handler = (task) => {
  const answer = task.suspend('go-on', { reasonCode: 'GO_ON', allowedActions: ['yes'] });
  countDown('ask');
  return answer.then(() => ({}));
};

const bridge = createTaskBridge({
  store: lmdbStore({ path }),
  executor: inProcess({ work: { repeatable: true, run: work }, ask: { repeatable: true, run: ask } }, { concurrencyMax: 100 }),
  auth: () => ({ subject: 'ada' }),
});
const app = new Koa();
app.use(bridge.middleware());
const handle = app.callback();
const server = createServer((req, res) => void handle(req, res));
await bridge.start();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const listenedMs = performance.now() - begun;

await serveRpc<RestartedSystem>(
  {
    listenedMs: () => listenedMs,
    async workedOffMs() {
      await whole;
      return performance.now() - begun;
    },
  },
  { port: (server.address() as AddressInfo).port },
);
