import { shareNames, type Shares, type Store } from 'taskbridge/server/store';
import { sampleTask } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, same } from '../suite/claim.ts';

const nothing: Shares = { active: 0, waiting: 0, questions: 0, tasks: 0, bytes: 0 };

/** What an owner has, counted; and what he may have. */
export const shareCases: CaseGroup<Store> = (store) => {
  const sharesOf = async (owner: string): Promise<Shares> => (await store().shares(owner)).shares;
  const versionOf = async (owner: string): Promise<number> => (await store().shares(owner)).version;
  async function isKnown(owner: string): Promise<boolean> {
    let after: string | undefined;
    do {
      const page = await store().owners(1000, after);
      if (page.owners.includes(owner)) return true;
      after = page.next;
    } while (after !== undefined);
    return false;
  }

  return {
    'counts nothing of whom it does not know': async () => {
      same(await store().shares('nobody'), { shares: nothing, version: 0, countedAt: 0 });
      same(await store().count([{ owner: 'nobody', by: {} }]), [nothing]);
    },

    'adds what a create says to what its owner has, once': async () => {
      const adds: Shares = { active: 1, waiting: 2, questions: 3, tasks: 4, bytes: 5 };
      const task = sampleTask({ owner: 'one', adds });
      await store().create(task);
      await store().create(task);
      same(await sharesOf('one'), adds);
      await store().create(sampleTask({ owner: 'one', adds: { bytes: 2 ** 40 } }));
      same(await sharesOf('one'), { ...adds, bytes: 5 + 2 ** 40 });
      same(await sharesOf('two'), nothing);
    },

    'takes what fits, and no more: nothing is written of a task that its owner may not have': async () => {
      const create = (bytes: number) => {
        const task = sampleTask({ owner: 'one', adds: { tasks: 1, bytes }, sharesMax: { tasks: 9, bytes: 10 } });
        return store()
          .create(task)
          .then((answer) => ({ task, answer }));
      };
      same((await create(9)).answer, { created: true });
      const { task, answer } = await create(2);
      same(answer, { created: false, full: 'bytes' });
      same(await store().load(task.taskId), undefined);
      same(await store().glance([task.requestKey], []), [undefined]);
      same((await store().names('one', 10)).length, 1);
      same(
        await store()
          .inState('WAITING', 'sample', 10)
          .then((listed) => listed.length),
        1,
      );
      same(await sharesOf('one'), { ...nothing, tasks: 1, bytes: 9 });
      same((await create(1)).answer, { created: true });
      same((await create(1)).answer, { created: false, full: 'bytes' });
    },

    'names the first share that is full, and looks at none to which nothing is added or that has no limit': async () => {
      const create = (adds: Partial<Shares>, sharesMax: Partial<Shares>) => store().create(sampleTask({ owner: 'one', adds, sharesMax }));
      await store().count([{ owner: 'one', by: { active: 5, waiting: 5, questions: 5, tasks: 5, bytes: 5 } }]);
      const fives = { active: 5, waiting: 5, questions: 5, tasks: 5, bytes: 5 };
      for (const [i, share] of shareNames.entries()) {
        const adds = Object.fromEntries(shareNames.slice(i).map((name) => [name, 1]));
        same(await create(adds, fives), { created: false, full: share });
      }
      same(await create({ tasks: 1 }, { ...fives, tasks: 6 }), { created: true });
      same(await create({ tasks: 0 }, fives), { created: true });
      same(await create({ tasks: 1000 }, { bytes: 5 }), { created: true });
    },

    'answers a request that is repeated, full or not': async () => {
      const task = sampleTask({ owner: 'one', adds: { tasks: 1 }, sharesMax: { tasks: 1 } });
      await store().create(task);
      same(await store().create({ ...task, taskId: sampleTask({}, task.taskId.slice(0, 2)).taskId }), {
        created: false,
        taskId: task.taskId,
      });
      same(await sharesOf('one'), { ...nothing, tasks: 1 });
    },

    'lets no burst pass a limit': async () => {
      const tasks = Array.from({ length: 40 }, () => sampleTask({ owner: 'one', adds: { tasks: 1 }, sharesMax: { tasks: 10 } }));
      const answers = await Promise.all(tasks.map((task) => store().create(task)));
      same(answers.filter(({ created }) => created).length, 10);
      same(
        answers.filter(({ created }) => !created),
        Array.from({ length: 30 }, () => ({ created: false, full: 'tasks' })),
      );
      same([(await sharesOf('one')).tasks, (await store().names('one', 100)).length], [10, 10]);
    },

    'leaves counts as they are when a task goes': async () => {
      const task = sampleTask({ owner: 'one', adds: { tasks: 1 } });
      await store().create(task);
      await store().remove(task.taskId, task.requestKey, 1);
      same((await sharesOf('one')).tasks, 1);
    },

    'changes counts, never below 0, and says what each owner has then': async () => {
      const answers = await store().count([
        { owner: 'one', by: { active: 3, bytes: 10 } },
        { owner: 'two', by: { tasks: -4, questions: 2 } },
        { owner: 'one', by: { active: -1, waiting: 1 } },
        { owner: 'one', by: { bytes: -11 } },
        { owner: 'one', by: {} },
      ]);
      const last = { ...nothing, active: 2, waiting: 1 };
      same(answers, [{ ...nothing, active: 3, bytes: 10 }, { ...nothing, questions: 2 }, { ...last, bytes: 10 }, last, last]);
      same([await sharesOf('one'), await sharesOf('two')], [last, { ...nothing, questions: 2 }]);
      same(await store().count([]), []);
    },

    'loses no change of many at once': async () => {
      await Promise.all(Array.from({ length: 50 }, () => store().count([{ owner: 'one', by: { active: 1, bytes: 7 } }])));
      same(await sharesOf('one'), { ...nothing, active: 50, bytes: 350 });
    },

    'writes counts that were found by looking, where nobody changed them since': async () => {
      await store().create(sampleTask({ owner: 'one', adds: { tasks: 1 } }));
      const found: Shares = { active: 1, waiting: 2, questions: 3, tasks: 4, bytes: 2 ** 45 };
      const seen = await versionOf('one');
      await store().count([{ owner: 'one', by: { bytes: 1 } }]);
      same(await store().setShares('one', found, seen), false);
      same(await sharesOf('one'), { ...nothing, tasks: 1, bytes: 1 });
      const before = await store().now();
      same(await store().setShares('one', found, await versionOf('one')), true);
      const { shares, version, countedAt } = await store().shares('one');
      same(shares, found);
      holds(version > seen && countedAt >= before && countedAt <= (await store().now()), `version ${version}, counted at ${countedAt}`);
      same(await store().setShares('new', found, 0), true);
      same(await sharesOf('new'), found);
    },

    'lets one of two win that write at once': async () => {
      const all = [1, 2, 3, 4, 5].map((active) => ({ ...nothing, active }));
      const outcomes = await Promise.all(all.map((found) => store().setShares('one', found, 0)));
      same(outcomes.filter((isWritten) => isWritten).length, 1);
      same(await sharesOf('one'), all[outcomes.indexOf(true)]);
    },

    'forgets an owner who has nothing, and nobody else': async () => {
      await store().count([{ owner: 'one', by: { tasks: 1 } }]);
      same(await store().setShares('one', nothing, await versionOf('one')), true);
      same([await isKnown('one'), await store().shares('one')], [false, { shares: nothing, version: 0, countedAt: 0 }]);
      await store().create(sampleTask({ owner: 'two', adds: { tasks: 1 } }));
      same(await store().setShares('two', nothing, await versionOf('two')), true);
      same([await isKnown('two'), (await store().names('two', 9)).length], [true, 1]);
    },
  };
};
