/**
 * The demo's server: a Koa app of its own that embeds TaskBridge, keeps everything in one directory, and lets people download what
 * their tasks made. `npx tsx examples/report/host.ts --data .data --port 3000`;
 * `--login` names a service that says whose token it is.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Koa from 'koa';
import { fileAttachments } from 'taskbridge/adapters/file';
import { inProcess } from 'taskbridge/adapters/in-process';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { isTerminal } from 'taskbridge/machines';
import { createTaskBridge, TaskBridgeError } from 'taskbridge/server';
import { buildReport } from './job/index.ts';
import { askTokenService, trustName } from './authenticate.ts';

const { values } = parseArgs({
  options: { data: { type: 'string' }, port: { type: 'string', default: '0' }, login: { type: 'string' } },
});
const directory = values.data ?? (await mkdtemp(join(tmpdir(), 'taskbridge-report-')));

const authenticate = values.login === undefined ? trustName : askTokenService(values.login);

/** Files of different people lie in different folders, so that a path alone says whose a file is. */
const folderOf = (owner: string) => createHash('sha256').update(owner).digest('hex').slice(0, 16);

const app = new Koa();
const bridge = createTaskBridge({
  store: lmdbStore({ path: join(directory, 'store') }),
  executor: inProcess({
    'report.build': {
      run: buildReport({ directory, nameOf: ({ taskId, owner }) => `${folderOf(owner)}/${taskId}.csv` }),
      repeatable: true,
    },
  }),
  attachments: fileAttachments({ path: join(directory, 'attachments') }),
  // Whoever runs this runs it for files of their own.
  http: { uploadBytesMax: 2 ** 30, uploadRequestBytesMax: 2 ** 30 + 2 ** 20 },
  auth: authenticate,
});

app.use(bridge.middleware({ prefix: '/api/v1' }));
app.use(async (ctx) => {
  const [, folder, file] = /^\/reports\/([0-9a-f]{16})\/([0-9a-f]{32}\.csv)$/.exec(ctx.path) ?? [];
  if (ctx.method !== 'GET' || !folder || !file) return;
  const person = await authenticate(ctx.req);
  if (!person) ctx.status = 401;
  if (!person || folder !== folderOf(person.subject)) return;
  const path = join(directory, 'reports', folder, file);
  const found = await stat(path).catch(() => undefined);
  if (!found) return;
  ctx.attachment(`cleaned-${file}`);
  ctx.length = found.size;
  ctx.body = createReadStream(path);
});

const answer = app.callback();
const server = createServer((request, response) => void answer(request, response));
server.on('upgrade', bridge.upgrade);
await bridge.start();
await sweepWork();
server.listen(Number(values.port), '127.0.0.1', () => {
  const address = server.address();
  if (typeof address !== 'object' || address === null) return;
  // The demo that started this process listens for the port; a person reads it.
  if (process.send) process.send({ port: address.port });
  else console.log(`Listening on http://127.0.0.1:${address.port}/api/v1, data in ${directory}`);
});

/** A run that was cancelled leaves its unfinished files; nobody needs them once the task has ended. */
async function sweepWork(): Promise<void> {
  const work = join(directory, 'work');
  for (const taskId of await readdir(work).catch(() => [])) {
    const hasEnded = await bridge.actor(taskId).then(
      (task) => isTerminal(task.getSnapshot()),
      (error: unknown) => error instanceof TaskBridgeError && error.code === 'TASK_NOT_FOUND',
    );
    if (hasEnded) await rm(join(work, taskId), { recursive: true, force: true });
  }
}

async function close(): Promise<void> {
  server.close();
  await bridge.close({ spreadMs: 0 });
  process.exit(0);
}
process.once('SIGTERM', () => void close());
process.once('SIGINT', () => void close());
process.once('disconnect', () => void close());
