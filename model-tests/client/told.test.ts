import { expect, test } from 'vitest';
import { createFrameDecoder, type ConnectionInput } from '../../client/observation/frame-decoder.ts';
import type { TransportName } from '../../machines/wire/index.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { completed, fact, TASK } from '../support/scripted-server.ts';

interface Decoded {
  readonly clock: FakeClock;
  readonly connection: ConnectionInput;
  /** What the chart was told, and how many facts were delivered by then. */
  readonly told: string[];
  /** One chunk with so many facts. */
  facts(...numbers: readonly number[]): void;
}

function decoded(transport: TransportName): Decoded {
  const clock = fakeClock();
  const told: string[] = [];
  let delivered = 0;
  const decoder = createFrameDecoder(
    {
      taskId: TASK,
      context: undefined,
      listener: {},
      parts: undefined,
      clock,
      deliver: () => (delivered += 1),
      ended: () => told.push('the end'),
      gap: () => undefined,
      quiet: () => undefined,
      spoke: () => undefined,
      report: () => undefined,
    },
    null,
  );
  const connection = decoder.open(transport, ({ type }) => told.push(`${type} ${delivered}`));
  return {
    clock,
    connection,
    told,
    facts(...numbers) {
      for (const n of numbers) connection.frame(JSON.stringify(fact(n)));
      connection.flush();
    },
  };
}

test('the chart is told at once of facts after a rest, and of those that follow closely every 50 ms; each fact is delivered as it comes', () => {
  const { clock, told, facts } = decoded('ws');
  facts(1);
  told.splice(0, 1);
  expect(told).toEqual(['wire.facts 1']);
  facts(2);
  clock.advance(20);
  facts(3, 4);
  expect(told).toEqual(['wire.facts 1']);
  expect(clock.armed).toHaveLength(1);
  clock.advance(30);
  expect(told).toEqual(['wire.facts 1', 'wire.facts 4']);
  clock.advance(50);
  facts(5);
  expect(told).toEqual(['wire.facts 1', 'wire.facts 4', 'wire.facts 5']);
  expect(clock.armed).toEqual([]);
});

test.each([
  ['what cannot be read', ({ connection }: Decoded) => connection.frame('{'), ['wire.facts 2', 'wire.malformed 2']],
  ['its loss', ({ connection }: Decoded) => connection.lost('cut'), ['wire.facts 2', 'wire.ended 2']],
  ['the end of the log', ({ connection }: Decoded) => connection.frame(JSON.stringify(completed(3))), ['wire.facts 3', 'the end']],
])('the chart hears of facts before it hears of %s', (_, happens, expected) => {
  const all = decoded('ws');
  all.facts(1);
  all.facts(2);
  all.told.length = 0;
  happens(all);
  expect(all.told).toEqual(expected);
  expect(all.clock.armed).toEqual([]);
});

test('a connection that is closed leaves no timer, and tells nothing', () => {
  const { clock, connection, told, facts } = decoded('sse');
  facts(1);
  facts(2);
  told.length = 0;
  connection.close();
  expect(clock.armed).toEqual([]);
  clock.advance(1000);
  expect(told).toEqual([]);
});

test('a page tells at once, since it is all that there is', () => {
  const { told, facts } = decoded('poll');
  facts(1);
  facts(2);
  expect(told).toEqual(['wire.facts 1', 'wire.facts 2']);
});
