import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import { serveRpc } from '../rpc/server.ts';
import { BareTask } from './bare/commit.ts';
import { EndCount } from './bare/end-count.ts';
import type { AskedTask, CreatedWork, CreatingStore, CreatingSystem } from './creating-system.ts';
import { cpuMicroseconds } from './own-process.ts';

// A bare POST that is parsed and written by one step: a place in a map, one batched put, or one script. Nothing runs, nothing is decided; a task of
// facts takes four more scripts, as many as ours has facts. An answer and a cancel are a script, and another one for the end. `bare-creating.js <Redis port> <memory, LMDB or Redis> <folder of LMDB>`
const [, , redisPort = '', kind = 'memory', path = ''] = process.argv;
const ends = new EndCount();

/** Writes a task under its request's key, unless that is taken; tells whether it did. */
type Create = (key: string, taskId: string, head: string) => Promise<boolean>;

const CREATE = `
if not redis.call('SET', KEYS[1], ARGV[1], 'NX') then return 0 end
redis.call('HSET', KEYS[2], 'version', '1', 'head', ARGV[2])
return 1`;
const FACTS = 4;
let redis: Redis | undefined;

const creates: Readonly<Record<CreatingStore, () => Create>> = {
  memory() {
    const tasks = new Map<string, string>();
    return async (key, _, head) => tasks.size < tasks.set(key, head).size;
  },
  LMDB() {
    const rows = open<string, string>({ path, encoding: 'string', overlappingSync: false });
    return (key, _, head) => rows.put(key, head);
  },
  Redis() {
    const client = new Redis(Number(redisPort));
    client.defineCommand('create', { numberOfKeys: 2, lua: CREATE });
    redis = client;
    // What `defineCommand` adds is not in the type.
    const scripts = client as unknown as { create(...args: string[]): Promise<number> };
    return async (key, taskId, head) => (await scripts.create(`bare:request:${key}`, `bare:task:${taskId}`, taskId, head)) === 1;
  },
};
// What the bench starts it with.
const write = creates[kind as CreatingStore]();

const COMMAND = /^\/api\/v1\/tasks\/([0-9a-f]{32})\/(actions|cancel)$/;
/** Those that wait for an answer. */
const asking = new Map<string, BareTask>();

/** What was sent, parsed. It is from our own clients. */
async function bodyOf<T>(req: IncomingMessage): Promise<T> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as T;
}

async function work(taskType: CreatedWork): Promise<void> {
  const task = taskType === 'facts' && redis ? new BareTask(redis) : undefined;
  for (let fact = 0; task && fact < FACTS; fact += 1) await task.commit(1);
  ends.count();
}

async function create(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { clientRequestId, taskType } = await bodyOf<{ clientRequestId: string; taskType: CreatedWork }>(req);
  const taskId = randomBytes(16).toString('hex');
  const head = JSON.stringify({ taskId, taskType, clientRequestId, state: 'accepted', createdAt: Date.now() });
  const isNew = await write(clientRequestId, taskId, head);
  answer(res, 201, { taskId, status: 'ACCEPTED', clientRequestId, deduplicated: !isNew });
  await work(taskType);
}

async function command(task: BareTask, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = await bodyOf<object>(req);
  await task.commit(1);
  answer(res, 202, { taskId: task.taskId, ...body, status: 'ACCEPTED' });
  await task.commit(1);
  asking.delete(task.taskId);
  ends.count();
}

function answer(res: ServerResponse, status: number, content: object): void {
  const body = Buffer.from(JSON.stringify(content));
  res.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length }).end(body);
}

/** Makes tasks that wait for an answer, on Redis. */
async function ask(count: number): Promise<readonly AskedTask[]> {
  if (!redis) throw new Error('Tasks that ask are kept in Redis.');
  const tasks: AskedTask[] = [];
  for (let n = 0; n < count; n += 1) {
    const task = new BareTask(redis);
    await task.commit(1);
    asking.set(task.taskId, task);
    tasks.push({ taskId: task.taskId, suspendId: 'go-on' });
  }
  return tasks;
}

const server = createServer((req, res) => {
  const task = asking.get(COMMAND.exec(req.url ?? '')?.[1] ?? '');
  void (task ? command(task, req, res) : create(req, res));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
await serveRpc<CreatingSystem>(
  { ended: (tasks) => ends.reached(tasks), ask, cpu: cpuMicroseconds },
  { port: (server.address() as AddressInfo).port },
);
