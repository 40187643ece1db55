import { lmdbStore } from '../../../adapters/lmdb/index.ts';
import { commitOf, factsOf } from '../../conformance/store/samples.ts';
import { planOf, stateOf } from './plans.ts';
import { say } from './say.ts';

// Appends to the tasks that are named after the folder, all at once, for ever; prints `<task> <revision>` for what was acknowledged.
const [, , path = '', ...taskIds] = process.argv;
const store = lmdbStore({ path });
await store.open();
await Promise.all(
  taskIds.map(async (taskId) => {
    for (let revision = (await store.load(taskId))?.revision ?? 0; ; revision += 1) {
      // Two facts a commit, and as much of everything else: a commit that is half there shows.
      const facts = factsOf(taskId, 2 * revision - 1, 2 * revision);
      const text = String(revision);
      const answer = await store.append(
        commitOf(taskId, revision, {
          facts,
          fields: { head: text },
          sideValues: { [`kept-${text}`]: text },
          plan: planOf(revision + 1),
          state: stateOf(revision + 1),
        }),
      );
      if (answer !== 'committed') throw new Error(`Revision ${revision} of ${taskId}: ${answer}.`);
      await say(`${taskId} ${revision + 1}`);
    }
  }),
);
