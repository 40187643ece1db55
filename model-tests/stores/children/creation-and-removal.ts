import { lmdbStore } from '../../../adapters/lmdb/index.ts';
import { commitOf, sampleTask } from '../../conformance/store/samples.ts';
import { stateOf } from './plans.ts';
import { say } from './say.ts';

// For each owner that is named after the folder: creates a task, moves it on and removes every other one, for ever. Prints `<owner> <tasks created>`.
const [, , path = '', ...owners] = process.argv;
const store = lmdbStore({ path });
await store.open();
await Promise.all(
  owners.map(async (owner) => {
    for (let created = 1; ; created += 1) {
      const task = sampleTask({ owner, adds: { tasks: 1, bytes: 10 }, state: stateOf(1) });
      await store.create(task);
      await say(`${owner} ${created}`);
      await store.append(commitOf(task.taskId, 1, { state: stateOf(2) }));
      if (created % 2 === 0) await store.remove(task.taskId, task.requestKey, 2);
    }
  }),
);
