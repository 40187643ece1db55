import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { inProcess, type PartStream, type Task } from '../../adapters/in-process/index.ts';
import { redisStore } from '../../adapters/redis/index.ts';
import { createTaskBridge } from '../../server/index.ts';
import { serveRpc } from '../rpc/server.ts';
import { cpuMicroseconds, settledMemory } from './own-process.ts';
import { TOKEN_TEXT } from './part-writing.ts';
import { TOKEN } from './system.ts';
import { joinText, sayTokens, type TokenSystem } from './token-system.ts';

// A host whose handlers speak token by token, as its users write it: Koa, the bridge, Redis. `tokens.js <Redis port>`
interface Speaker {
  readonly task: Task;
  out: PartStream | undefined;
}

const speakers = new Map<string, Speaker>();
const bridge = createTaskBridge({
  store: redisStore(new Redis(Number(process.argv[2]))),
  executor: inProcess(
    {
      speak: (task) => {
        speakers.set(task.taskId, { task, out: undefined });
        return new Promise(() => undefined);
      },
    },
    { concurrencyMax: 100_000 },
  ),
  auth: ({ headers }) => ({ subject: headers.authorization?.slice('Bearer '.length) ?? '' }),
  live: { socketsPerOwnerMax: 20_000, viewersPerOwnerMax: 20_000 },
  // One owner makes here what thousands would.
  tasks: { activePerOwnerMax: Infinity, waitingPerOwnerMax: Infinity },
});
const app = new Koa();
app.use(bridge.middleware());
const handle = app.callback();
const server = createServer((req, res) => void handle(req, res));
server.on('upgrade', bridge.upgrade);
await bridge.start();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

const AT_ONCE = 50;
const PIECE_CHARACTERS = 16 * 1024;
let created = 0;

function speakerOf(taskId: string | undefined): Speaker {
  const speaker = speakers.get(taskId ?? '');
  if (!speaker) throw new Error(`There is no task ${taskId}.`);
  return speaker;
}

async function create(): Promise<string> {
  const { taskId } = await bridge.tasks({ subject: TOKEN }).start({ clientRequestId: `bench-${++created}`, taskType: 'speak' });
  while (!speakers.has(taskId)) await new Promise((resolve) => setImmediate(resolve));
  return taskId;
}

function begin(taskId: string): Speaker & { readonly out: PartStream } {
  const speaker = speakerOf(taskId);
  const out = (speaker.out ??= speaker.task.stream('answer', { kind: 'text' }));
  return { ...speaker, out };
}

const system: TokenSystem = {
  async create({ count }) {
    const ids: string[] = [];
    while (ids.length < count) ids.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - ids.length) }, create))));
    return ids;
  },
  async open({ tasks }) {
    for (let from = 0; from < tasks.length; from += AT_ONCE)
      await Promise.all(
        tasks.slice(from, from + AT_ONCE).map(async (taskId) => {
          const { task, out } = begin(taskId);
          void out.write(TOKEN_TEXT);
          // What was written before is in the store before this is.
          await task.progress(1);
        }),
      );
  },
  say(pace) {
    const said = pace.tasks.map(speakerOf);
    return sayTokens(pace, (nth, token) => {
      const speaker = said[nth];
      if (pace.as === 'facts') void speaker?.task.message(token);
      else void speaker?.out?.write(token);
    });
  },
  async fill({ bytes }) {
    const taskId = await create();
    const { task, out } = begin(taskId);
    const text = joinText(bytes);
    for (let at = 0; at < text.length; at += PIECE_CHARACTERS) await out.write(text.slice(at, at + PIECE_CHARACTERS));
    await task.progress(50);
    return taskId;
  },
  cpu: cpuMicroseconds,
  memory: settledMemory,
};

await serveRpc<TokenSystem>(system, { port: (server.address() as AddressInfo).port });
