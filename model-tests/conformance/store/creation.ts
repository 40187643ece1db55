import { describe, expect, it } from 'vitest';
import type { Store } from '../../../server/ports/index.ts';
import { readAll, sampleTask } from './samples.ts';

/** What `create`, `load` and `kept` mean for a task that is new. */
export function describeCreation(store: () => Store): void {
  describe('creation', () => {
    it('gives a new task revision 1 and the fields that it came with', async () => {
      const task = sampleTask({ fields: { head: '{"v":1}', about: '{"owner":"ä 💡"}', empty: '' } });
      expect(await store().create(task)).toEqual({ created: true });
      expect(await store().load(task.taskId)).toEqual({ revision: 1, fields: task.fields });
    });

    it('gives a new task an empty log', async () => {
      const task = sampleTask();
      await store().create(task);
      expect(await readAll(store(), task.taskId)).toEqual({ entries: [], firstEventId: null, lastEventId: null, ended: false });
      expect(await store().lastEventIds([task.taskId])).toEqual([null]);
    });

    it('keeps values apart from fields, and reads them by name in the order asked for', async () => {
      const task = sampleTask({ fields: { same: 'field' }, kept: { same: 'kept', 'receipt:ü/1': 'abc', empty: '' } });
      await store().create(task);
      expect(await store().kept(task.taskId, ['receipt:ü/1', 'missing', 'same', 'empty'])).toEqual(['abc', undefined, 'kept', '']);
      expect((await store().load(task.taskId))?.fields).toEqual({ same: 'field' });
      expect(await store().kept(task.taskId, [])).toEqual([]);
    });

    it('takes any name, those of an object’s own members too', async () => {
      const names = ['__proto__', 'constructor', 'toString', ' ', 'a:b', 'a/b', '0', '🌉'];
      const named = Object.fromEntries(names.map((name) => [name, `value of ${name}`]));
      const task = sampleTask({ fields: named, kept: named });
      await store().create(task);
      const loaded = await store().load(task.taskId);
      expect(Object.entries(loaded?.fields ?? {}).sort()).toEqual(Object.entries(named).sort());
      expect(await store().kept(task.taskId, names)).toEqual(names.map((name) => `value of ${name}`));
    });

    it('knows nothing of a task that was never created', async () => {
      const { taskId } = sampleTask();
      expect(await store().load(taskId)).toBeUndefined();
      expect(await store().kept(taskId, ['a', 'b'])).toEqual([undefined, undefined]);
      expect(await store().read(taskId, 1, { facts: 1, bytes: 1 })).toBeUndefined();
      expect(await store().lastEventIds([taskId])).toEqual([null]);
    });

    it('creates one task for a request key, and names it to whoever asks again', async () => {
      const first = sampleTask({ fields: { head: 'first' } });
      const again = sampleTask({ fields: { head: 'again' }, requestKey: first.requestKey });
      await store().create(first);
      expect(await store().create(again)).toEqual({ created: false, taskId: first.taskId });
      expect(await store().create(first)).toEqual({ created: false, taskId: first.taskId });
      expect((await store().load(first.taskId))?.fields).toEqual({ head: 'first' });
      expect(await store().load(again.taskId)).toBeUndefined();
    });

    it('creates exactly one of 20 tasks that ask with one request key at once', async () => {
      const { requestKey } = sampleTask();
      const tasks = Array.from({ length: 20 }, () => {
        const bucket = requestKey.slice(0, 2);
        return { ...sampleTask(), taskId: bucket + sampleTask().taskId.slice(2), requestKey };
      });
      const answers = await Promise.all(tasks.map((task) => store().create(task)));
      const winners = tasks.filter((_, i) => answers[i]?.created);
      expect(winners).toHaveLength(1);
      const told = answers.flatMap((answer) => (answer.created ? [] : [answer.taskId]));
      expect(new Set(told)).toEqual(new Set([winners[0]?.taskId]));
      for (const { taskId } of tasks) expect((await store().load(taskId)) !== undefined).toBe(taskId === winners[0]?.taskId);
    });

    it('throws for a task id that is taken, and leaves its task alone', async () => {
      const task = sampleTask({ fields: { head: 'first' } });
      await store().create(task);
      const twin = {
        ...task,
        requestKey: `${task.requestKey.slice(0, -1)}${task.requestKey.endsWith('0') ? '1' : '0'}`,
        fields: { head: 'twin' },
      };
      await expect(store().create(twin)).rejects.toThrow(task.taskId);
      expect(await store().load(task.taskId)).toEqual({ revision: 1, fields: { head: 'first' } });
    });
  });
}
