import { lmdbStore } from '../../../adapters/lmdb/index.ts';

// Opens the store in the folder of the first argument, says what came of it, and stays until it is killed.
const [, , path = ''] = process.argv;
const outcome = await lmdbStore({ path })
  .open()
  .then(
    () => 'open',
    (error: unknown) => String(error),
  );
process.stdout.write(`${outcome}\n`);
setInterval(() => undefined, 60_000);
