import { lmdbStore } from '../../../adapters/lmdb/index.ts';

// Opens the stores in some folders, which are damaged, and reads from each what was in it: in a process that any of them may end.
const [, , taskId = '', ...folders] = process.argv;
for (const path of folders) {
  const store = lmdbStore({ path });
  const outcome = await store
    .open()
    .then(() => store.load(taskId))
    .then(
      (task) => (task ? 'there' : 'gone'),
      (error: unknown) => String(error),
    );
  process.stdout.write(`${outcome}\n`);
}
process.exit(0);
