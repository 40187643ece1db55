import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { redisStore } from '../../adapters/redis/index.ts';
import { eventId } from '../../machines/wire/index.ts';
import type { Fence } from '../../server/store/index.ts';
import { serveRpc } from '../rpc/server.ts';
import { cpuMicroseconds, lanes as sideBySide } from './own-process.ts';
import { TOKEN_TEXT, type PartSystem } from './part-writing.ts';
import { factPayload } from './system.ts';

// Text that grows, as the store keeps it: no handler, no viewer. `parts.js <Redis port>`
const store = redisStore(new Redis(Number(process.argv[2])));
await store.open();
const { lanes } = store;
if (!lanes) throw new Error('The Redis store of this commit keeps no parts.');
const plan = { wakeAt: null, work: { heldBy: 'bench' } };

interface Written {
  readonly fence: Fence;
  at: number;
  revision: number;
}
const parts: Written[] = [];

async function open(): Promise<Written> {
  const id = randomBytes(32).toString('hex');
  const taskId = id.slice(0, 32);
  const fields = { state: '{}' };
  const shares = { adds: {}, sharesMax: {} };
  await store.create({
    taskId,
    requestKey: id,
    owner: 'ada',
    taskType: 'bench',
    fields,
    sideValues: {},
    plan,
    state: 'running',
    ...shares,
  });
  const fence: Fence = { taskId, lane: eventId(1, 1), epoch: { mark: id.slice(0, 24), was: null, from: 0 }, attempt: 1, node: 'bench' };
  const commit = { taskId, expectedRevision: 1, facts: [], ended: false, fields: {}, sideValues: {}, plan, firstRetained: 1 };
  await store.append({ ...commit, lanes: { open: [fence] } });
  return { fence, at: 0, revision: 2 };
}

async function opened(count: number): Promise<readonly Written[]> {
  while (parts.length < count) parts.push(await open());
  return parts;
}

async function flush(part: Written, bytes: Uint8Array): Promise<void> {
  const [answer] = (await lanes?.flush([{ fence: part.fence, at: part.at, bytes }])) ?? [];
  if (answer !== 'ok') throw new Error(`A flush was answered ${JSON.stringify(answer)}.`);
  part.at += bytes.byteLength;
}

/** A fact of a token, and the head that a report writes with it. */
async function report({ fence: { taskId }, ...part }: Written): Promise<void> {
  const n = part.revision - 1;
  const id = eventId(n, Date.now());
  const fact = { type: 'TASK_PROGRESS', taskId, eventId: id, createdAt: new Date().toISOString(), payload: factPayload(n) };
  const facts = [{ eventId: id, bytes: Buffer.from(JSON.stringify(fact)) }];
  const fields = { state: JSON.stringify({ state: 'running', n, progress: fact.payload }) };
  const rest = { ended: false, sideValues: {}, plan, firstRetained: Math.max(1, n - 1000) };
  const answer = await store.append({ taskId, expectedRevision: part.revision, facts, fields, ...rest });
  if (answer !== 'committed') throw new Error(`A commit was answered ${answer}.`);
}

const system: PartSystem = {
  async flush({ parts: count, tokens, ms }) {
    const all = await opened(count);
    const bytes = Buffer.from(TOKEN_TEXT.repeat(tokens));
    let written = 0;
    const took = await sideBySide(count, ms, async (nth) => {
      const part = all[nth];
      if (part) await flush(part, bytes);
      written += tokens;
    });
    return { tokens: written, ms: took };
  },
  async facts({ parts: count, ms }) {
    const all = await opened(count);
    let written = 0;
    const took = await sideBySide(count, ms, async (nth) => {
      const part = all[nth];
      if (!part) return;
      await report(part);
      part.revision += 1;
      written += 1;
    });
    return { tokens: written, ms: took };
  },
  cpu: cpuMicroseconds,
};

const server = createServer((_, res) => void res.end());
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
await serveRpc<PartSystem>(system, { port: (server.address() as AddressInfo).port });
