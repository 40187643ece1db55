import { expect, test, vi } from 'vitest';
import { emptyAggregate } from '../../machines/index.ts';
import { LiveActors } from '../../server/actors/live-actors.ts';
import { systemChance } from '../../server/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { quiesce, testStore } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

/** The live actor of an empty log, told of a commit when the test says so. */
async function actorOfLog() {
  const [store, clock] = [await testStore(), fakeClock()];
  const log = await taskLog(store);
  const warn = vi.fn();
  const shown: unknown[] = [];
  let tell: () => void = () => undefined;
  const actors = new LiveActors({
    store,
    clock,
    chance: systemChance,
    logger: { warn, error: warn },
    actorsMax: 1,
    requestsMax: 1,
    now: () => 0,
    verbsFor: () => {
      throw new Error('Nobody asks for anything here.');
    },
    read: async (taskId) => ({ about: { taskId }, aggregate: emptyAggregate }) as never,
    listen: (_taskId, onCommit) => {
      tell = onCommit;
      return () => undefined;
    },
  });
  (await actors.get(log.taskId)).on('*', (told) => 'eventId' in told && shown.push(told.eventId));
  await quiesce();
  return { store, clock, log, warn, shown, actors, tell: () => tell() };
}

test('forgets that reads failed when one went well: the next pause is a short one again', async () => {
  const { store, clock, log, warn, shown, actors, tell } = await actorOfLog();
  const pauses = () => warn.mock.calls.map((call) => (call[1] as { pauseMs: number }).pauseMs);
  for (const round of [1, 2]) {
    store.readFault = new Error('The store is out of reach.');
    await log.append();
    tell();
    await quiesce();
    clock.advance(1_000);
    await quiesce();
    expect(pauses()).toEqual([1_000, 2_000, 1_000, 2_000].slice(0, 2 * round));
    store.readFault = undefined;
    clock.advance(2_000);
    await quiesce();
    expect(shown).toEqual(log.ids);
  }
  actors.close();
});

test('takes facts that are larger than what it reads at once, and asks for each a few times only', async () => {
  const { store, log, shown, actors, tell } = await actorOfLog();
  await log.append(3, { textBytes: 5 * 1024 * 1024 });
  const before = store.reads;
  tell();
  await quiesce();
  expect(shown).toEqual(log.ids);
  expect(store.reads - before).toBeLessThanOrEqual(6);
  actors.close();
});
