import type { Store } from 'taskbridge/server/store';
import { atRest, commitOf, look, sampleTask, takeAll, wanted } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, present, same } from '../suite/claim.ts';

const MANY = 1000;
const BUCKET = '3f';

/** Whose turn it is, within one bucket. */
export const turnCases: CaseGroup<Store> = (store) => {
  async function wantedBy(owner: string, readyAt: number): Promise<string> {
    const task = sampleTask({ owner, plan: wanted(readyAt) }, BUCKET);
    await store().create(task);
    return task.taskId;
  }
  const ready = async (readyMax: number): Promise<readonly string[]> => (await store().take(look({ readyMax }))).ready;

  return {
    'gives an owner’s own tasks in the order in which they were wanted': async () => {
      const now = await store().now();
      const byOffset = new Map<number, string>();
      for (const ms of [3, 5, 1, 4, 2]) byOffset.set(ms, await wantedBy('one', now - ms));
      const given: string[] = [];
      for (let i = 0; i < 5; i += 1) given.push(...(await ready(1)));
      same(
        given,
        [5, 4, 3, 2, 1].map((ms) => byOffset.get(ms)),
      );
    },

    'has an owner with a thousand tasks stand behind the first of everybody else': async () => {
      const now = await store().now();
      const greedy = new Set(await Promise.all(Array.from({ length: MANY }, (_, i) => wantedBy('greedy', now - MANY - i))));
      holds(greedy.has(present((await ready(1))[0], 'the first task')), 'another than the only owner came first');
      const others = await Promise.all(['two', 'three', 'four'].map((owner) => wantedBy(owner, now)));
      const next = [...(await ready(2)), ...(await ready(2))];
      same(
        next.filter((taskId) => !greedy.has(taskId)),
        others.filter((taskId) => next.includes(taskId)).sort((a, b) => next.indexOf(a) - next.indexOf(b)),
      );
      same(
        others.filter((taskId) => !next.includes(taskId)),
        [],
        'the others that are not among the next four',
      );
    },

    'lets nobody wait for ever behind owners who come after him': async () => {
      const now = await store().now();
      const one = [await wantedBy('one', now - 9), await wantedBy('one', now - 8)];
      const given: string[] = [];
      // More come than are given: one owner's second task stands behind those who wait by then, and before those who come later.
      for (let round = 0; round < 12; round += 1) {
        for (const newcomer of ['a', 'b']) await wantedBy(`${newcomer}-${round}`, now);
        given.push(...(await ready(1)));
      }
      same(
        given.filter((taskId) => one.includes(taskId)),
        one,
      );
    },

    'takes turns between two who have many': async () => {
      const now = await store().now();
      const [a, b] = [new Set<string>(), new Set<string>()];
      for (let i = 0; i < 20; i += 1) a.add(await wantedBy('a', now - 100 + i));
      for (let i = 0; i < 20; i += 1) b.add(await wantedBy('b', now - 50 + i));
      const given: string[] = [];
      for (let i = 0; i < 10; i += 1) given.push(...(await ready(1)));
      const ofB = given.filter((taskId) => b.has(taskId)).length;
      holds(ofB >= 4 && ofB <= 6, `of the first ten, ${ofB} are of the second owner`);
      same((await takeAll(store())).ready.length, 30);
    },

    'holds nothing against an owner who had many turns before': async () => {
      const now = await store().now();
      for (let i = 0; i < 5; i += 1) {
        const taskId = await wantedBy('early', now - 50 + i);
        same(await ready(1), [taskId]);
        await store().append(commitOf(taskId, 1, { plan: atRest }));
      }
      const early = [await wantedBy('early', now - 20), await wantedBy('early', now - 19)];
      const late = [await wantedBy('late', now - 10), await wantedBy('late', now - 9)];
      same([...(await ready(1)), ...(await ready(1))].sort(), [early[0], late[0]].sort());
    },

    'gives a task that was planned for somebody once, whoever its owner is: names of any kind': async () => {
      const now = await store().now();
      const owners = ['', ' ', 'a;b', 'a:b', '{1}', 'ä💡', '"', '\\', '__proto__', 'toString', 'x'.repeat(500)];
      const tasks: string[] = [];
      for (const owner of owners) tasks.push(await wantedBy(owner, now));
      same((await takeAll(store(), look({ readyMax: 2 }))).ready.toSorted(), tasks.toSorted());
    },

    'passes over owners who have enough, hides nothing of theirs, and gives it when they are let in again': async () => {
      const now = await store().now();
      const full = await Promise.all(Array.from({ length: 5 }, (_, i) => wantedBy('full', now - 100 - i)));
      const other = await wantedBy('other', now - 1);
      const due = sampleTask({ owner: 'full', plan: { wakeAt: now - 1, work: null } }, BUCKET);
      await store().create(due);
      same(await takeAll(store(), look({ without: ['nobody', 'full'] })), { due: [due.taskId], ready: [other] });
      same([...(await takeAll(store())).ready].sort(), full.sort());
    },

    'comes to the others within some looks, whatever stands in front of them': async () => {
      const now = await store().now();
      const full = await Promise.all(Array.from({ length: MANY }, (_, i) => wantedBy('full', now - MANY - i)));
      // What is queued for a turn by now stays in front of the others.
      const shown = await ready(1);
      const others = await Promise.all(['two', 'three', 'four'].map((owner) => wantedBy(owner, now)));
      const given: string[] = [];
      for (let looks = 0; looks < 40 && given.length < others.length; looks += 1)
        given.push(...(await store().take(look({ readyMax: 1, without: ['full'] }))).ready);
      same(given.sort(), others.sort());
      same((await takeAll(store())).ready.length, full.length - shown.length);
    },
  };
};
