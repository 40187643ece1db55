import { expect, test } from 'vitest';
import { viewerGauges } from '../../server/live/viewer-gauges.ts';

test('gauges of viewers count the unsent bytes of a shared connection once', () => {
  const viewer = (transport: 'ws' | 'sse', bytes: number) => ({ transport, pendingBytes: () => bytes }) as never;
  const shared = {};
  const gauges = viewerGauges(
    [
      { viewer: viewer('ws', 70), phase: 'level', connection: shared },
      { viewer: viewer('ws', 70), phase: 'behind', connection: shared },
      { viewer: viewer('sse', 5), phase: 'level', connection: {} },
      { viewer: viewer('sse', 6), phase: 'level', connection: {} },
    ],
    3,
  );
  expect([...gauges].map(({ name, tags, value }) => [name, ...Object.values(tags), value].join(' '))).toEqual([
    'viewers ws level 1',
    'viewers ws behind 1',
    'viewers sse level 2',
    'unsent_bytes ws 70',
    'unsent_bytes sse 11',
    'polls_waiting 3',
  ]);
});
