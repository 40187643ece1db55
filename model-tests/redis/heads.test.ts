import { expect, test } from 'vitest';
import { createHeads, type Head } from '../../adapters/redis/heads.ts';
import { fakeClock } from '../support/fake-clock.ts';

const headOf = (revision: number): Head => ({
  revision,
  mark: 'm',
  lastEventId: null,
  ended: false,
  firstRetained: 1,
  plan: { wakeAt: null, readyAt: null, holder: null, until: null } as unknown as Head['plan'],
  kind: undefined,
  lanes: undefined,
});

test('what is known of a task goes ten minutes after it was noted last, so that memory follows what is at work', () => {
  const clock = fakeClock();
  const heads = createHeads(clock);
  heads.note('old', headOf(1));
  heads.note('written again', headOf(1));
  clock.advance(6 * 60_000);
  heads.note('written again', headOf(2));
  heads.note('new', headOf(1));
  clock.advance(5 * 60_000);
  expect(heads.known('old', 1)).toBeDefined();
  heads.note('newer', headOf(1));
  expect(heads.known('old', 1)).toBeUndefined();
  expect(heads.known('written again', 2)).toBeDefined();
  expect(heads.known('written again', 1)).toBeUndefined();
  expect(heads.known('new', 1)).toBeDefined();
});
