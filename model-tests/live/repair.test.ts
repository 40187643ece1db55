import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { EventStore } from '../../server/ports/index.ts';
import { Repair } from '../../server/live/repair.ts';
import { Topic } from '../../server/live/topic.ts';
import { liveDefaults } from '../../server/live/options.ts';
import { systemClock } from '../../server/ports/index.ts';
import { testStore } from './hub-fixture.ts';

const WATCHED = 1050;

test('asks for the newest facts of many tasks a few at a time, each in a turn of its own', async () => {
  const inner = await testStore();
  let inThisTurn = 0;
  let most = 0;
  let asked = 0;
  const store: EventStore = {
    ...inner,
    lastEventIds(taskIds) {
      asked += taskIds.length;
      inThisTurn += taskIds.length;
      most = Math.max(most, inThisTurn);
      setImmediate(() => (inThisTurn = 0));
      return inner.lastEventIds(taskIds);
    },
  };
  const tail = store.tail({ committed: () => undefined, interrupted: () => undefined });
  const topics = Array.from(
    { length: WATCHED },
    (_, n) => new Topic({ taskId: `${n}`, tail, logger: undefined, onDeserted: () => undefined }),
  );
  const repair = new Repair({ store, clock: systemClock, options: liveDefaults, logger: undefined, topics: () => topics });
  await repair.run();
  await turn();
  expect({ asked, most }).toEqual({ asked: WATCHED, most: 100 });
  repair.stop();
});
