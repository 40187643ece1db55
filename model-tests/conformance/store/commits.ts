import { describe, expect, it } from 'vitest';
import type { NewTask, Store } from '../../../server/ports/index.ts';
import { commitOf, factOf, factsOf, legible, readAll, sampleTask } from './samples.ts';

/** What `append` means. */
export function describeCommits(store: () => Store): void {
  describe('commits', () => {
    it('raises the revision by one, with facts and without', async () => {
      const { taskId } = await created();
      expect(await store().append(commitOf(taskId, 1, { facts: factsOf(taskId, 1, 3) }))).toBe('committed');
      expect((await store().load(taskId))?.revision).toBe(2);
      expect(await store().append(commitOf(taskId, 2))).toBe('committed');
      expect((await store().load(taskId))?.revision).toBe(3);
    });

    it('writes facts, fields, kept values and the due time together', async () => {
      const { taskId } = await created();
      const facts = factsOf(taskId, 1, 2);
      await store().append(commitOf(taskId, 1, { facts, fields: { head: 'new' }, kept: { receipt: 'r' }, dueAt: 5 }));
      expect(await store().load(taskId)).toEqual({ revision: 2, fields: { head: 'new' } });
      expect(await store().kept(taskId, ['receipt'])).toEqual(['r']);
      expect(legible((await readAll(store(), taskId)).entries)).toEqual(legible(facts));
      expect(await store().due(5, 10)).toEqual([{ taskId, dueAt: 5 }]);
    });

    it('changes the fields and kept values that are named, and leaves the others', async () => {
      const task = sampleTask({ fields: { a: '1', b: '1' }, kept: { x: '1', y: '1' } });
      await store().create(task);
      await store().append(commitOf(task.taskId, 1, { fields: { b: '2', c: '2' }, kept: { y: '2', z: '' } }));
      expect((await store().load(task.taskId))?.fields).toEqual({ a: '1', b: '2', c: '2' });
      expect(await store().kept(task.taskId, ['x', 'y', 'z'])).toEqual(['1', '2', '']);
    });

    it.each([0, 2, 7])('answers a conflict for revision %i of a task at revision 1, and writes nothing', async (revision) => {
      const { taskId } = await created({ dueAt: 3 });
      const refused = commitOf(taskId, revision, {
        facts: [factOf(taskId, 1)],
        fields: { head: 'x' },
        kept: { k: 'x' },
        dueAt: 9,
        ended: true,
      });
      expect(await store().append(refused)).toBe('conflict');
      await expectUntouched(taskId);
    });

    it('answers a conflict for a commit that was written before', async () => {
      const { taskId } = await created();
      const commit = commitOf(taskId, 1, { facts: [factOf(taskId, 1)] });
      expect(await store().append(commit)).toBe('committed');
      expect(await store().append(commit)).toBe('conflict');
      expect((await readAll(store(), taskId)).entries).toHaveLength(1);
    });

    it('answers a conflict for an unknown task, and does not make one', async () => {
      const { taskId } = sampleTask();
      expect(await store().append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)], dueAt: 1 }))).toBe('conflict');
      expect(await store().append(commitOf(taskId, 0))).toBe('conflict');
      expect(await store().load(taskId)).toBeUndefined();
      expect(await store().due(10, 10)).toEqual([]);
    });

    it('commits exactly one of 20 that expect the same revision at once', async () => {
      const { taskId } = await created();
      const commits = Array.from({ length: 20 }, (_, i) =>
        commitOf(taskId, 1, { facts: [factOf(taskId, 1, { message: `writer ${i}` })], fields: { writer: String(i) } }),
      );
      const answers = await Promise.all(commits.map((commit) => store().append(commit)));
      const winners = commits.filter((_, i) => answers[i] === 'committed');
      expect(winners).toHaveLength(1);
      expect((await store().load(taskId))?.fields.writer).toBe(winners[0]?.fields.writer);
      expect(legible((await readAll(store(), taskId)).entries)).toEqual(legible(winners[0]?.facts ?? []));
    });

    it('loses no update of 8 writers that load, decide and try again', async () => {
      const { taskId } = await created({ fields: { count: '0' } });
      const increment = async (): Promise<void> => {
        const loaded = await store().load(taskId);
        if (!loaded) throw new Error('The task is gone.');
        const n = loaded.revision;
        const commit = commitOf(taskId, n, { facts: [factOf(taskId, n)], fields: { count: String(Number(loaded.fields.count) + 1) } });
        if ((await store().append(commit)) === 'conflict') await increment();
      };
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (let i = 0; i < 5; i += 1) await increment();
        }),
      );
      expect(await store().load(taskId)).toEqual({ revision: 41, fields: { head: '{"state":"accepted"}', count: '40' } });
      expect(legible((await readAll(store(), taskId)).entries)).toEqual(legible(factsOf(taskId, 1, 40)));
    });

    it('throws for facts that are not the next ones, and writes nothing', async () => {
      const { taskId } = await created({ dueAt: 3 });
      for (const facts of [
        [factOf(taskId, 2)],
        [factOf(taskId, 0)],
        [factOf(taskId, 1), factOf(taskId, 3)],
        [factOf(taskId, 1), factOf(taskId, 1)],
      ]) {
        await expect(store().append(commitOf(taskId, 1, { facts, fields: { head: 'x' }, kept: { k: 'x' } }))).rejects.toThrow(taskId);
      }
      await expectUntouched(taskId);
    });

    it('takes facts whose time is before that of the facts before them', async () => {
      const { taskId } = await created();
      const facts = [factOf(taskId, 1, { ms: 2_000_000 }), factOf(taskId, 2, { ms: 1_000 }), factOf(taskId, 3, { ms: 3_000_000 })];
      for (const [i, fact] of facts.entries()) expect(await store().append(commitOf(taskId, i + 1, { facts: [fact] }))).toBe('committed');
      const page = await readAll(store(), taskId);
      expect(legible(page.entries)).toEqual(legible(facts));
      expect([page.firstEventId, page.lastEventId]).toEqual(['1-2000000', '3-3000000']);
    });
  });

  async function created(part: Partial<NewTask> = {}): Promise<{ taskId: string }> {
    const fields = { head: '{"state":"accepted"}', ...part.fields };
    const task = sampleTask({ ...part, fields });
    await store().create(task);
    return task;
  }

  /** Holds for a task of `created({ dueAt: 3 })`. */
  async function expectUntouched(taskId: string): Promise<void> {
    expect(await store().load(taskId)).toEqual({ revision: 1, fields: { head: '{"state":"accepted"}' } });
    expect(await readAll(store(), taskId)).toEqual({ entries: [], firstEventId: null, lastEventId: null, ended: false });
    expect(await store().kept(taskId, ['k'])).toEqual([undefined]);
    expect(await store().due(10, 10)).toEqual([{ taskId, dueAt: 3 }]);
  }
}
