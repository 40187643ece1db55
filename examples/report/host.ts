/**
 * The demo's server: a Koa app of its own that embeds TaskBridge and keeps everything in one directory. `npx tsx examples/report/host.ts --data .data --port 3000`;
 * `--token-service` names a service that says whose token it is.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
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
import { reportTasks } from './tasks.ts';

const { values } = parseArgs({
  options: { data: { type: 'string' }, port: { type: 'string', default: '0' }, 'token-service': { type: 'string' } },
});
const directory = values.data ?? (await mkdtemp(join(tmpdir(), 'taskbridge-report-')));

const authenticate = values['token-service'] === undefined ? trustName : askTokenService(values['token-service']);

const app = new Koa();
const bridge = createTaskBridge({
  store: lmdbStore({ path: join(directory, 'store') }),
  executor: inProcess(reportTasks, { 'report.build': { run: buildReport({ directory }), repeatable: true } }),
  attachments: fileAttachments({ path: join(directory, 'attachments') }),
  // Whoever runs this runs it for files of their own.
  http: { uploadBytesMax: 2 ** 30, uploadRequestBytesMax: 2 ** 30 + 2 ** 20 },
  tasks: { attachmentBytesMax: 2 ** 30, bytesPerOwnerMax: 2 ** 34 },
  auth: authenticate,
});

app.use(bridge.middleware({ prefix: '/api/v1' }));

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
