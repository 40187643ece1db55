import { describe, expect, it } from 'vitest';
import type { Store } from '../../../server/ports/index.ts';
import { commitOf, factOf, factsOf, legible, noLimit, readAll, taskWithFacts } from './samples.ts';

/** What `firstRetained` means. */
export function describeRetention(store: () => Store): void {
  describe('retention', () => {
    it('drops the facts below the first retained one, and says from where on it has them', async () => {
      const { taskId } = await taskWithFacts(store(), 10);
      await store().append(commitOf(taskId, 11, { firstRetained: 7 }));
      const page = await readAll(store(), taskId);
      expect(legible(page.entries)).toEqual(legible(factsOf(taskId, 7, 10)));
      expect([page.firstEventId, page.lastEventId]).toEqual([factOf(taskId, 7).eventId, factOf(taskId, 10).eventId]);
    });

    it('begins a read below the first retained fact at that fact, and counts the limits from there', async () => {
      const { taskId } = await taskWithFacts(store(), 10);
      await store().append(commitOf(taskId, 11, { firstRetained: 5 }));
      for (const from of [1, 3, 4, 5]) {
        const page = await store().read(taskId, from, { facts: 2, bytes: 1e9 });
        expect(legible(page?.entries ?? [])).toEqual(legible(factsOf(taskId, 5, 6)));
      }
      expect(legible((await store().read(taskId, 8, noLimit))?.entries ?? [])).toEqual(legible(factsOf(taskId, 8, 10)));
    });

    it('drops with the commit that adds facts, new ones included', async () => {
      const { taskId } = await taskWithFacts(store(), 3);
      await store().append(commitOf(taskId, 4, { facts: factsOf(taskId, 4, 9), firstRetained: 6 }));
      expect(legible((await readAll(store(), taskId)).entries)).toEqual(legible(factsOf(taskId, 6, 9)));
    });

    it('never brings a dropped fact back, whatever a later commit says', async () => {
      const { taskId } = await taskWithFacts(store(), 6);
      await store().append(commitOf(taskId, 7, { firstRetained: 5 }));
      await store().append(commitOf(taskId, 8, { facts: [factOf(taskId, 7)], firstRetained: 1 }));
      const page = await readAll(store(), taskId);
      expect(legible(page.entries)).toEqual(legible(factsOf(taskId, 5, 7)));
      expect(page.firstEventId).toBe(factOf(taskId, 5).eventId);
    });

    it('goes on counting where everything was dropped', async () => {
      const { taskId } = await taskWithFacts(store(), 4);
      await store().append(commitOf(taskId, 5, { firstRetained: 100 }));
      expect(await readAll(store(), taskId)).toEqual({
        entries: [],
        firstEventId: null,
        lastEventId: factOf(taskId, 4).eventId,
        ended: false,
      });
      expect(await store().lastEventIds([taskId])).toEqual([factOf(taskId, 4).eventId]);
      await store().append(commitOf(taskId, 6, { facts: factsOf(taskId, 5, 7) }));
      const page = await readAll(store(), taskId);
      expect(legible(page.entries)).toEqual(legible(factsOf(taskId, 5, 7)));
      expect(page.firstEventId).toBe(factOf(taskId, 5).eventId);
      expect(legible((await store().read(taskId, 6, noLimit))?.entries ?? [])).toEqual(legible(factsOf(taskId, 6, 7)));
      await store().append(commitOf(taskId, 7, { firstRetained: 7 }));
      expect(legible((await readAll(store(), taskId)).entries)).toEqual(legible([factOf(taskId, 7)]));
    });

    it('touches no other task', async () => {
      const [one, two] = [await taskWithFacts(store(), 4), await taskWithFacts(store(), 4)];
      await store().append(commitOf(one.taskId, 5, { firstRetained: 4 }));
      expect((await readAll(store(), two.taskId)).entries).toHaveLength(4);
    });
  });
}
