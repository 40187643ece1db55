import { expect, test } from 'vitest';
import { quiesce } from '../live/hub-fixture.ts';
import { forever, host, pass, passUntil, state } from './poison-fixture.ts';

test.each([
  ['and closed in turn, every twenty seconds', 20_000, true],
  ['every twenty seconds', 20_000, false],
  ['every five seconds', 5000, false],
])('silent work that crashes nothing outlives two dozen hosts that are killed %s', async (_what, everyMs, isClosed) => {
  const { clock, node, warned } = await host(forever);
  let of = await node();
  const taskId = await of.start('work');
  for (let turns = 0; turns < 24; turns += 1) {
    await pass(clock, everyMs, 500);
    if (isClosed && turns % 2 === 1) await of.close();
    else of.perish();
    of = await node();
  }
  expect(await state(of, taskId)).toBe('running');
  expect(warned.filter(([message]) => message.includes('fails'))).toEqual([]);
});

test.each([
  ['a tenth of a second', 100, 5, 'running'],
  ['ten seconds', 10_000, 11, 'running'],
  // Longer than anybody watches: nothing tells them apart.
  ['a minute and a half', 90_000, 20, 'failed'],
])(
  'poison that crashes its host %s after it began (%i ms) is ended by crash %i; silent work beside it is %s then',
  async (_what, fuseMs, most, beside) => {
    let die: () => void = () => undefined;
    const of = await host(async ({ input }) => {
      if (input['is'] !== 'poison') return forever();
      await new Promise<void>((resolve) => void of.clock.setTimeout(resolve, fuseMs));
      die();
      return forever();
    });
    let isDead = false;
    let node = await of.node();
    die = () => {
      isDead = true;
      node.perish();
    };
    const silent = await node.start('work');
    const taskId = await node.start('work', { is: 'poison' });
    let crashes = 0;
    const stepMs = Math.max(100, fuseMs / 20);
    const isOver = async (): Promise<boolean> => (await of.recordOf(taskId)).value === 'released';
    for (let passedMs = 0; !(await isOver()); passedMs += stepMs) {
      expect(passedMs).toBeLessThan(3_600_000);
      await pass(of.clock, stepMs, stepMs);
      if (!isDead) continue;
      isDead = false;
      crashes += 1;
      node = await of.node();
      await quiesce();
    }
    expect(await state(node, taskId)).toBe('failed');
    expect(crashes).toBe(most);
    await pass(of.clock, 120_000, 500);
    expect(await state(node, silent)).toBe(beside);
  },
);

test('work that runs for ten minutes since it was cleared is no suspect any more', async () => {
  const { clock, node, recordOf } = await host(forever);
  const one = await node();
  const taskId = await one.start('work');
  await pass(clock, 1000);
  one.die();
  await node();
  const spared = async (): Promise<number> => ((await recordOf(taskId)).context as { readonly spared?: number }).spared ?? 0;
  await passUntil(clock, async () => (await spared()) === 1);
  clock.advance(599_000);
  await quiesce();
  expect(await spared()).toBe(1);
  clock.advance(2000);
  await quiesce();
  expect(await spared()).toBe(0);
});
