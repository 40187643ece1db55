import type { NewTask, Store } from 'taskbridge/server/store';
import { commitOf, factOf, factsOf, heldBy, legible, readAll, sampleTask, takeAll, wakes, wanted } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { rejects, same } from '../suite/claim.ts';

/** What `append` means. */
export const commitCases: CaseGroup<Store> = (store) => {
  async function created(part: Partial<NewTask> = {}): Promise<{ taskId: string }> {
    const fields = { head: '{"state":"accepted"}', ...part.fields };
    const task = sampleTask({ ...part, fields });
    await store().create(task);
    return task;
  }

  /** Holds for a task of `created({ plan: wakes(3) })`. */
  async function expectUntouched(taskId: string): Promise<void> {
    same(await store().load(taskId), { revision: 1, fields: { head: '{"state":"accepted"}' } });
    same(await readAll(store(), taskId), { entries: [], firstEventId: null, lastEventId: null, ended: false });
    same(await store().sideValues(taskId, ['k']), [undefined]);
    same(await takeAll(store()), { due: [taskId], ready: [] });
  }
  return {
    'raises the revision by one, with facts and without': async () => {
      const { taskId } = await created();
      same(await store().append(commitOf(taskId, 1, { facts: factsOf(taskId, 1, 3) })), 'committed');
      same((await store().load(taskId))?.revision, 2);
      same(await store().append(commitOf(taskId, 2)), 'committed');
      same((await store().load(taskId))?.revision, 3);
    },

    'writes facts, fields, kept values and the plan together': async () => {
      const { taskId } = await created();
      const facts = factsOf(taskId, 1, 2);
      await store().append(commitOf(taskId, 1, { facts, fields: { head: 'new' }, sideValues: { receipt: 'r' }, plan: wanted(5) }));
      same(await store().load(taskId), { revision: 2, fields: { head: 'new' } });
      same(await store().sideValues(taskId, ['receipt']), ['r']);
      same(legible((await readAll(store(), taskId)).entries), legible(facts));
      same(await takeAll(store()), { due: [], ready: [taskId] });
    },

    'changes the fields and kept values that are named, and leaves the others': async () => {
      const task = sampleTask({ fields: { a: '1', b: '1' }, sideValues: { x: '1', y: '1' } });
      await store().create(task);
      await store().append(commitOf(task.taskId, 1, { fields: { b: '2', c: '2' }, sideValues: { y: '2', z: '' } }));
      same((await store().load(task.taskId))?.fields, { a: '1', b: '2', c: '2' });
      same(await store().sideValues(task.taskId, ['x', 'y', 'z']), ['1', '2', '']);
    },

    'answers a conflict for every other revision, and writes nothing': async () => {
      const { taskId } = await created({ plan: wakes(3) });
      for (const revision of [0, 2, 7]) {
        const refused = commitOf(taskId, revision, {
          facts: [factOf(taskId, 1)],
          fields: { head: 'x' },
          sideValues: { k: 'x' },
          plan: heldBy('a-node'),
          ended: true,
        });
        same(await store().append(refused), 'conflict');
      }
      await expectUntouched(taskId);
    },

    'answers a conflict for a commit that was written before': async () => {
      const { taskId } = await created();
      const commit = commitOf(taskId, 1, { facts: [factOf(taskId, 1)] });
      same(await store().append(commit), 'committed');
      same(await store().append(commit), 'conflict');
      same((await readAll(store(), taskId)).entries.length, 1);
    },

    'answers a conflict for an unknown task, and does not make one': async () => {
      const { taskId } = sampleTask();
      same(await store().append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)], plan: heldBy('a-node') })), 'conflict');
      same(await store().append(commitOf(taskId, 0)), 'conflict');
      same(await store().load(taskId), undefined);
      same([await takeAll(store()), await store().leases()], [{ due: [], ready: [] }, []]);
    },

    'commits exactly one of 20 that expect the same revision at once': async () => {
      const { taskId } = await created();
      const commits = Array.from({ length: 20 }, (_, i) =>
        commitOf(taskId, 1, { facts: [factOf(taskId, 1, { message: `writer ${i}` })], fields: { writer: String(i) } }),
      );
      const answers = await Promise.all(commits.map((commit) => store().append(commit)));
      const winners = commits.filter((_, i) => answers[i] === 'committed');
      same(winners.length, 1);
      same((await store().load(taskId))?.fields.writer, winners[0]?.fields.writer);
      same(legible((await readAll(store(), taskId)).entries), legible(winners[0]?.facts ?? []));
    },

    'loses no update of 8 writers that load, decide and try again': async () => {
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
      same(await store().load(taskId), { revision: 41, fields: { head: '{"state":"accepted"}', count: '40' } });
      same(legible((await readAll(store(), taskId)).entries), legible(factsOf(taskId, 1, 40)));
    },

    'takes a commit with lanes where it keeps some, else throws and writes nothing': async () => {
      const { taskId } = await created({ plan: wakes(3) });
      const commit = commitOf(taskId, 1, { facts: [factOf(taskId, 1)], fields: { head: 'x' }, sideValues: { k: 'x' }, lanes: {} });
      if (store().lanes) return same(await store().append(commit), 'committed');
      await rejects(store().append(commit), taskId);
      await expectUntouched(taskId);
    },

    'throws for facts that are not the next ones, and writes nothing': async () => {
      const { taskId } = await created({ plan: wakes(3) });
      for (const facts of [
        [factOf(taskId, 2)],
        [factOf(taskId, 0)],
        [factOf(taskId, 1), factOf(taskId, 3)],
        [factOf(taskId, 1), factOf(taskId, 1)],
      ]) {
        await rejects(store().append(commitOf(taskId, 1, { facts, fields: { head: 'x' }, sideValues: { k: 'x' } })), taskId);
      }
      await expectUntouched(taskId);
    },

    'takes facts whose time is before that of the facts before them': async () => {
      const { taskId } = await created();
      const facts = [factOf(taskId, 1, { ms: 2_000_000 }), factOf(taskId, 2, { ms: 1_000 }), factOf(taskId, 3, { ms: 3_000_000 })];
      for (const [i, fact] of facts.entries()) same(await store().append(commitOf(taskId, i + 1, { facts: [fact] })), 'committed');
      const page = await readAll(store(), taskId);
      same(legible(page.entries), legible(facts));
      same([page.firstEventId, page.lastEventId], ['1-2000000', '3-3000000']);
    },
  };
};
