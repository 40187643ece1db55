import { expect, test, vi } from 'vitest';
import type { Task } from '../../adapters/in-process/index.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { forever, host, pass, passUntil, state } from './poison-fixture.ts';

test('work that ends its process every time it runs fails in the end, with the count, and rests between', async () => {
  const restsFrom = [1000, 2000, 4000, 8000];
  const runs: { readonly attempt: number; readonly at: number }[] = [];
  const { clock, node, recordOf, warned } = await host(({ attempt }) => {
    runs.push({ attempt, at: clock.now() });
    return forever();
  });
  let of = await node();
  const taskId = await of.start('work');
  for (let crashes = 1; crashes <= 5; crashes++) {
    await passUntil(clock, () => runs.length === crashes);
    of.die();
    of = await node();
  }
  await passUntil(clock, async () => (await state(of, taskId)) !== 'running');
  expect(await state(of, taskId)).toBe('failed');
  expect((await of.snapshot(taskId)).failure).toMatchObject({
    code: 'WORK_LOST',
    retryable: true,
    message: expect.stringContaining('5 times') as string,
  });
  expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
  expect((await recordOf(taskId)).context.crashes).toBe(5);
  // Each time somebody was told, with how long nobody had worked.
  const told = warned.flatMap(([message, fields]) => (message.startsWith('Work whose process crashed') ? [fields] : []));
  expect(told).toMatchObject([1, 2, 3, 4].map((crashes) => ({ taskId, crashes, attempt: crashes + 1 })));
  told.forEach(({ idleMs }, i) => expect(idleMs).toBeGreaterThanOrEqual(restsFrom[i] ?? 0));
  runs.slice(1).forEach(({ at }, i) => expect(at - (runs[i]?.at ?? 0)).toBeGreaterThanOrEqual(restsFrom[i] ?? 0));
});

test('a close is no crash, however often', async () => {
  let runs = 0;
  const { clock, node, recordOf } = await host(() => {
    runs += 1;
    return forever();
  });
  let of = await node();
  const taskId = await of.start('work');
  for (let closes = 1; closes <= 7; closes++) {
    await vi.waitFor(() => expect(runs).toBe(closes));
    await of.close();
    of = await node();
    await pass(clock, 400);
  }
  await vi.waitFor(() => expect(runs).toBe(8));
  expect(await state(of, taskId)).toBe('running');
  expect((await recordOf(taskId)).context.crashes).toBe(0);
});

test.each<[string, (task: Task) => Promise<unknown>, number]>([
  ['saves what no run had saved begins to count anew', (task) => task.save(task.attempt), 0],
  ['saves what the last run had saved counts on', (task) => task.save('here'), 3],
  ['says something counts on', (task) => task.message('again'), 3],
])('work that %s', async (_what, say, crashes) => {
  const said: number[] = [];
  const { clock, node, recordOf } = await host(
    async (task) => {
      await say(task);
      said.push(task.attempt);
      return forever();
    },
    { crashesMax: 10 },
  );
  let of = await node();
  const taskId = await of.start('work');
  for (let dies = 1; dies <= 3; dies++) {
    await passUntil(clock, () => said.length === dies);
    of.die();
    of = await node();
  }
  await passUntil(clock, () => said.length === 4);
  of.die();
  // Of the last run nobody knows yet that it is lost.
  expect((await recordOf(taskId)).context.crashes).toBe(crashes);
});

const question = { reasonCode: 'Q', allowedActions: ['ok'] };

test.each<[string, (task: Task) => unknown]>([
  ['before it asks again', (task) => (task.attempt === 1 ? task.suspend('q', question) : undefined)],
  ['without awaiting what it asked', (task) => void task.suspend('q', question)],
  ['with an ear for what it asked, and work beside', (task) => void task.suspend('q', question).catch(() => undefined)],
  ['with a callback for the answer, and work beside', (task) => void task.suspend('q', question).then(() => 'later')],
  ['when it has said something since it asked', (task) => (task.suspend('q', question).catch(() => 0), task.message(`${task.attempt}`))],
])('a run that ends its process %s is counted, though a question of the task is open', async (_what, ask) => {
  const runs: number[] = [];
  const { clock, node, recordOf } = await host(
    async (task) => {
      await Promise.resolve(ask(task));
      // Not to be awaited: a run that waits is what is not counted.
      await quiesce();
      runs.push(task.attempt);
      return forever();
    },
    { crashesMax: 3 },
  );
  let of = await node();
  const taskId = await of.start('work');
  // The first run may wait, and its host is killed.
  await passUntil(clock, async () => (await state(of, taskId)) === 'suspended');
  await quiesce();
  for (let lives = 0; lives < 5 && (await state(of, taskId)) !== 'failed'; lives += 1) {
    const begun = (await recordOf(taskId)).context.attempt;
    if (lives > 0) await passUntil(clock, async () => runs.at(-1) === begun || (await recordOf(taskId)).context.attempt > begun);
    await pass(clock, 200);
    of.die();
    of = await node();
    const before = runs.length;
    await passUntil(clock, async () => runs.length > before || (await state(of, taskId)) === 'failed');
  }
  expect((await of.snapshot(taskId)).failure).toMatchObject({ code: 'WORK_LOST' });
  expect(runs.length).toBeLessThanOrEqual(4);
});

test.each<[string, (task: Task) => Promise<unknown>]>([
  ['awaits', (task) => task.suspend('q', question)],
  ['awaits, and catches', (task) => task.suspend('q', question).catch(() => undefined)],
  ['awaits with another', (task) => Promise.all([task.suspend('q', question), task.suspend('r', question)])],
  [
    'awaits after some work',
    async (task) => {
      const asked = task.suspend('q', question);
      await task.message(`${task.attempt}`);
      await asked;
    },
  ],
])('a run that only waits for what it asked and %s is never lost, however often its host is killed', async (_what, wait) => {
  const runs: number[] = [];
  const { clock, node, recordOf, warned } = await host(
    async (task) => {
      runs.push(task.attempt);
      await wait(task);
      return 'answered';
    },
    { crashesMax: 2 },
  );
  let of = await node();
  const taskId = await of.start('work');
  for (let kills = 1; kills <= 6; kills += 1) {
    await passUntil(clock, async () => JSON.stringify((await recordOf(taskId)).value).includes('"waiting"'));
    of.die();
    of = await node();
    // At once: it does not rest.
    await passUntil(clock, () => runs.length === kills + 1);
  }
  for (const { suspendId } of (await of.snapshot(taskId)).suspensions)
    await of.act(taskId, { clientActionId: suspendId, suspendId, actionType: 'ok' });
  await passUntil(clock, async () => (await state(of, taskId)) === 'completed');
  expect(warned.filter(([message]) => message.includes('crashed'))).toEqual([]);
});

/** Work that goes on until it is let go, by name. */
function gated() {
  const begun: string[] = [];
  const gates = new Map<string, () => void>();
  return {
    begun,
    gates,
    run: async (task: Task) => {
      const name = task.input['n'] as string;
      begun.push(name);
      await new Promise<void>((resolve) => gates.set(name, resolve));
      return 'done';
    },
  };
}

test('after a crash one of those that ran begins, and as each has ended two more, and work that is not suspected beside them', async () => {
  const work = gated();
  const { clock, node } = await host(work.run);
  const one = await node();
  for (const n of 'abcdefg') await one.start('work', { n });
  await passUntil(clock, () => work.begun.length === 7);
  one.die();
  work.begun.length = 0;
  const two = await node();
  await passUntil(clock, () => work.begun.length === 1);
  const fresh = await two.start('work', { n: 'new' });
  await passUntil(clock, () => work.begun.length === 2);
  work.gates.get('new')?.();
  await passUntil(clock, async () => (await state(two, fresh)) === 'completed');
  const letGo = (): void => work.gates.get(work.begun.find((n) => n !== 'new' && work.gates.has(n)) ?? '')?.();
  work.gates.get(work.begun[0] ?? '')?.();
  await quiesce();
  await passUntil(clock, () => work.begun.length === 4);
  letGo();
});

test('a hundred that were interrupted run again within seconds of the start, though none of them says anything', async () => {
  const work = gated();
  const { clock, node, recordOf } = await host(work.run);
  const one = await node();
  const ids: string[] = [];
  for (let n = 0; n < 100; n += 1) ids.push(await one.start('work', { n: `${n}` }));
  await passUntil(clock, () => work.begun.length === 100);
  one.die();
  work.begun.length = 0;
  await node();
  const from = clock.now();
  await passUntil(clock, () => work.begun.length === 100);
  expect(clock.now() - from).toBeLessThan(6000);
  // Each was watched, and crashed nothing.
  await pass(clock, 1000);
  expect((await Promise.all(ids.map(recordOf))).filter(({ value }) => !JSON.stringify(value).includes('cleared'))).toEqual([]);
});

test.each([
  [100, 5],
  // It takes longer than a suspect is watched at first.
  [800, 7],
])('poison among twenty that crashes %i ms after it began takes the others with it %i times, and none for good', async (fuseMs, most) => {
  const work = gated();
  let die: () => void = () => undefined;
  const of = await host(
    async (task) => {
      if (task.input['n'] !== 'poison') return work.run(task);
      await new Promise<void>((resolve) => void of.clock.setTimeout(resolve, fuseMs));
      die();
      return forever();
    },
    { crashesMax: 5 },
  );
  let node = await of.node();
  const start = (names: readonly number[]) => Promise.all(names.map((n) => node.start('work', { n: `${n}` })));
  const others = [...(await start([...Array(10).keys()]))];
  const poison = await node.start('work', { n: 'poison' });
  others.push(...(await start([...Array(10).keys()].map((n) => n + 10))));
  let crashes = 0;
  let isDead = false;
  die = () => {
    isDead = true;
    node.die();
  };
  await passUntil(
    of.clock,
    async () => {
      if (isDead) {
        crashes += 1;
        isDead = false;
        node = await of.node();
      }
      return JSON.stringify((await of.recordOf(poison)).value) === '"released"';
    },
    5,
  );
  expect(await state(node, poison)).toBe('failed');
  expect(crashes).toBe(most);
  const isBack = ({ value }: { value: unknown }): boolean => JSON.stringify(value).includes('claimed');
  await passUntil(of.clock, async () => (await Promise.all(others.map(of.recordOf))).every(isBack), 4);
  const counts = (await Promise.all(others.map(of.recordOf))).map(({ context }) => context.crashes);
  expect(Math.max(...counts)).toBeLessThan(4);
});
