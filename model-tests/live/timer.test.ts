import { describe, expect, it } from 'vitest';
import { HeartbeatMonitor } from '../../server/live/heartbeat-monitor.ts';
import { timerAfter } from '../../server/live/timer.ts';
import { timerAt } from '../../server/live/timer-queue.ts';
import type { Viewer } from '../../server/live/viewer.ts';
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

  it('waits for whole milliseconds, as fractions of one may be too little for any time to pass', () => {
    const clock = fakeClock();
    timerAfter(clock, 2 ** -44, () => undefined);
    timerAfter(clock, 9.5, () => undefined);
    expect(clock.armed).toEqual([1, 10]);
  });
});

it('a heartbeat is due when its timer is, whatever fractions of a millisecond the clock shows', () => {
  for (let i = 1; i <= 2_000; i += 1) {
    const clock = fakeClock(10_000 * Math.sqrt(i));
    let beats = 0;
    const viewer = { sharing: false, pendingBytes: () => 0, takenBytes: () => 0, heartbeat: () => true };
    const monitor = new HeartbeatMonitor(
      // What a heartbeat asks of one.
      { clock, options: { heartbeatMs: 4_000, sseHeartbeatMs: 4_000, stalledMs: 8_000 } },
      { viewer: viewer as unknown as Viewer, beaten: () => void (beats += 1), cut: () => undefined },
    );
    // One more is one that rang a little early.
    for (let rung = 0; rung < 2 && beats === 0; rung += 1) clock.ring(clock.armed);
    expect({ i, beats }).toEqual({ i, beats: 1 });
    monitor.stop();
  }
});
