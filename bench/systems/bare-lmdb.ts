import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { open } from 'lmdb';
import { serveRpc } from '../rpc/server.ts';
import type { RestartedSystem } from './work-system.ts';

// The smallest honest queue on LMDB: two durable commits for each task, one that claims it and one that ends it, each with a head of the size of
// ours. `bare-lmdb.js <Redis port, unused> <folder> <tasks>`
const [, , , path = ''] = process.argv;
const rows = open<Buffer, string[]>({ path, encoding: 'binary', overlappingSync: false });
const server = createServer((_, res) => void res.end());
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const listenedMs = performance.now();

const AT_ONCE = 100;
const head = Buffer.alloc(900, 'h');
const fact = Buffer.alloc(200, 'f');

async function workOff(): Promise<number> {
  for (;;) {
    const page = [...rows.getKeys({ start: ['q'], end: ['r'], limit: AT_ONCE })];
    if (page.length === 0) return performance.now();
    await Promise.all(page.map(([, id = '']) => work(id)));
  }
}

async function work(id: string): Promise<void> {
  await rows.transaction(() => {
    rows.putSync(['t', id], head);
    rows.putSync(['l', id, '1'], fact);
    rows.removeSync(['q', id]);
  });
  await rows.transaction(() => {
    rows.putSync(['t', id], head);
    rows.putSync(['l', id, '2'], fact);
  });
}

const whole = workOff();
await serveRpc<RestartedSystem>(
  { listenedMs: () => listenedMs, workedOffMs: () => whole },
  { port: (server.address() as AddressInfo).port },
);
