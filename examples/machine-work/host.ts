/** A host whose work is a machine: `npx tsx examples/machine-work/host.ts [folder]` (port 3000, or `PORT`). */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import Koa from 'koa';
import { fromPromise } from 'xstate';
import { inProcess } from 'taskbridge/adapters/in-process';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { createTaskBridge } from 'taskbridge/server';
import { checkoutMachine } from './checkout.ts';
import { machineHandler } from './machine-handler.ts';

const [, , folder = '.data/machine-work'] = process.argv;
const book = join(folder, 'shop.txt');
await mkdir(folder, { recursive: true });

/** What the shop was asked for: one line a call, `key what`. A key that is there is not done again. */
async function once(key: string, what: string): Promise<string> {
  const known = (await readFile(book, 'utf8').catch(() => '')).split('\n').findIndex((line) => line.startsWith(`${key} `));
  if (known < 0) await appendFile(book, `${key} ${what}\n`);
  return `${what} (${key.split(':').slice(1).join(':')})`;
}
const checkout = checkoutMachine.provide({
  actors: {
    reserve: fromPromise(({ input, self }) => once(self.id, `reserved ${input.item}`)),
    charge: fromPromise(({ input, self }) => once(self.id, `charged ${input.cents}`)),
  },
  delays: { remind: 500 },
});

const bridge = createTaskBridge({
  store: lmdbStore({ path: join(folder, 'store') }),
  executor: inProcess({ checkout: { repeatable: true, run: machineHandler(checkout) } }),
  auth: ({ headers }) => (headers.authorization === 'Bearer demo' ? { subject: 'demo' } : undefined),
});
const app = new Koa();
app.use(bridge.middleware());
const answer = app.callback();
const server = createServer((request, response) => void answer(request, response));
server.on('upgrade', bridge.upgrade);
await bridge.start();
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => console.log('Listening on', server.address()));
process.once('SIGTERM', () => void bridge.close({ spreadMs: 0 }).then(() => process.exit(0)));
