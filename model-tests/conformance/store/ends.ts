import type { Store } from 'taskbridge/server/store';
import { commitOf, look, noLimit, sampleTask } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, includes, rejects, same, says } from '../suite/claim.ts';

/** What `open`, `close`, `now` and `id` mean. */
export const endCases: CaseGroup<Store> = (store) => {
  return {
    'has a name': async () => {
      says(store().name, /^[a-z][a-z-]*$/);
    },

    'tells its time in whole milliseconds since the epoch': async () => {
      const [first, second] = [await store().now(), await store().now()];
      same(Number.isSafeInteger(first), true);
      holds(second >= first, 'it is less');
    },

    'has one id, whoever asks first and however often': async () => {
      const [first, ...others] = await Promise.all([store().id(), store().id(), store().id()]);
      says(first, /^[0-9a-f]{32}$/);
      same(others, [first, first]);
      await store().create(sampleTask());
      same(await store().id(), first);
    },

    'takes a second `open` and a second `close` for nothing': async () => {
      const task = sampleTask();
      await store().create(task);
      await store().open();
      includes(await store().load(task.taskId), { revision: 1 });
      await store().close();
      await store().close();
    },

    'finishes what it was asked before it closes': async () => {
      const tasks = Array.from({ length: 20 }, () => sampleTask());
      const created = Promise.all(tasks.map((task) => store().create(task)));
      await store().close();
      same(
        await created,
        tasks.map(() => ({ created: true })),
      );
    },

    'rejects every verb once it is closed, and says why': async () => {
      const task = sampleTask();
      await store().create(task);
      await store().close();
      const verbs: (() => Promise<unknown>)[] = [
        () => store().create(sampleTask()),
        () => store().load(task.taskId),
        () => store().sideValues(task.taskId, ['a']),
        () => store().append(commitOf(task.taskId, 1)),
        () => store().remove(task.taskId, task.requestKey, 1),
        () => store().take(look()),
        () => store().leases(),
        () => store().held({ bucket: '', node: 'a-node', beat: 0 }, 1),
        () => store().dropLease({ bucket: '', node: 'a-node', beat: 0 }),
        () => store().read(task.taskId, 1, noLimit),
        () => store().lastEventIds([task.taskId]),
        () => store().id(),
      ];
      for (const verb of verbs) await rejects(verb(), 'not open');
    },
  };
};
