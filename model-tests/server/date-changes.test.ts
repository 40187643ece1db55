import { describe, expect, it, onTestFinished, test } from 'vitest';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { steadyClock } from '../../server/ports/index.ts';
import { storeClock } from '../../server/task/store-clock.ts';
import { sampleTask, wakes } from '../conformance/store/samples.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { leapingClock, type LeapingClock } from '../support/date-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TEN_MINUTES_MS = 600_000;

describe("the store's time, as a node reckons it", () => {
  it.each([-TEN_MINUTES_MS, TEN_MINUTES_MS])("is not moved by the node's own date: set by %i ms", async (leapMs) => {
    const clock = leapingClock();
    const time = storeClock({ now: async () => 5_000_000 }, clock);
    await time.synchronize();
    clock.leap(leapMs);
    clock.advance(250);
    expect(time.now()).toBe(5_000_250);
  });

  it('is the date of the machine until it is known', () => {
    const clock = leapingClock();
    const time = storeClock({ now: async () => 0 }, clock);
    expect(time.now()).toBe(clock.now());
  });
});

describe('a steady clock', () => {
  it('is the date, to the millisecond', () => {
    const clock = leapingClock();
    const steady = steadyClock(clock);
    for (const ms of [0, 1, 7, 1000]) {
      clock.advance(ms);
      expect(steady.now()).toBe(clock.now());
    }
  });

  it('follows a date that is set forward at once', () => {
    const clock = leapingClock();
    const steady = steadyClock(clock);
    clock.leap(TEN_MINUTES_MS);
    expect(steady.now()).toBe(clock.now());
  });

  it('goes on at half its pace where the date is set back, until that has caught up', () => {
    const clock = leapingClock();
    const steady = steadyClock(clock);
    const start = steady.now();
    clock.leap(-TEN_MINUTES_MS);
    expect(steady.now()).toBe(start);
    clock.advance(TEN_MINUTES_MS);
    expect(steady.now()).toBe(start + TEN_MINUTES_MS / 2);
    clock.advance(TEN_MINUTES_MS);
    expect(steady.now()).toBe(clock.now());
    clock.advance(1000);
    expect(steady.now()).toBe(clock.now());
  });

  it('believes a clock that has nothing but the date', () => {
    let now = 1000;
    const steady = steadyClock({ ...fakeClock(), now: () => now });
    now = 500;
    expect(steady.now()).toBe(500);
  });
});

const stores = {
  memory: async (clock: LeapingClock) => memoryStore({ clock }),
  lmdb: async (clock: LeapingClock) => {
    const { path, remove } = await tempFolder('set-clock');
    onTestFinished(remove);
    return lmdbStore({ path, clock });
  },
};

test.each(
  Object.keys(stores).flatMap((name) => [-TEN_MINUTES_MS, TEN_MINUTES_MS].map((leapMs) => [name as keyof typeof stores, leapMs] as const)),
)(
  'what waits in a %s store, and what is hidden there, is shown in twice its time at most: the date is set by %i ms',
  async (name, leapMs) => {
    const clock = leapingClock();
    const store = await stores[name](clock);
    await store.open();
    onTestFinished(() => store.close());
    const due = { types: 'any', dueMax: 1, readyMax: 0, hideMs: 5000 } as const;
    await store.create(sampleTask({ plan: wakes((await store.now()) + 5000) }));
    clock.leap(leapMs);
    clock.advance(10_000);
    expect((await store.take(due)).due).toHaveLength(1);
    clock.leap(leapMs);
    clock.advance(10_000);
    expect((await store.take(due)).due).toHaveLength(1);
  },
);
