import { lmdbStore } from '../../../adapters/lmdb/index.ts';

// Opens the store in the folder of the first argument, which is damaged, and reads from it what was in it: in a process that this may end.
const [, , path = '', taskId = ''] = process.argv;
const store = lmdbStore({ path });
const outcome = await store
  .open()
  .then(() => store.load(taskId))
  .then(
    (task) => (task ? 'there' : 'gone'),
    (error: unknown) => String(error),
  );
process.stdout.write(`${outcome}\n`);
process.exit(0);
