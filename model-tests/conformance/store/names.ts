import type { Name, Store } from 'taskbridge/server/store';
import { commitOf, heldBy, sampleTask } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, present, same } from '../suite/claim.ts';

/** An owner's list: whose tasks are named, and when no more. */
export const nameCases: CaseGroup<Store> = (store) => {
  async function create(part: Parameters<typeof sampleTask>[0] = {}) {
    const task = sampleTask(part);
    await store().create(task);
    return task;
  }
  const namesOf = (owner: string, limit = 1000, after?: Name) => store().names(owner, limit, after);
  const keysOf = async (owner: string) => (await namesOf(owner)).map(({ requestKey }) => requestKey);

  /** A page after the other. */
  async function walk(owner: string, limit: number): Promise<Name[]> {
    const all: Name[] = [];
    for (;;) {
      const page = await namesOf(owner, limit, all.at(-1));
      holds(page.length <= limit, 'a page has more names than were asked for');
      if (page.length === 0) return all;
      all.push(...page);
    }
  }

  return {
    'names a task to its owner and to nobody else, at the time when it was created': async () => {
      const before = await store().now();
      const { requestKey } = await create({ owner: 'ä/1' });
      const after = await store().now();
      const [name, ...others] = await namesOf('ä/1');
      same([name?.requestKey, others], [requestKey, []]);
      const at = Math.floor(present(name, 'the name').at);
      holds(before <= at && at <= after, `it was created from ${before} to ${after}, and named at ${at}`);
      same([await namesOf('ä'), await namesOf('nobody')], [[], []]);
    },

    'gives the newest first, and page after page each once': async () => {
      const created: string[] = [];
      for (let i = 0; i < 12; i += 1) created.push((await create({ owner: 'one' })).requestKey);
      const all = await namesOf('one');
      same(all.map(({ requestKey }) => requestKey).sort(), created.sort());
      same(
        all.map(({ at }) => at),
        all.map(({ at }) => at).sort((a, b) => b - a),
      );
      for (const limit of [1, 5, 12, 100]) same(await walk('one', limit), all, `the pages of ${limit}`);
    },

    'orders names of one time by their keys': async () => {
      const keys = ['3f01', '3f02', '3f10', 'a0', '00'].map((start) => start.padEnd(64, '7'));
      await store().count(keys.map((requestKey) => ({ owner: 'one', by: {}, name: { requestKey, at: 1_790_000_000_000 } })));
      same(await keysOf('one'), [...keys].sort().reverse());
      same(
        (await walk('one', 2)).map(({ requestKey }) => requestKey),
        [...keys].sort().reverse(),
      );
    },

    'names once who asks again, and at the time of the first': async () => {
      const task = await create({ owner: 'one' });
      const names = await namesOf('one');
      await store().create(task);
      const again = await namesOf('one');
      same([again.length, Math.floor(again[0]?.at ?? 0)], [1, Math.floor(names[0]?.at ?? 0)]);
    },

    'drops the name with the task, and names it anew with the next one': async () => {
      const task = await create({ owner: 'one' });
      same(await store().remove(task.taskId, task.requestKey, 2), 'conflict');
      same(await keysOf('one'), [task.requestKey]);
      await store().remove(task.taskId, task.requestKey, 1);
      same(await namesOf('one'), []);
      await create({ owner: 'one', requestKey: task.requestKey });
      same(await keysOf('one'), [task.requestKey]);
    },

    'forgets a name as it was seen, and leaves the task': async () => {
      const { requestKey, taskId } = await create({ owner: 'one' });
      const [name] = await namesOf('one');
      const seen = present(name, 'the name');
      await store().forget('one', { ...seen, at: seen.at - 1 });
      await store().forget('another', seen);
      await store().forget('nobody', seen);
      same(await namesOf('one'), [seen]);
      await store().forget('one', seen);
      same(await namesOf('one'), []);
      await store().forget('one', seen);
      same([(await store().glance([requestKey], []))[0]?.taskId, (await store().load(taskId))?.revision], [taskId, 1]);
    },

    'puts back a name that is missing, and leaves one that is there': async () => {
      const { requestKey } = await create({ owner: 'one' });
      const [there] = await namesOf('one');
      await store().count([{ owner: 'one', by: {}, name: { requestKey, at: 5 } }]);
      same(await namesOf('one'), [there]);
      await store().forget('one', present(there, 'the name'));
      await store().count([{ owner: 'one', by: {}, name: { requestKey, at: 5 } }]);
      same(await namesOf('one'), [{ requestKey, at: 5 }]);
    },

    'glances at tasks in the order asked for, each as it stands': async () => {
      const plan = heldBy('node-a');
      const [one, two] = [await create({ fields: { a: '1', b: '2' } }), await create({ plan, state: 'RUNNING' })];
      await store().append(commitOf(one.taskId, 1, { fields: { a: '3' }, plan: { wakeAt: 7, work: { readyAt: 8 } }, state: 'ASKED' }));
      const unknown = sampleTask().requestKey;
      same(await store().glance([two.requestKey, unknown, one.requestKey], ['a', 'missing']), [
        { taskId: two.taskId, state: 'RUNNING', plan, fields: {} },
        undefined,
        { taskId: one.taskId, state: 'ASKED', plan: { wakeAt: 7, work: { readyAt: 8 } }, fields: { a: '3' } },
      ]);
      same(await store().glance([], ['a']), []);
      await store().remove(two.taskId, two.requestKey, 1);
      same(await store().glance([two.requestKey], []), [undefined]);
    },

    'glances at as many as a page has': async () => {
      const tasks = await Promise.all(Array.from({ length: 500 }, () => create({ owner: 'one' })));
      const seen = await store().glance(
        tasks.map(({ requestKey }) => requestKey),
        ['head'],
      );
      same(
        seen.map((glance) => glance?.taskId),
        tasks.map(({ taskId }) => taskId),
      );
    },

    'knows every owner who has a name or counts, page after page': async () => {
      const owners = Array.from({ length: 40 }, (_, i) => `owner ${i} ä;%`);
      for (const owner of owners.slice(0, 20)) await create({ owner });
      await store().count(owners.slice(20).map((owner) => ({ owner, by: { bytes: 1 } })));
      for (const limit of [1, 7, 100]) {
        const found = new Set<string>();
        let after: string | undefined;
        do {
          const page = await store().owners(limit, after);
          for (const owner of page.owners) found.add(owner);
          after = page.next;
        } while (after !== undefined);
        same([...found].sort(), [...owners].sort());
      }
    },
  };
};
