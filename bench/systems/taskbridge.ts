import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as rest } from 'node:timers/promises';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess, type PartStream, type Task } from '../../adapters/in-process/index.ts';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import { createTaskBridge, type TaskExecutor, type Work } from '../../server/index.ts';
import { serveRpc } from '../rpc/server.ts';
import { factPayload, TOKEN, type PacedSystem } from './system.ts';
import { cpuMicroseconds, lanes, settledMemory } from './own-process.ts';

// A host as its users write it: Koa, the bridge, Redis. `taskbridge.js <Redis port> [facts that are retained] [folder of LMDB, instead of Redis]`
const [, , redisPort = '', retained = '1000', path] = process.argv;
const handlers = new Map<string, Task>();
const written = new Map<string, PartStream>();
const works = new Map<string, { readonly work: Work; seq: number }>();

/** Keeps what every executor is given, and reports by it: the commit path with nothing before it. */
const reporting: TaskExecutor = {
  name: 'bench',
  leased: false,
  handles: (taskType) => taskType === 'reported',
  repeatable: () => false,
  async start(work) {
    works.set(work.taskId, { work, seq: 0 });
    return { status: 'started' };
  },
  resume: () => Promise.resolve(),
  cancel: () => Promise.resolve(),
};
/** Work as applications write it. */
const handled = inProcess(
  {
    handled: (task) => {
      handlers.set(task.taskId, task);
      return new Promise(() => undefined);
    },
  },
  { concurrencyMax: 10_000 },
);

const bridge = createTaskBridge({
  store: path === undefined ? redisStore(new Redis(Number(redisPort))) : lmdbStore({ path }),
  executor: [reporting, handled],
  auth: ({ headers }) => ({ subject: headers.authorization?.slice('Bearer '.length) ?? '' }),
  live: { socketsPerOwnerMax: 10_000, viewersPerOwnerMax: 10_000 },
  tasks: { retainedFactsMax: Number(retained) },
});
const app = new Koa();
app.use(bridge.middleware());
const handle = app.callback();
const server = createServer((req, res) => void handle(req, res));
server.on('upgrade', bridge.upgrade);
await bridge.start();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const api = `http://127.0.0.1:${port}/api/v1/tasks`;
const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
const CREATES_AT_ONCE = 50;
const PACE_MS = 5;
let created = 0;

async function createTask(taskType: string, known: ReadonlyMap<string, unknown>): Promise<string> {
  const body = JSON.stringify({ clientRequestId: `bench-${process.pid}-${++created}`, taskType });
  const response = await fetch(api, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`A create was answered ${response.status}: ${await response.text()}`);
  const { taskId } = (await response.json()) as { taskId: string };
  while (!known.has(taskId)) await new Promise((resolve) => setImmediate(resolve));
  return taskId;
}

async function report(taskId: string, count: number): Promise<void> {
  const reporter = works.get(taskId);
  if (!reporter) throw new Error(`Task ${taskId} is not reported by this process.`);
  const { work } = reporter;
  const seq = ++reporter.seq;
  const intents = Array.from({ length: count }, (_, i) => ({ type: 'report.progress', payload: factPayload(seq + i) }) as const);
  const outcome = await work.report({ source: 'main', seq, intents });
  if (outcome.status !== 'committed') throw new Error(`A report of task ${taskId} was ${outcome.status}.`);
}

async function lastEventId(taskId: string): Promise<string> {
  const response = await fetch(`${api}/${taskId}`, { headers });
  return ((await response.json()) as { lastEventId: string | null }).lastEventId ?? '';
}

await serveRpc<PacedSystem>(
  {
    async createTasks({ count, kind }) {
      const ids: string[] = [];
      while (ids.length < count) {
        const known = kind === 'handled' ? handlers : works;
        const group = Math.min(CREATES_AT_ONCE, count - ids.length);
        ids.push(...(await Promise.all(Array.from({ length: group }, () => createTask(kind, known)))));
      }
      return ids;
    },
    async append({ tasks, inFlight, group, ms }) {
      let facts = 0;
      const took = await lanes(inFlight, ms, async (lane) => {
        await report(tasks[lane % tasks.length] ?? '', group);
        facts += group;
      });
      return { facts, ms: took };
    },
    async appendPaced({ tasks, perSecond, ms }) {
      const begun = performance.now();
      const answers: Promise<void>[] = [];
      for (let after = 0; after < ms; after = performance.now() - begun) {
        const due = Math.floor((after / 1000) * perSecond);
        while (answers.length < due) answers.push(report(tasks[answers.length % tasks.length] ?? '', 1));
        await rest(PACE_MS);
      }
      await Promise.all(answers);
      return { facts: answers.length, ms: performance.now() - begun };
    },
    publish({ taskId, count, at }) {
      const task = handlers.get(taskId);
      for (let i = 0; i < count; i += 1) {
        const { progress, ...about } = factPayload(i, at);
        void task?.progress(progress, about);
      }
    },
    write({ taskId, text }) {
      const answer = written.get(taskId) ?? handlers.get(taskId)?.stream('answer', { kind: 'text' });
      if (answer) written.set(taskId, answer);
      void answer?.write(text);
    },
    async fill({ taskId, count }) {
      const task = handlers.get(taskId);
      const after = task ? await lastEventId(taskId) : '';
      for (let left = count; left > 0; left -= 250) {
        const turn = Math.min(left, 250);
        if (!task) await report(taskId, turn);
        else
          await Promise.all(
            Array.from({ length: turn }, (_, i) => {
              const { progress, ...about } = factPayload(i);
              return task.progress(progress, about);
            }),
          );
      }
      return after;
    },
    async appendEach({ tasks, each }) {
      const begun = performance.now();
      for (const taskId of tasks) for (let i = 0; i < each; i += 1) await report(taskId, 1);
      return performance.now() - begun;
    },
    cpu: cpuMicroseconds,
    memory: settledMemory,
  },
  { port },
);
