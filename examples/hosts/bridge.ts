import { fileAttachments } from 'taskbridge/adapters/file';
import { inProcess } from 'taskbridge/adapters/in-process';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { createTaskBridge } from 'taskbridge/server';
import { countLines, whoIs } from './app.ts';

export const bridge = createTaskBridge({
  store: lmdbStore({ path: './data/tasks' }),
  attachments: fileAttachments({ path: './data/files' }),
  executor: inProcess({ 'lines.count': { repeatable: true, run: countLines } }),
  auth: whoIs,
});
process.once('SIGTERM', () => void bridge.close({ spreadMs: 5000 }).then(() => process.exit()));
