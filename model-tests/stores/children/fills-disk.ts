import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Koa from 'koa';
import { fileAttachments } from '../../../adapters/file/index.ts';
import { inProcess } from '../../../adapters/in-process/index.ts';
import { lmdbStore } from '../../../adapters/lmdb/index.ts';
import { createTaskBridge } from '../../../server/index.ts';

// A host whose tasks and files are in the folder of the first argument, where a small disk is mounted. Uploads a file that does not fit, then
// creates tasks until one is refused; prints the status, the code and the Retry-After of each refusal, and what the logger was told of it.
const [, , path = ''] = process.argv;
const logged: string[] = [];
const note = (message: string, fields?: Readonly<Record<string, unknown>>) =>
  void logged.push(`${message} ${fields?.['error'] instanceof Error ? fields['error'].message : ''}`);
const bridge = createTaskBridge({
  store: lmdbStore({ path: join(path, 'tasks') }),
  attachments: fileAttachments({ path: join(path, 'files') }),
  executor: inProcess({ idle: () => new Promise(() => undefined) }),
  auth: () => ({ subject: 'ada' }),
  logger: { warn: note, error: note },
});
const app = new Koa();
app.use(bridge.middleware());
const server = createServer(app.callback());
await bridge.start();
await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/tasks`;

const tell = async (what: string, response: Response): Promise<void> => {
  const { code, message } = (await response.json()) as { readonly code?: string; readonly message?: string };
  const reason = logged.find((line) => /ENOSPC|could not write|full/.test(line)) ?? 'nothing';
  process.stdout.write(
    `${what}: ${response.status} ${code} ${message} retry-after ${response.headers.get('retry-after')}; logged: ${reason}\n`,
  );
  logged.length = 0;
};

const upload = new FormData();
upload.set('clientRequestId', 'upload');
upload.set('taskType', 'idle');
upload.set('attachment', new Blob([new Uint8Array(4 * 1024 ** 2)]), 'large.bin');
await tell('upload', await fetch(url, { method: 'POST', body: upload }));

for (let n = 0; n < 1000; n += 1) {
  const body = JSON.stringify({ clientRequestId: `task ${n}`, taskType: 'idle', input: { text: 'x'.repeat(100_000) } });
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  if (response.ok) continue;
  await tell('create', response);
  break;
}
setInterval(() => undefined, 60_000);
