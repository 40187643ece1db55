import { expect, test } from 'vitest';
import { quiesce } from '../live/hub-fixture.ts';
import { forever, host, pass, passUntil, state } from './poison-fixture.ts';

test.each([
  ['and closed in between, every twenty seconds', 20_000, true],
  ['every twenty seconds', 20_000, false],
  ['every five seconds', 5000, false],
  ['every minute', 60_000, false],
])('silent work that crashes nothing outlives hosts that are killed %s, for eight minutes', async (_what, everyMs, isClosed) => {
  const { clock, node, warned } = await host(forever);
  let of = await node();
  const taskId = await of.start('work');
  for (let turns = 0; turns < 480_000 / everyMs; turns += 1) {
    await pass(clock, everyMs, 500);
    if (isClosed && turns % 2 === 1) await of.close();
    else of.perish();
    of = await node();
  }
  expect(await state(of, taskId)).toBe('running');
  expect(warned.filter(([message]) => message.includes('fails'))).toEqual([]);
});

test.each([
  ['a tenth of a second', 100, 5],
  ['ten seconds', 10_000, 11],
  // Longer than anybody watches.
  ['a minute and a half', 90_000, 20],
])('poison that crashes its host %s after it began is ended', async (_what, fuseMs, crashesMax) => {
  let die: () => void = () => undefined;
  const of = await host(async () => {
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
  const taskId = await node.start('work');
  let crashes = 0;
  const stepMs = Math.max(100, fuseMs / 20);
  for (let passedMs = 0; (await state(node, taskId)) === 'running'; passedMs += stepMs) {
    expect(passedMs).toBeLessThan(3_600_000);
    await pass(of.clock, stepMs, stepMs);
    if (!isDead) continue;
    isDead = false;
    crashes += 1;
    node = await of.node();
    await quiesce();
  }
  expect(await state(node, taskId)).toBe('failed');
  expect(crashes).toBe(crashesMax);
});

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
