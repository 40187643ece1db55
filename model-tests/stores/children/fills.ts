import { lmdbStore } from '../../../adapters/lmdb/index.ts';
import { commitOf, factOf, sampleTask, wakes } from '../../conformance/store/samples.ts';

// Writes large facts until one is rejected, then trims; prints what came of each step. An unhandled rejection ends it.
const [, , path = ''] = process.argv;
process.on('SIGXFSZ', () => undefined);
const store = lmdbStore({ path });
await store.open();
const { taskId, ...task } = sampleTask({ plan: wakes(1) });
await store.create({ taskId, ...task });
const message = 'x'.repeat(100_000);
let revision = 1;
let outcome = '';
for (; !outcome.startsWith('rejected'); revision += 1) {
  outcome = await store
    .append(commitOf(taskId, revision, { facts: [factOf(taskId, revision, { message })], plan: wakes(1) }))
    .catch((error: unknown) => `rejected ${String(error)}`);
  process.stdout.write(`${outcome}\n`);
}
revision = (await store.load(taskId))?.revision ?? 0;
process.stdout.write(`revision ${revision}\n`);
process.stdout.write(`after trimming ${await store.append(commitOf(taskId, revision, { firstRetained: revision, plan: wakes(1) }))}\n`);
setInterval(() => undefined, 60_000);
