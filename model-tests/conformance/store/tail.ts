import type { EventId } from 'taskbridge/wire';
import type { Entry, Store, TailListener } from 'taskbridge/server/store';
import { commitOf, factOf, factsOf, legible, taskWithFacts } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { same } from '../suite/claim.ts';

/** What `tail` means. */
export const tailCases: CaseGroup<Store> = (store) => {
  return {
    'tells what is committed to a watched task, byte for byte, in order, and after which fact': async () => {
      const [{ taskId }, heard] = [await taskWithFacts(store(), 0), listening()];
      const tail = store().tail(heard.listener);
      await tail.watch(taskId);
      for (let n = 1; n <= 9; n += 3)
        await store().append(commitOf(taskId, (n + 2) / 3, { facts: factsOf(taskId, n, n + 2), ended: n === 7 }));
      await heard.facts(9);
      same(legible(heard.told.flatMap(({ entries }) => entries)), legible(factsOf(taskId, 1, 9)));
      same(
        heard.told.map(({ ended }) => ended),
        [false, false, true],
      );
      same(
        heard.told.map(({ before }) => before),
        [null, factOf(taskId, 3).eventId, factOf(taskId, 6).eventId],
      );
      await tail.close();
    },

    'tells 200 commits of 20 tasks that are written at once in the order of each task': async () => {
      const tasks = await Promise.all(Array.from({ length: 20 }, () => taskWithFacts(store(), 0)));
      const heard = listening();
      const tail = store().tail(heard.listener);
      for (const { taskId } of tasks) await tail.watch(taskId);
      await Promise.all(
        tasks.map(async ({ taskId }) => {
          for (let n = 1; n <= 10; n += 1) await store().append(commitOf(taskId, n, { facts: [factOf(taskId, n)] }));
        }),
      );
      await heard.facts(200);
      for (const { taskId } of tasks) same(legible(heard.of(taskId)), legible(factsOf(taskId, 1, 10)));
      await tail.close();
    },

    'tells nothing of tasks that are not watched, of conflicts and of commits without facts': async () => {
      const [watched, other] = [await taskWithFacts(store(), 1), await taskWithFacts(store(), 1)];
      const heard = listening();
      const tail = store().tail(heard.listener);
      await tail.watch(watched.taskId);
      await store().append(commitOf(other.taskId, 2, { facts: [factOf(other.taskId, 2)] }));
      await store().append(commitOf(watched.taskId, 9, { facts: [factOf(watched.taskId, 2)] }));
      await store().append(commitOf(watched.taskId, 2, { fields: { a: '1' } }));
      await store().append(commitOf(watched.taskId, 3, { facts: [factOf(watched.taskId, 2)] }));
      await heard.facts(1);
      same(
        heard.told.map(({ taskId, entries }) => [taskId, entries.length]),
        [[watched.taskId, 1]],
      );
      await tail.close();
    },

    'tells nothing any more of a task that is unwatched, and again when it is watched again': async () => {
      const [one, two] = [await taskWithFacts(store(), 0), await taskWithFacts(store(), 0)];
      const heard = listening();
      const tail = store().tail(heard.listener);
      await tail.watch(one.taskId);
      await tail.watch(two.taskId);
      tail.unwatch(one.taskId);
      tail.unwatch(one.taskId);
      await store().append(commitOf(one.taskId, 1, { facts: [factOf(one.taskId, 1)] }));
      await store().append(commitOf(two.taskId, 1, { facts: [factOf(two.taskId, 1)] }));
      await heard.facts(1);
      await tail.watch(one.taskId);
      await store().append(commitOf(one.taskId, 2, { facts: [factOf(one.taskId, 2)] }));
      await heard.facts(2);
      same(legible(heard.of(one.taskId)), legible([factOf(one.taskId, 2)]));
      same(legible(heard.of(two.taskId)), legible([factOf(two.taskId, 1)]));
      await tail.close();
    },

    'tells nothing once `unwatch` or `close` has returned, not even what was on its way': async () => {
      const tasks = await Promise.all(Array.from({ length: 3 }, () => taskWithFacts(store(), 0)));
      const [one, two, three] = tasks.map(({ taskId }) => taskId) as [string, string, string];
      const [leaving, closing, staying] = [listening(), listening(), listening()];
      const tails = [leaving, closing, staying].map(({ listener }) => store().tail(listener));
      for (const tail of tails) for (const taskId of [one, two, three]) await tail.watch(taskId);
      const committed = Promise.all([one, two].map((taskId) => store().append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }))));
      tails[0]?.unwatch(one);
      await tails[1]?.close();
      const heardAtClose = closing.told.length;
      await committed;
      await store().append(commitOf(three, 1, { facts: [factOf(three, 1)] }));
      await Promise.all([leaving.facts(2), staying.facts(3)]);
      same(leaving.of(one), []);
      same(closing.told.length, heardAtClose);
      for (const tail of tails) await tail.close();
    },

    'tells once of a task that is watched twice': async () => {
      const [{ taskId }, heard] = [await taskWithFacts(store(), 0), listening()];
      const tail = store().tail(heard.listener);
      await Promise.all([tail.watch(taskId), tail.watch(taskId)]);
      for (let n = 1; n <= 2; n += 1) await store().append(commitOf(taskId, n, { facts: [factOf(taskId, n)] }));
      await heard.facts(2);
      same(legible(heard.of(taskId)), legible(factsOf(taskId, 1, 2)));
      await tail.close();
    },

    'serves several tails, each with what it watches, and leaves the others when one is closed': async () => {
      const [one, two] = [await taskWithFacts(store(), 0), await taskWithFacts(store(), 0)];
      const [first, second] = [listening(), listening()];
      const [tailOne, tailTwo] = [store().tail(first.listener), store().tail(second.listener)];
      await tailOne.watch(one.taskId);
      for (const { taskId } of [one, two]) await tailTwo.watch(taskId);
      for (const { taskId } of [one, two]) await store().append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }));
      await Promise.all([first.facts(1), second.facts(2)]);
      await tailOne.close();
      for (const { taskId } of [one, two]) await store().append(commitOf(taskId, 2, { facts: [factOf(taskId, 2)] }));
      await second.facts(4);
      same(
        first.told.map(({ taskId }) => taskId),
        [one.taskId],
      );
      same(legible(second.of(two.taskId)), legible(factsOf(two.taskId, 1, 2)));
      await tailTwo.close();
    },

    'tells of a commit when it can be read, and never inside `append`': async () => {
      const { taskId } = await taskWithFacts(store(), 0);
      let insideAppend = false;
      let readable: Promise<number | undefined> | undefined;
      const heard = listening(() => {
        if (insideAppend) throw new Error('A listener ran inside append.');
        readable ??= store()
          .read(taskId, 1, { facts: 5, bytes: 1e9 })
          .then((page) => page?.entries.length);
      });
      const tail = store().tail(heard.listener);
      await tail.watch(taskId);
      insideAppend = true;
      const committed = store().append(commitOf(taskId, 1, { facts: [factOf(taskId, 1)] }));
      insideAppend = false;
      await committed;
      await heard.facts(1);
      same(await readable, 1);
      await tail.close();
    },

    'tells every tail that watches what is announced, whole and once': async () => {
      const { taskId } = await taskWithFacts(store(), 0);
      const heard = [listening(), listening()];
      const tails = heard.map(({ listener }) => store().tail(listener));
      for (const tail of tails) await tail.watch(taskId);
      // Of any length, with what a message of commits is made of, and no text that is cut by bytes.
      const notices = ['{"v":1}', `a;b,c\n\0 ${'ü€😀'.repeat(50_000)}`, ''];
      for (const notice of notices) await tails[0]?.announce(notice);
      for (const each of heard) await each.notices(notices.length);
      for (const each of heard) same([each.announced, each.told.length], [notices, 0]);
      await tails[1]?.close();
      await tails[0]?.announce('after');
      await heard[0]?.notices(notices.length + 1);
      same(heard[1]?.announced.length, notices.length);
      await tails[0]?.close();
    },

    'leaves no fact between a watch and the read that follows it': async () => {
      const { taskId } = await taskWithFacts(store(), 0);
      const heard = listening();
      const tail = store().tail(heard.listener);
      const append = (n: number): Promise<unknown> => store().append(commitOf(taskId, n, { facts: [factOf(taskId, n)] }));
      for (let n = 1; n <= 10; n += 1) await append(n);
      const writing = (async () => {
        for (let n = 11; n <= 60; n += 1) await append(n);
      })();
      await tail.watch(taskId);
      const page = await store().read(taskId, 1, { facts: 100, bytes: 1e9 });
      await writing;
      const ids = new Set(page?.entries.map(({ eventId }) => eventId));
      // What was told may have been read too: all is there when the last one is.
      const last = factOf(taskId, 60).eventId;
      if (!ids.has(last)) await heard.fact(last);
      for (const { eventId } of heard.of(taskId)) ids.add(eventId);
      same(ids, new Set(factsOf(taskId, 1, 60).map(({ eventId }) => eventId)));
      await tail.close();
    },
  };
};

interface Told {
  readonly taskId: string;
  readonly entries: readonly Entry[];
  readonly ended: boolean;
  readonly before: EventId | null;
}

/** A listener that remembers, and a way to wait until it heard that many facts. */
function listening(onCommitted?: () => void) {
  const told: Told[] = [];
  const announced: string[] = [];
  let wake: (() => void) | undefined;
  const count = (): number => told.reduce((sum, { entries }) => sum + entries.length, 0);
  const listener: TailListener = {
    committed(taskId, entries, ended, before) {
      told.push({ taskId, entries, ended, before });
      onCommitted?.();
      wake?.();
    },
    interrupted() {},
    announced(notice) {
      announced.push(notice);
      wake?.();
    },
  };
  return {
    listener,
    told,
    announced,
    async notices(expected: number): Promise<void> {
      while (announced.length < expected) await new Promise<void>((resolve) => (wake = resolve));
    },
    of: (taskId: string) => told.filter((each) => each.taskId === taskId).flatMap(({ entries }) => entries),
    async facts(expected: number): Promise<void> {
      while (count() < expected) await new Promise<void>((resolve) => (wake = resolve));
    },
    async fact(eventId: string): Promise<void> {
      while (told.at(-1)?.entries.at(-1)?.eventId !== eventId) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}
