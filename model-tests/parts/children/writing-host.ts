import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess, type PartStream, type Task } from 'taskbridge/adapters/in-process';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { redisStore } from 'taskbridge/adapters/redis';
import { createTaskBridge } from 'taskbridge/server';
import { linesOf, PLAN_LINES, textOf } from '../writer-text.ts';

// One node of a host whose work writes: `writing-host.ts <"redis" or "lmdb"> <its port or folder> <lease in milliseconds>`. Tells its parent its port; any
// message lets a writer go on that has come to one of the `stops` of its input, in characters.
const [, , kind = '', place = '', leaseMs = ''] = process.argv;
const silent = { warn: () => undefined, error: () => undefined };

function storeOf() {
  if (kind === 'lmdb') return lmdbStore({ path: place });
  const redis = new Redis(Number(place), { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  return redisStore(redis, { logger: silent, commandTimeoutMs: 3000 });
}

/** Lets the writer go on that has come to a stop. */
let goOn = (): void => undefined;
process.on('message', () => goOn());

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function plan(task: Task, writer: string): Promise<void> {
  const out = task.stream('plan', { kind: 'reasoning', flushMs: 10 });
  for (const line of linesOf(writer, PLAN_LINES)) void out.write(line);
  await out.end();
  await task.save('planned');
}

/** Goes on with what there is, in words of its own. */
async function writeOwnWords(task: Task) {
  const out = task.stream('answer', { kind: 'text', flushMs: 10, flushBytes: 512, onRerun: 'continue' });
  await out.text;
  await writeTo(out, textOf(task.attempt), task);
  return { attempt: task.attempt };
}

/** In pieces that end anywhere, also in the midst of a character. */
async function writeTo(out: PartStream, text: string, task: Task): Promise<void> {
  const paceMs = Number(task.input['paceMs'] ?? 4);
  const stops = task.attempt === 1 ? [...((task.input['stops'] ?? []) as number[])] : [];
  for (let at = 0; at < text.length && !task.signal.aborted; at += 397) {
    if (at > (stops[0] ?? Infinity)) {
      stops.shift();
      await new Promise<void>((resolve) => (goOn = resolve));
    }
    await out.write(text.slice(at, at + 397));
    await rest(paceMs);
  }
}

/** Writes what its attempt has to say, or all that there is to be said, and goes on with it. */
async function write(task: Task, onRerun?: 'continue') {
  if (task.saved === undefined) await plan(task, `plan ${task.attempt}`);
  const out = task.stream('answer', { kind: 'text', flushMs: 10, flushBytes: 512, ...(onRerun && { onRerun }) });
  const begun = await out.text;
  const whole = textOf(onRerun ? 'all' : task.attempt);
  if (!whole.startsWith(begun)) throw new Error(`What was there is none of ours: ${JSON.stringify(begun.slice(-200))}`);
  await writeTo(out, whole.slice(begun.length), task);
  // Half of them leave it to their end to close it.
  if (task.input['ends'] === true && !task.signal.aborted) await out.end();
  return { attempt: task.attempt };
}

const bridge = createTaskBridge({
  store: storeOf(),
  executor: inProcess(
    {
      restart: { repeatable: true, run: (task) => write(task) },
      continue: { repeatable: true, run: (task) => write(task, 'continue') },
      'own-words': { repeatable: true, run: writeOwnWords },
      once: (task) => write(task),
    },
    { logger: silent },
  ),
  auth: () => ({ subject: 'ada' }),
  logger: silent,
  tasks: { leaseMs: Number(leaseMs), reconcileMs: 100, effectRetryMs: 50 },
  live: { heartbeatMs: 1000, sseHeartbeatMs: 1000 },
});
const app = new Koa();
app.use(bridge.middleware());
const server = createServer(app.callback());
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit(0));
