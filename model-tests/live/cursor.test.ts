import { describe, expect, it } from 'vitest';
import { eventId, type EventId } from '../../machines/wire/index.ts';
import { positionOf, isStale, resumeAt } from '../../server/live/log-position.ts';

const at = (n: number, ms = n * 10): EventId => eventId(n, ms);
const fresh = { firstEventId: null, lastEventId: null };
const whole = { firstEventId: at(1), lastEventId: at(9) };
const trimmed = { firstEventId: at(5), lastEventId: at(9) };
const emptied = { firstEventId: null, lastEventId: at(9) };

describe('a cursor', () => {
  it.each([
    ['begins at the start of an empty log', undefined, fresh, undefined, 0, undefined],
    ['begins at the start of a whole log', undefined, whole, undefined, 0, undefined],
    ['begins at the start for an empty text', '', whole, undefined, 0, undefined],
    ['begins at the start for 0-0', '0-0', whole, undefined, 0, undefined],
    ['begins at the first fact that is kept, without a gap', undefined, trimmed, undefined, 4, undefined],
    ['goes on in the middle', at(3), whole, at(3), 3, undefined],
    ['goes on at the end', at(9), whole, undefined, 9, undefined],
    ['goes on where nothing between it and the first kept fact is missing', at(4), trimmed, undefined, 4, undefined],
    ['goes on at the first fact that is kept', at(5), trimmed, at(5), 5, undefined],
    ['meets a trimmed gap where the next fact is gone', at(3), trimmed, undefined, 4, 'trimmed'],
    ['meets a trimmed gap at the first fact already', at(1), trimmed, undefined, 4, 'trimmed'],
    ['meets a reset where its fact has another time', at(3, 31), whole, at(3), 0, 'reset'],
    ['meets a reset where the newest fact has another time', at(9, 91), whole, undefined, 0, 'reset'],
    ['meets a reset beyond the newest fact', at(10), whole, undefined, 0, 'reset'],
    ['meets a reset in an empty log', at(1), fresh, undefined, 0, 'reset'],
    ['goes back to the first kept fact after a reset', at(6, 61), trimmed, at(6), 4, 'reset'],
    ['meets a trimmed gap where nothing is kept', at(3), emptied, undefined, 9, 'trimmed'],
    ['goes on at the end of a log that keeps nothing', at(9), emptied, undefined, 9, undefined],
    ['meets a reset for a number beyond all counting', '9999999999999999-1', whole, undefined, 0, 'reset'],
  ] as const)('%s', (_name, cursor, ends, atCursor, after, reason) => {
    const resumption = resumeAt(positionOf(cursor), { ...ends, atCursor });
    expect(resumption).toEqual({ after, ...(reason && { gap: { reason, firstEventId: ends.firstEventId } }) });
  });

  it('is a fault of the edge where it has no form', () => {
    expect(() => positionOf('$')).toThrow(RangeError);
  });
});

describe('the newest id of the store', () => {
  const now = { n: 5, ms: 50 };
  it.each([
    ['is known', now, now, at(5), false],
    ['shows a newer fact', now, now, at(6), true],
    ['shows another fact of the same number', now, now, at(5, 51), true],
    ['shows a log that became shorter', now, now, at(4), true],
    ['is no news where facts came while it was asked for', now, { n: 3, ms: 30 }, at(3), false],
    ['shows a task that is gone', now, now, null, true],
    ['shows that nothing was written yet', { n: 0, ms: null }, { n: 0, ms: null }, null, false],
    ['is enough where there is no fingerprint to compare', { n: 5, ms: null }, now, at(5), false],
  ] as const)('%s', (_name, current, asked, newest, stale) => {
    expect(isStale(current, asked, newest)).toBe(stale);
  });
});
