import { expect, it, vi } from 'vitest';
import { createTimeLimit } from '../../adapters/redis/time-limit.ts';
import { fakeClock } from '../support/fake-clock.ts';

it('gives what has arrived a turn before it judges: this process may have stood still itself', () => {
  const clock = fakeClock();
  const limit = createTimeLimit(clock, 1000);
  const late = vi.fn();
  const answered = limit.start(late);
  limit.start(late);
  clock.ring([1000]);
  expect(late).not.toHaveBeenCalled();
  // Read in that turn.
  answered();
  clock.advance(100);
  expect(late).toHaveBeenCalledTimes(1);
});

it('goes by time that no setting of the date moves', () => {
  const clock = fakeClock();
  let elapsed = 0;
  const limit = createTimeLimit({ ...clock, now: () => clock.now() + 3_600_000, monotonic: () => elapsed }, 1000);
  const late = vi.fn();
  limit.start(late);
  clock.advance(1100);
  expect(late).not.toHaveBeenCalled();
  elapsed = 1000;
  clock.advance(2000);
  expect(late).toHaveBeenCalledTimes(1);
});
