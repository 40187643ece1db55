import type { Store } from 'taskbridge/server/store';
import { readAll, sampleTask } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { rejects, same } from '../suite/claim.ts';

/** What `create`, `load` and `kept` mean for a task that is new. */
export const creationCases: CaseGroup<Store> = (store) => {
  return {
    'gives a new task revision 1 and the fields that it came with': async () => {
      const task = sampleTask({ fields: { head: '{"v":1}', about: '{"owner":"ä 💡"}', empty: '' } });
      same(await store().create(task), { created: true });
      same(await store().load(task.taskId), { revision: 1, fields: task.fields });
    },

    'gives a new task an empty log': async () => {
      const task = sampleTask();
      await store().create(task);
      same(await readAll(store(), task.taskId), { entries: [], firstEventId: null, lastEventId: null, ended: false });
      same(await store().lastEventIds([task.taskId]), [null]);
    },

    'keeps values apart from fields, and reads them by name in the order asked for': async () => {
      const task = sampleTask({ fields: { same: 'field' }, sideValues: { same: 'kept', 'receipt:ü/1': 'abc', empty: '' } });
      await store().create(task);
      same(await store().sideValues(task.taskId, ['receipt:ü/1', 'missing', 'same', 'empty']), ['abc', undefined, 'kept', '']);
      same((await store().load(task.taskId))?.fields, { same: 'field' });
      same(await store().sideValues(task.taskId, []), []);
    },

    'takes any name, those of an object’s own members too': async () => {
      const names = ['__proto__', 'constructor', 'toString', ' ', 'a:b', 'a/b', '0', '🌉'];
      const named = Object.fromEntries(names.map((name) => [name, `value of ${name}`]));
      const task = sampleTask({ fields: named, sideValues: named });
      await store().create(task);
      const loaded = await store().load(task.taskId);
      same(Object.entries(loaded?.fields ?? {}).sort(), Object.entries(named).sort());
      same(
        await store().sideValues(task.taskId, names),
        names.map((name) => `value of ${name}`),
      );
    },

    'knows nothing of a task that was never created': async () => {
      const { taskId } = sampleTask();
      same(await store().load(taskId), undefined);
      same(await store().sideValues(taskId, ['a', 'b']), [undefined, undefined]);
      same(await store().read(taskId, 1, { facts: 1, bytes: 1 }), undefined);
      same(await store().lastEventIds([taskId]), [null]);
    },

    'creates one task for a request key, and names it to whoever asks again': async () => {
      const first = sampleTask({ fields: { head: 'first' } });
      const again = sampleTask({ fields: { head: 'again' }, requestKey: first.requestKey });
      await store().create(first);
      same(await store().create(again), { created: false, taskId: first.taskId });
      same(await store().create(first), { created: false, taskId: first.taskId });
      same((await store().load(first.taskId))?.fields, { head: 'first' });
      same(await store().load(again.taskId), undefined);
    },

    'creates exactly one of 20 tasks that ask with one request key at once': async () => {
      const { requestKey } = sampleTask();
      const tasks = Array.from({ length: 20 }, () => {
        const bucket = requestKey.slice(0, 2);
        return { ...sampleTask(), taskId: bucket + sampleTask().taskId.slice(2), requestKey };
      });
      const answers = await Promise.all(tasks.map((task) => store().create(task)));
      const winners = tasks.filter((_, i) => answers[i]?.created);
      same(winners.length, 1);
      const told = answers.flatMap((answer) => ('taskId' in answer ? [answer.taskId] : []));
      same(new Set(told), new Set([winners[0]?.taskId]));
      for (const { taskId } of tasks) same((await store().load(taskId)) !== undefined, taskId === winners[0]?.taskId);
    },

    'throws for a task id that is taken, and leaves its task alone': async () => {
      const task = sampleTask({ fields: { head: 'first' } });
      await store().create(task);
      const twin = {
        ...task,
        requestKey: `${task.requestKey.slice(0, -1)}${task.requestKey.endsWith('0') ? '1' : '0'}`,
        fields: { head: 'twin' },
      };
      await rejects(store().create(twin), task.taskId);
      same(await store().load(task.taskId), { revision: 1, fields: { head: 'first' } });
    },
  };
};
