import { expect, test, vi } from 'vitest';
import { emptyExecutionRecord, recordAttemptEvent } from '../../server/attempt/execution-record.ts';
import type { AttemptEvent } from '../../server/attempt/attempt.machine.ts';
import { SuspectTurn } from '../../server/attempt/suspects.ts';
import type { TaskRecord } from '../../server/task/task-record.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { fakeClock } from '../support/fake-clock.ts';
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

test('a suspect that begins so late that others do not wait for it is watched when it does', () => {
  const clock = fakeClock();
  const onWatched = vi.fn(() => Promise.resolve());
  const suspects = new SuspectTurn({ clock, crashesMax: 5, onTurn: () => Promise.resolve(), onWatched });
  const claimed: AttemptEvent = { type: 'attempt.claimed', node: 'n', startBy: 0 };
  const after = (...events: readonly AttemptEvent[]): TaskRecord => {
    const execution = events.reduce((record, event) => recordAttemptEvent(record, event) ?? record, emptyExecutionRecord);
    // The turn of suspects looks at no more of it.
    return { about: { taskId: 't' }, execution } as TaskRecord;
  };
  const crashed = [claimed, { type: 'attempt.begun' }, { type: 'attempt.lost', crashed: true, retryAt: 0, restUntil: 0 }] as const;
  expect(suspects.take(after(...crashed))).toBe(true);
  suspects.note(after(...crashed, claimed));
  clock.advance(60_000);
  suspects.note(after(...crashed, claimed, { type: 'attempt.begun' }));
  clock.advance(499);
  expect(onWatched).not.toHaveBeenCalled();
  clock.advance(1);
  expect(onWatched).toHaveBeenCalledTimes(1);
});
