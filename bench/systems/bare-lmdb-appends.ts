import { randomBytes } from 'node:crypto';
import { open } from 'lmdb';
import { serveRpc } from '../rpc/server.ts';
import { cpuMicroseconds, lanes } from './own-process.ts';
import { factPayload, type AppendingSystem } from './system.ts';

// The smallest honest commit on LMDB: a version is compared, a fact and a head are written, and it is safe on the disk when that is answered; those of one
// turn share a flush, as lmdb-js does it. `bare-lmdb-appends.js <folder>`
const rows = open<Buffer, (string | number)[]>({ path: process.argv[2] ?? '', encoding: 'binary', overlappingSync: false });
const versions = new Map<string, number>();

async function commit(taskId: string): Promise<void> {
  const n = versions.get(taskId) ?? 0;
  versions.set(taskId, n + 1);
  const payload = factPayload(n + 1);
  const eventId = `${n + 1}-${Date.now()}`;
  const fact = Buffer.from(JSON.stringify({ type: 'TASK_PROGRESS', taskId, eventId, createdAt: new Date().toISOString(), payload }));
  const head = Buffer.from(JSON.stringify({ version: n + 1, state: 'running', lastEventId: eventId, progress: payload }));
  await rows.transaction(() => {
    const before = rows.get(['t', taskId]);
    if (((before && (JSON.parse(before.toString()) as { version: number }).version) ?? 0) !== n)
      throw new Error('A bare commit met another version.');
    rows.putSync(['l', taskId, n + 1], fact);
    rows.putSync(['t', taskId], head);
  });
}

await serveRpc<AppendingSystem>({
  createTasks: ({ count }) => Promise.resolve(Array.from({ length: count }, () => randomBytes(16).toString('hex'))),
  async append({ tasks, inFlight, ms }) {
    let facts = 0;
    const took = await lanes(inFlight, ms, async (lane) => {
      await commit(tasks[lane % tasks.length] ?? '');
      facts += 1;
    });
    return { facts, ms: took };
  },
  cpu: cpuMicroseconds,
});
