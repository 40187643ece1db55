import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as rest } from 'node:timers/promises';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import { createTaskBridge, type Store } from '../../server/index.ts';
import { serveRpc } from '../rpc/server.ts';
import { EventLoopMonitor } from './event-monitor.ts';
import { settledMemory } from './own-process.ts';
import type { NewTasks, WorkSystem } from './work-system.ts';

// A host as its users write it, on a store that another one may have left: `work-host.js <Redis port> <folder of LMDB, '' for Redis, or
// 'none'> <tasks of each kind that are left> <slots>`. With 'none' it imports the same, and serves nothing.
const [, , redisPort = '', path = '', count = '0', concurrencyMax = '100'] = process.argv;
const monitor = new EventLoopMonitor();
const left = { work: Number(count), ask: Number(count) };
let workedOff = (): void => undefined;
const whole = new Promise<number>((resolve) => (workedOff = () => resolve(performance.now())));
if (left.work === 0) workedOff();

function countDown(kind: keyof typeof left): void {
  left[kind] -= 1;
  if (left.work <= 0 && left.ask <= 0) workedOff();
}

/** Counts what ended where it is written. */
function counted(store: Store): Store {
  return {
    ...store,
    async append(commit) {
      const answer = await store.append(commit);
      if (answer === 'committed' && commit.ended) countDown('work');
      return answer;
    },
  };
}

const ask: Handler = async (task) => {
  const answer = task.suspend('go-on', { reasonCode: 'GO_ON', allowedActions: ['yes'] });
  countDown('ask');
  const { actionType } = await answer;
  return { actionType };
};

const bridge = createTaskBridge({
  store: counted(path === '' ? redisStore(new Redis(Number(redisPort))) : lmdbStore({ path })),
  executor: inProcess(
    {
      work: { repeatable: true, run: () => Promise.resolve({}) },
      ask: { repeatable: true, run: ask },
      fill: { repeatable: true, run: () => new Promise(() => undefined) },
    },
    { concurrencyMax: Number(concurrencyMax) },
  ),
  auth: () => ({ subject: 'ada' }),
  // One owner makes here what thousands would.
  tasks: { activePerOwnerMax: Infinity, waitingPerOwnerMax: Infinity, questionsPerOwnerMax: Infinity },
  // As applications have it: failures only.
  logger: { warn: () => undefined, error: (...error: unknown[]) => console.error(...error) },
});
const app = new Koa();
app.use(bridge.middleware());
const handle = app.callback();
const server = createServer((req, res) => void handle(req, res));
if (path !== 'none') await bridge.start();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
// Since the process began, imports and all.
const listenedMs = performance.now();

const AT_ONCE = 50;
let made = 0;

async function create({ kind, count: total, inputBytes }: NewTasks): Promise<void> {
  const tasks = bridge.tasks({ subject: 'ada' });
  // What the one slot is taken by, so that the others wait.
  if (kind === 'work' && made === 0) await tasks.start({ clientRequestId: 'fill', taskType: 'fill' });
  const taskIds: string[] = [];
  while (taskIds.length < total) {
    const group = Array.from({ length: Math.min(AT_ONCE, total - taskIds.length) }, () => {
      // Made anew each time, as a request makes it.
      const input = { text: `${++made}`.padEnd(inputBytes, 'x') };
      return tasks.start({ clientRequestId: `bench-${made}`, taskType: kind, input });
    });
    for (const { taskId } of await Promise.all(group)) taskIds.push(taskId);
  }
  if (kind === 'work') return;
  for (const taskId of taskIds) while ((await tasks.get(taskId)).state !== 'suspended') await rest(20);
}

await serveRpc<WorkSystem>(
  {
    listenedMs: () => listenedMs,
    workedOffMs: () => whole,
    async stallMs(untilMs) {
      await rest(Math.max(0, untilMs - performance.now()));
      return monitor.stallMs;
    },
    create,
    rest: (ms) => monitor.stretch(ms),
    memory: settledMemory,
  },
  { port: (server.address() as AddressInfo).port },
);
