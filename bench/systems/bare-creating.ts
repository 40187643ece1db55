import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import { serveRpc } from '../rpc/server.ts';
import { BareTask } from './bare/commit.ts';
import { EndCount } from './bare/end-count.ts';
import type { CreatedWork, CreatingStore, CreatingSystem } from './creating-system.ts';

// A bare POST that is parsed and written by one step: a place in a map, one batched put, or one script. Nothing runs, nothing is decided; a task of
// facts takes four more scripts, as many as ours has facts. `bare-creating.js <Redis port> <memory, LMDB or Redis> <folder of LMDB>`
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
const create = creates[kind as CreatingStore]();

async function bodyOf(req: IncomingMessage): Promise<{ clientRequestId: string; taskType: CreatedWork }> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as { clientRequestId: string; taskType: CreatedWork };
}

async function work(taskType: CreatedWork): Promise<void> {
  const task = taskType === 'facts' && redis ? new BareTask(redis) : undefined;
  for (let fact = 0; task && fact < FACTS; fact += 1) await task.commit(1);
  ends.count();
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { clientRequestId, taskType } = await bodyOf(req);
  const taskId = randomBytes(16).toString('hex');
  const head = JSON.stringify({ taskId, taskType, clientRequestId, state: 'accepted', createdAt: Date.now() });
  const isNew = await create(clientRequestId, taskId, head);
  const body = Buffer.from(JSON.stringify({ taskId, status: 'ACCEPTED', clientRequestId, deduplicated: !isNew }));
  res.writeHead(201, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': body.length }).end(body);
  await work(taskType);
}

const server = createServer((req, res) => void answer(req, res));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
await serveRpc<CreatingSystem>({ ended: (tasks) => ends.reached(tasks) }, { port: (server.address() as AddressInfo).port });
