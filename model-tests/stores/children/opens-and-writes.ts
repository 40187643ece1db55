import { lmdbStore } from '../../../adapters/lmdb/index.ts';
import { commitOf, factOf } from '../../conformance/store/samples.ts';

// Opens the store in the folder of the first argument and says so; when it is told by SIGUSR2, writes a fact of the task that is named after
// it, and prints what came of it.
const [, , path = '', taskId = ''] = process.argv;
const store = lmdbStore({ path });
await store.open();
process.on('SIGUSR2', () => {
  void store.append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] })).then(
    (answer) => process.stdout.write(`${answer}\n`),
    (error: unknown) => process.stdout.write(`${String(error)}\n`),
  );
});
process.stdout.write('open\n');
setInterval(() => undefined, 60_000);
