import { expect, onTestFinished, test } from 'vitest';
import { fakeClock } from '../support/fake-clock.ts';
import { facts, TASK } from '../support/scripted-server.ts';
import { until } from '../support/until.ts';
import { createHarness } from './harness.ts';

test('facts are shown as they come, and the chart of their connection is told of those that follow closely every 50 ms', async () => {
  const world = await createHarness();
  onTestFinished(() => world.close());
  const clock = fakeClock();
  let told = 0;
  let send = (..._facts: ReturnType<typeof facts>): void => undefined;
  world.server.script.subscribed = (connection) => {
    connection.confirm();
    send = (...some) => void connection.send(...some);
    send(...facts(1, 1));
  };
  const client = world.client({
    clock,
    inspect: (happened) => {
      if (happened.type === '@xstate.event' && happened.event.type === 'wire.facts') told += 1;
    },
  });
  const observation = client.observe(TASK);
  for (let n = 1; n <= 3; n += 1) {
    if (n > 1) send(...facts(n, n));
    await until(observation, ({ task }) => task.lastEventId === `${n}-1000`);
  }
  expect(told).toBe(1);
  clock.advance(50);
  expect(told).toBe(2);
});
