import { platformChannels, processLocks, tabSockets } from 'taskbridge/client/tabs';
import { nodeSockets } from 'taskbridge/client/node';
import { expect, onTestFinished, test } from 'vitest';
import { seenActors } from '../support/inspector-record.ts';
import { eventually } from '../support/eventually.ts';

test('a tab that is inspected shows its chart, and goes on whatever the inspector throws', async () => {
  const { seen, inspect } = seenActors();
  const fail = (): never => {
    throw new Error('Broken glass.');
  };
  const locks = processLocks();
  const tabOf = (look: typeof inspect) => {
    const tab = tabSockets({ name: 'ada', sockets: nodeSockets(), locks, channels: platformChannels() ?? null, inspect: look });
    onTestFinished(() => tab.close());
    return tab;
  };
  const first = tabOf(inspect);
  await eventually(() => first.getSnapshot() === 'leading');
  const second = tabOf(fail);
  await eventually(() => second.getSnapshot() === 'following');
  first.close();
  await eventually(() => second.getSnapshot() === 'leading');
  expect(seen.map(({ event }) => event.type)).toEqual(expect.arrayContaining(['lock.held', 'tab.close']));
  // What it invokes is beneath it.
  expect(new Set(seen.filter(({ parent }) => parent === undefined).map(({ id }) => id.split('/')[0]))).toEqual(new Set(['tab']));
});
