import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as rest } from 'node:timers/promises';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import { createTaskBridge, type Store } from '../../server/index.ts';
import { serveRpc } from '../rpc/server.ts';
import { EndCount } from './bare/end-count.ts';
import type { AskedTask, CreatedWork, CreatingStore, CreatingSystem } from './creating-system.ts';
import { cpuMicroseconds } from './own-process.ts';
import { factPayload, TOKEN } from './system.ts';

// A host as its users write it, whose tasks are over in a moment: `creating.js <Redis port> <memory, LMDB or Redis> <folder of LMDB>`.
const [, , redisPort = '', kind = 'memory', path = ''] = process.argv;
const ends = new EndCount();

const stores: Readonly<Record<CreatingStore, () => Store>> = {
  memory: () => memoryStore(),
  LMDB: () => lmdbStore({ path }),
  Redis: () => redisStore(new Redis(Number(redisPort))),
};
// What the bench starts it with.
const store = stores[kind as CreatingStore]();
/** Counts what ended where it is written. */
const counted: Store = {
  ...store,
  async append(commit) {
    const answer = await store.append(commit);
    if (answer === 'committed' && commit.ended) ends.count();
    return answer;
  },
};
const handlers: Readonly<Record<CreatedWork, Handler>> = {
  end: () => Promise.resolve({}),
  async facts(task) {
    for (const n of [1, 2]) {
      const { progress, ...about } = factPayload(n);
      await task.progress(progress, about);
    }
    return {};
  },
  async ask(task) {
    const { actionType } = await task.suspend('go-on', { reasonCode: 'GO_ON', allowedActions: ['yes'] });
    return { actionType };
  },
};

const bridge = createTaskBridge({
  store: counted,
  executor: inProcess(handlers, { concurrencyMax: 1000 }),
  auth: ({ headers }) => ({ subject: headers.authorization?.slice('Bearer '.length) ?? '' }),
  // One owner makes here what thousands would.
  tasks: {
    activePerOwnerMax: Infinity,
    waitingPerOwnerMax: Infinity,
    tasksPerOwnerMax: Infinity,
    bytesPerOwnerMax: Infinity,
    questionsPerOwnerMax: Infinity,
  },
  logger: { warn: () => undefined, error: (...error: unknown[]) => console.error(...error) },
});
const app = new Koa();
app.use(bridge.middleware());
const handle = app.callback();
const server = createServer((req, res) => void handle(req, res));
await bridge.start();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

const AT_ONCE = 50;
let asked = 0;

async function ask(count: number): Promise<readonly AskedTask[]> {
  const host = bridge.tasks({ subject: TOKEN });
  const tasks: AskedTask[] = [];
  while (tasks.length < count) {
    const group = Array.from({ length: Math.min(AT_ONCE, count - tasks.length) }, async () => {
      const { taskId } = await host.start({ clientRequestId: `asked-${++asked}`, taskType: 'ask' });
      for (;;) {
        const [question] = (await host.get(taskId)).suspensions;
        if (question) return { taskId, suspendId: question.suspendId };
        await rest(5);
      }
    });
    tasks.push(...(await Promise.all(group)));
  }
  return tasks;
}

await serveRpc<CreatingSystem>(
  { ended: (tasks) => ends.reached(tasks), ask, cpu: cpuMicroseconds },
  { port: (server.address() as AddressInfo).port },
);
