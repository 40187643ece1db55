import type { Store } from 'taskbridge/server/store';
import { commitOf, eventually, LONG_MS, look, sampleTask, takeAll, wakes, wanted, type StoreUnderTest } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { holds, same } from '../suite/claim.ts';

const HIDE_MS = 150;
const CROWD = 120;

/** That what is shown is hidden, for a while, from everybody. */
export const hidingCases: CaseGroup<StoreUnderTest> = (underTest, after) => {
  const store = (): Store => underTest().store;

  /** Stores of several nodes, where there can be several. */
  async function nodes(): Promise<readonly Store[]> {
    const { another } = underTest();
    if (!another) return [store(), store(), store()];
    const others = [await another(), await another()];
    for (const each of others) after(() => each.close());
    return [store(), ...others];
  }

  /** A task that is due, and one whose work is wanted, and when they were made. */
  async function two() {
    const now = await store().now();
    const [due, ready] = [sampleTask({ plan: wakes(now) }), sampleTask({ plan: wanted(now) })];
    for (const task of [due, ready]) await store().create(task);
    return { now, due: due.taskId, ready: ready.taskId };
  }

  return {
    'hides what it shows from everybody': async () => {
      const { due, ready } = await two();
      const [first, ...others] = await nodes();
      same(await first?.take(look()), { due: [due], ready: [ready] });
      for (const each of [...others, first]) same(await each?.take(look()), { due: [], ready: [] });
    },

    'shows it again when the time is over, so that nothing is lost with its taker': async () => {
      const { due, ready } = await two();
      const before = await store().now();
      same(await store().take(look({ hideMs: HIDE_MS })), { due: [due], ready: [ready] });
      const again = new Set<string>();
      const isShown = (): boolean => again.size >= 2;
      await eventually(store(), isShown, async () => {
        const taken = await store().take(look());
        const now = await store().now();
        for (const taskId of [...taken.due, ...taken.ready]) {
          holds(now >= before + HIDE_MS, `${taskId} was hidden for ${HIDE_MS} ms and shown after ${now - before}`);
          same([taken.due.includes(taskId), taken.ready.includes(taskId)], [taskId === due, taskId === ready]);
          again.add(taskId);
        }
      });
      same(await takeAll(store()), { due: [], ready: [] });
    },

    'shows it at once when a commit plans it anew, even as before': async () => {
      const { now, due, ready } = await two();
      same(await store().take(look()), { due: [due], ready: [ready] });
      await store().append(commitOf(due, 1, { plan: wakes(now) }));
      await store().append(commitOf(ready, 1, { plan: wanted(now) }));
      same(await store().take(look()), { due: [due], ready: [ready] });
    },

    'goes on hiding it when a commit was refused': async () => {
      const { now, due, ready } = await two();
      same(await store().take(look()), { due: [due], ready: [ready] });
      for (const taskId of [due, ready]) same(await store().append(commitOf(taskId, 7, { plan: wanted(now) })), 'conflict');
      same(await store().take(look()), { due: [], ready: [] });
    },

    'hides a task under both heads': async () => {
      const now = await store().now();
      const task = sampleTask({ plan: { wakeAt: now, work: { readyAt: now } } });
      await store().create(task);
      const { due, ready } = await store().take(look({ hideMs: LONG_MS }));
      same([...due, ...ready], [task.taskId]);
      same(await takeAll(store()), { due: [], ready: [] });
    },

    'hides nothing that it did not show': async () => {
      const { due, ready } = await two();
      same(await store().take(look({ readyMax: 0 })), { due: [due], ready: [] });
      same(await store().take(look({ types: ['other'] })), { due: [], ready: [] });
      same(await store().take(look({ readyMax: 0 })), { due: [], ready: [] });
      same(await store().take(look({ dueMax: 1, readyMax: 1 })), { due: [], ready: [ready] });
    },

    'gives each of many tasks to one of many nodes that look at once': async () => {
      const now = await store().now();
      const tasks = Array.from({ length: CROWD }, (_, i) =>
        sampleTask({ owner: `owner-${i % 7}`, plan: i % 4 ? wanted(now - i) : wakes(now - i) }),
      );
      await Promise.all(tasks.map((task) => store().create(task)));
      const given: string[] = [];
      const areGiven = (): boolean => given.length >= CROWD;
      const lookers = (await nodes()).flatMap((node) => [node, node, node]);
      await Promise.all(
        lookers.map((node) =>
          eventually(node, areGiven, async () => {
            const { due, ready } = await node.take(look({ dueMax: 3, readyMax: 5 }));
            given.push(...due, ...ready);
          }),
        ),
      );
      same(given.sort(), tasks.map(({ taskId }) => taskId).sort());
    },

    'gives none to two of them within the time for which it is hidden': async () => {
      const start = await store().now();
      const tasks = Array.from({ length: CROWD }, (_, i) => sampleTask({ owner: `owner-${i % 7}`, plan: wanted(start - i) }));
      await Promise.all(tasks.map((task) => store().create(task)));
      const shown = new Map<string, { askedAt: number; answeredAt: number }[]>(tasks.map(({ taskId }) => [taskId, []]));
      const lacking = new Set(shown.keys());
      const areShownTwice = (): boolean => lacking.size === 0;
      await Promise.all(
        (await nodes()).map((node) =>
          eventually(node, areShownTwice, async () => {
            const askedAt = await node.now();
            const { ready } = await node.take(look({ readyMax: 20, hideMs: HIDE_MS }));
            const answeredAt = await node.now();
            for (const taskId of ready) if ((shown.get(taskId)?.push({ askedAt, answeredAt }) ?? 0) > 1) lacking.delete(taskId);
          }),
        ),
      );
      for (const [taskId, times] of shown) {
        for (const [i, { askedAt }] of times.entries()) {
          for (const { answeredAt } of times.slice(i + 1)) {
            holds(answeredAt - askedAt >= HIDE_MS, `${taskId} was shown twice within ${answeredAt - askedAt} ms`);
          }
        }
      }
    },
  };
};
