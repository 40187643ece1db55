import { describe, expect, it } from 'vitest';
import { timerAt } from '../../server/live/timer.ts';
import { fakeClock } from '../support/fake-clock.ts';

describe('a timer', () => {
  it('calls back when its time has come, and once', () => {
    const clock = fakeClock();
    let calls = 0;
    timerAt(clock, clock.now() + 10, () => calls++);
    clock.advance(9);
    expect(calls).toBe(0);
    clock.advance(1);
    expect(calls).toBe(1);
    expect(clock.armed).toEqual([]);
  });

  it.each([Number.NaN, 'tomorrow', undefined])('is due at once where its time is none, and is never armed again: %s', (dueAt) => {
    const clock = fakeClock();
    let calls = 0;
    // A caller without TypeScript.
    timerAt(clock, dueAt as number, () => calls++);
    expect(clock.armed).toEqual([0]);
    clock.advance(0);
    expect(calls).toBe(1);
    expect(clock.armed).toEqual([]);
  });
});
