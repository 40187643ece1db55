import type { Store } from 'taskbridge/server/store';
import { commitOf, factOf, factsOf, legible, noLimit, readAll, taskWithFacts } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { same } from '../suite/claim.ts';

/** What `firstRetained` means. */
export const retentionCases: CaseGroup<Store> = (store) => {
  return {
    'drops the facts below the first retained one, and says from where on it has them': async () => {
      const { taskId } = await taskWithFacts(store(), 10);
      await store().append(commitOf(taskId, 11, { firstRetained: 7 }));
      const page = await readAll(store(), taskId);
      same(legible(page.entries), legible(factsOf(taskId, 7, 10)));
      same([page.firstEventId, page.lastEventId], [factOf(taskId, 7).eventId, factOf(taskId, 10).eventId]);
    },

    'begins a read below the first retained fact at that fact, and counts the limits from there': async () => {
      const { taskId } = await taskWithFacts(store(), 10);
      await store().append(commitOf(taskId, 11, { firstRetained: 5 }));
      for (const from of [1, 3, 4, 5]) {
        const page = await store().read(taskId, from, { facts: 2, bytes: 1e9 });
        same(legible(page?.entries ?? []), legible(factsOf(taskId, 5, 6)));
      }
      same(legible((await store().read(taskId, 8, noLimit))?.entries ?? []), legible(factsOf(taskId, 8, 10)));
    },

    'drops with the commit that adds facts, new ones included': async () => {
      const { taskId } = await taskWithFacts(store(), 3);
      await store().append(commitOf(taskId, 4, { facts: factsOf(taskId, 4, 9), firstRetained: 6 }));
      same(legible((await readAll(store(), taskId)).entries), legible(factsOf(taskId, 6, 9)));
    },

    'never brings a dropped fact back, whatever a later commit says': async () => {
      const { taskId } = await taskWithFacts(store(), 6);
      await store().append(commitOf(taskId, 7, { firstRetained: 5 }));
      await store().append(commitOf(taskId, 8, { facts: [factOf(taskId, 7)], firstRetained: 1 }));
      const page = await readAll(store(), taskId);
      same(legible(page.entries), legible(factsOf(taskId, 5, 7)));
      same(page.firstEventId, factOf(taskId, 5).eventId);
    },

    'goes on counting where everything was dropped': async () => {
      const { taskId } = await taskWithFacts(store(), 4);
      await store().append(commitOf(taskId, 5, { firstRetained: 100 }));
      same(await readAll(store(), taskId), {
        entries: [],
        firstEventId: null,
        lastEventId: factOf(taskId, 4).eventId,
        ended: false,
      });
      same(await store().lastEventIds([taskId]), [factOf(taskId, 4).eventId]);
      await store().append(commitOf(taskId, 6, { facts: factsOf(taskId, 5, 7) }));
      const page = await readAll(store(), taskId);
      same(legible(page.entries), legible(factsOf(taskId, 5, 7)));
      same(page.firstEventId, factOf(taskId, 5).eventId);
      same(legible((await store().read(taskId, 6, noLimit))?.entries ?? []), legible(factsOf(taskId, 6, 7)));
      await store().append(commitOf(taskId, 7, { firstRetained: 7 }));
      same(legible((await readAll(store(), taskId)).entries), legible([factOf(taskId, 7)]));
    },

    'touches no other task': async () => {
      const [one, two] = [await taskWithFacts(store(), 4), await taskWithFacts(store(), 4)];
      await store().append(commitOf(one.taskId, 5, { firstRetained: 4 }));
      same((await readAll(store(), two.taskId)).entries.length, 4);
    },
  };
};
