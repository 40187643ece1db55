import type { Entry, Store } from 'taskbridge/server/store';
import { commitOf, factOf, factsOf, legible, noLimit, readAll, sampleTask, taskWithFacts } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, includes, rejects, same } from '../suite/claim.ts';

/** What `read` and `lastEventIds` mean. */
export const pageCases: CaseGroup<Store> = (store) => {
  return {
    'gives the facts from a number on, in the order of their numbers': async () => {
      const { taskId } = await taskWithFacts(store(), 12);
      for (const from of [1, 2, 9, 10, 11, 12]) {
        const page = await store().read(taskId, from, noLimit);
        same(legible(page?.entries ?? []), legible(factsOf(taskId, from, 12)));
      }
    },

    'gives nothing beyond the last fact, and still says which one that is': async () => {
      const { taskId } = await taskWithFacts(store(), 3);
      const last = factOf(taskId, 3).eventId;
      for (const from of [4, 5, 1_000_000]) {
        same(await store().read(taskId, from, noLimit), {
          entries: [],
          firstEventId: factOf(taskId, 1).eventId,
          lastEventId: last,
          ended: false,
        });
      }
    },

    'stops at the number of facts that was asked for': async () => {
      const { taskId } = await taskWithFacts(store(), 5);
      for (const facts of [1, 2, 5, 6]) {
        const page = await store().read(taskId, 2, { facts, bytes: 1e9 });
        same(
          page?.entries.map(({ eventId }) => eventId),
          factsOf(taskId, 2, Math.min(5, facts + 1)).map(({ eventId }) => eventId),
        );
      }
    },

    'stops before the bytes that were asked for are passed': async () => {
      const { taskId } = await taskWithFacts(store(), 4);
      const bytes = factsOf(taskId, 1, 3).reduce((sum, fact) => sum + fact.bytes.byteLength, 0);
      same((await store().read(taskId, 1, { facts: 100, bytes }))?.entries.length, 3);
      same((await store().read(taskId, 1, { facts: 100, bytes: bytes - 1 }))?.entries.length, 2);
      same((await store().read(taskId, 1, { facts: 100, bytes: bytes + 1 }))?.entries.length, 3);
    },

    'gives one fact at least, whatever its size': async () => {
      const { taskId } = await taskWithFacts(store(), 2);
      for (const bytes of [0, 1, 10]) {
        const page = await store().read(taskId, 2, { facts: 100, bytes });
        same(legible(page?.entries ?? []), legible([factOf(taskId, 2)]));
      }
    },

    'tells the end of a log with every page of it': async () => {
      const { taskId } = await taskWithFacts(store(), 2);
      await store().append(commitOf(taskId, 3, { facts: factsOf(taskId, 3, 4), ended: true }));
      for (const from of [1, 3, 5]) {
        const page = await store().read(taskId, from, { facts: 1, bytes: 0 });
        includes(page, { firstEventId: factOf(taskId, 1).eventId, lastEventId: factOf(taskId, 4).eventId, ended: true });
      }
    },

    'takes commits after the end as long as they bring no facts': async () => {
      const { taskId } = await taskWithFacts(store(), 1);
      await store().append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)], ended: true }));
      same(await store().append(commitOf(taskId, 3, { fields: { ledger: 'done' } })), 'committed');
      await rejects(store().append(commitOf(taskId, 4, { facts: [factOf(taskId, 3)] })), taskId);
      const page = await readAll(store(), taskId);
      same([page.entries.length, page.ended], [2, true]);
    },

    'keeps the logs of tasks apart, however alike their ids are': async () => {
      const first = sampleTask();
      const ids = [first.taskId, `${first.taskId.slice(0, -1)}${first.taskId.endsWith('f') ? '0' : 'f'}`];
      for (const [i, taskId] of ids.entries()) {
        await store().create({ ...sampleTask(), requestKey: taskId.slice(0, 2) + sampleTask().requestKey.slice(2), taskId });
        await store().append(commitOf(taskId, 1, { facts: factsOf(taskId, 1, i + 2) }));
      }
      for (const [i, taskId] of ids.entries()) same(legible((await readAll(store(), taskId)).entries), legible(factsOf(taskId, 1, i + 2)));
    },

    'gives bytes back as they came: any text, a megabyte, a view into a larger buffer': async () => {
      const { taskId } = await taskWithFacts(store(), 0);
      const large = factOf(taskId, 2, { message: 'x🌉ä'.repeat(150_000) });
      const framed = new Uint8Array(100).fill(7);
      const view: Entry = { eventId: factOf(taskId, 3).eventId, bytes: framed.subarray(10, 20) };
      const everyByte: Entry = { eventId: factOf(taskId, 4).eventId, bytes: Uint8Array.from({ length: 256 }, (_, i) => i) };
      const facts = [factOf(taskId, 1, { message: '\u0000 "\\ \u2028 ü 日本 🏳️‍🌈 \u{10ffff}' }), large, view, everyByte];
      holds(large.bytes.byteLength > 1024 ** 2, 'it is not greater');
      await store().append(commitOf(taskId, 1, { facts }));
      const page = await readAll(store(), taskId);
      same(
        page.entries.map(({ bytes }) => bytes.byteLength),
        facts.map(({ bytes }) => bytes.byteLength),
      );
      for (const [i, { bytes }] of page.entries.entries()) same(Buffer.compare(bytes, facts[i]?.bytes ?? new Uint8Array()), 0);
    },

    'gives pages that later commits and reads leave alone': async () => {
      const { taskId } = await taskWithFacts(store(), 5);
      const page = await readAll(store(), taskId);
      await store().append(commitOf(taskId, 6, { facts: factsOf(taskId, 6, 20), firstRetained: 10 }));
      await readAll(store(), taskId);
      same(legible(page.entries), legible(factsOf(taskId, 1, 5)));
    },

    'gives the newest ids of many tasks in the order asked for, null where there is none': async () => {
      const tasks = [await taskWithFacts(store(), 3), await taskWithFacts(store(), 0), sampleTask(), await taskWithFacts(store(), 11)];
      const ids = tasks.map(({ taskId }) => taskId);
      const newest = [factOf(ids[0] ?? '', 3).eventId, null, null, factOf(ids[3] ?? '', 11).eventId];
      same(await store().lastEventIds(ids), newest);
      same(await store().lastEventIds([...ids].reverse()), [...newest].reverse());
      same(await store().lastEventIds([ids[0] ?? '', ids[0] ?? '']), [newest[0], newest[0]]);
      same(await store().lastEventIds([]), []);
    },
  };
};
