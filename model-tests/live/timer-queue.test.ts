import { describe, expect, it } from 'vitest';
import { TimerQueue, timerQueue, type Timed } from '../../server/live/timer-queue.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { fakeViewer, hubFixture, quiesce } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

/** One that writes down when it rang. */
function timed(name: string, rung: string[], onRing: () => void = () => undefined): Timed {
  return {
    at: 0,
    place: -1,
    ring() {
      rung.push(name);
      onRing();
    },
  };
}

describe('the queue of a clock', () => {
  it('is the same for all', () => {
    const clock = fakeClock();
    expect(timerQueue(clock)).toBe(timerQueue(clock));
    expect(timerQueue(fakeClock())).not.toBe(timerQueue(clock));
  });

  it('arms one timer, for the soonest, and rings each at its time and once', () => {
    const clock = fakeClock();
    const queue = new TimerQueue(clock);
    const rung: string[] = [];
    queue.set(timed('late', rung), 30);
    queue.set(timed('soon', rung), 10);
    queue.set(timed('between', rung), 20);
    expect(clock.armed).toEqual([10]);
    clock.advance(9);
    expect(rung).toEqual([]);
    clock.advance(1);
    expect(rung).toEqual(['soon']);
    clock.advance(20);
    expect(rung).toEqual(['soon', 'between', 'late']);
    expect(clock.armed).toEqual([]);
  });

  it('forgets what was called off, and what it was set to before', () => {
    const clock = fakeClock();
    const queue = new TimerQueue(clock);
    const rung: string[] = [];
    const [gone, moved] = [timed('gone', rung), timed('moved', rung)];
    queue.set(gone, 5);
    queue.set(moved, 10);
    queue.set(moved, 40);
    queue.clear(gone);
    queue.clear(gone);
    expect(clock.armed).toEqual([40]);
    clock.advance(39);
    expect(rung).toEqual([]);
    clock.advance(1);
    expect(rung).toEqual(['moved']);
    queue.set(moved, 5);
    queue.clear(moved);
    expect(clock.armed).toEqual([]);
  });

  it('does not ring what another one calls off at the same time', () => {
    const clock = fakeClock();
    const queue = new TimerQueue(clock);
    const rung: string[] = [];
    const other = timed('other', rung);
    queue.set(
      timed('one', rung, () => queue.clear(other)),
      10,
    );
    queue.set(other, 10);
    clock.advance(10);
    expect([rung, clock.armed]).toEqual([['one'], []]);
  });

  it('rings what is set again for now in a later turn, so that none keeps the others waiting', () => {
    const clock = fakeClock();
    const queue = new TimerQueue(clock);
    const rung: string[] = [];
    const again: Timed = timed('again', rung, () => rung.length < 4 && queue.set(again, 0));
    queue.set(again, 10);
    clock.ring([10]);
    expect([rung, clock.armed]).toEqual([['again'], [0]]);
    clock.advance(0);
    expect(rung).toEqual(['again', 'again', 'again', 'again']);
  });

  it('rings the others though one throws', () => {
    const clock = fakeClock();
    const queue = new TimerQueue(clock);
    const rung: string[] = [];
    queue.set(
      timed('broken', rung, () => {
        throw new Error('broken');
      }),
      10,
    );
    queue.set(timed('whole', rung), 10);
    expect(() => clock.advance(10)).toThrow('broken');
    clock.advance(0);
    expect(rung).toEqual(['broken', 'whole']);
  });

  it.each([Number.NaN, -1, 'tomorrow'])('is due at once where its time is none: %s', (ms) => {
    const clock = fakeClock();
    const rung: string[] = [];
    // A caller without TypeScript.
    new TimerQueue(clock).set(timed('due', rung), ms as number);
    expect(clock.armed).toEqual([0]);
    clock.advance(0);
    expect(rung).toEqual(['due']);
  });

  it('waits on where its timer rings early, or cannot wait for so long', () => {
    const clock = fakeClock();
    const queue = new TimerQueue(clock);
    const rung: string[] = [];
    queue.set(timed('far', rung), 2 ** 31 + 999);
    expect(clock.armed).toEqual([2 ** 31 - 1]);
    clock.advance(2 ** 31 - 1);
    expect([rung, clock.armed]).toEqual([[], [1000]]);
    clock.advance(1000);
    expect(rung).toEqual(['far']);
  });
});

it('any number of idle viewers, whose credentials end some day, arm one timer, and none when they are gone', async () => {
  const clock = fakeClock();
  const { store, hub } = await hubFixture({ clock });
  const task = await taskLog(store);
  await task.append();
  const before = clock.armed.length;
  const cutAt = clock.now() + 3_600_000;
  const subscriptions = [];
  for (let i = 0; i < 50; i += 1) {
    subscriptions.push(hub.subscribe(task.taskId, fakeViewer(clock, i % 2 ? 'ws' : 'sse'), undefined, { cutAt }));
    await quiesce();
    clock.advance(1);
  }
  // One more compares what the store has with what was told, whoever watches.
  expect(clock.armed.length).toBe(before + 2);
  for (const subscription of subscriptions) subscription.close();
  expect(clock.armed.length).toBe(before);
});
