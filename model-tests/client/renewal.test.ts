import type { AuthProvider } from 'taskbridge/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, turns } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { fact, TASK } from '../support/scripted-server.ts';
import { createHarness, type Harness } from './harness.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

describe('credentials that say when they end', () => {
  const HOUR_MS = 3_600_000;
  const LIFE_MS = 300_000;

  /** A device whose date is off, and may be set; time goes on as it does. */
  function device(offMs: number) {
    const clock = fakeClock();
    let off = offMs;
    return {
      ...clock,
      armed: () => clock.armed,
      now: () => clock.now() + off,
      monotonic: () => clock.now() - 1_000_000,
      world: clock.now,
      set: (ms: number) => void (off = ms),
    };
  }

  /** Watches a task over a WebSocket that lives, and brings a fact each time that it is opened. */
  async function watch(clock: ReturnType<typeof device>, auth: AuthProvider) {
    const { script } = world.server;
    script.subscribed = ({ confirm, send }) => (confirm(), send(fact(1)));
    const observation = world
      .client({ clock, auth, transports: ['ws'], limits: { livenessMs: 3_000_000, openMs: 3_000_000 } })
      .observe(TASK);
    const isLive = (): boolean => observation.getSnapshot().connection.state === 'live';
    await eventually(isLive);
    return { observation, isLive };
  }

  /** How often the provider is asked for new ones within the life of its first. Each step waits until a renewal is through. */
  async function refreshesOf(offMs: number, laterMs: number, givesNew: boolean): Promise<number> {
    const clock = device(offMs);
    let endsAt = clock.world() + LIFE_MS;
    let forced = 0;
    const { isLive } = await watch(clock, ({ forceRefresh }) => {
      if (forceRefresh) forced += 1;
      if (forceRefresh && givesNew) endsAt = clock.world() + LIFE_MS;
      return { token: `until ${endsAt}`, expiresAt: endsAt };
    });
    const { seen } = world.server;
    clock.set(laterMs);
    for (let passedMs = 0; passedMs < LIFE_MS; passedMs += 10_000) {
      const before = { forced, seen: seen.length };
      clock.advance(10_000);
      await turns(3);
      if (forced > before.forced) await eventually(() => seen.length > before.seen && isLive());
    }
    return forced;
  }

  test.each([
    ['is right', 0, 0, 1],
    ['is an hour ahead', HOUR_MS, HOUR_MS, 0],
    ['is an hour behind', -HOUR_MS, -HOUR_MS, 0],
    ['is ahead by just their life', LIFE_MS, LIFE_MS, 0],
    ['is ahead by almost their life', LIFE_MS - 2_000, LIFE_MS - 2_000, 0],
    ['is set an hour forward when they have come', 0, HOUR_MS, 1],
    ['is set an hour back when they have come', 0, -HOUR_MS, 1],
  ])('are renewed before that, and never again and again: on a device whose date %s', async (_, offMs, laterMs, refreshes) => {
    expect(await refreshesOf(offMs, laterMs, true)).toBe(refreshes);
  });

  test('are renewed a few times, and no more, where the provider gives the same again and again', async () => {
    expect(await refreshesOf(0, 0, false)).toBe(3);
  });

  test.each([
    [9_999, undefined],
    [10_000, 5_000],
    [40_000, 20_000],
    [60_001, 30_001],
    [HOUR_MS, HOUR_MS - 30_000],
    [Number.POSITIVE_INFINITY, 2 ** 31 - 1],
    [Number.NaN, undefined],
  ])('and come with %s ms left are renewed after %s ms', async (leftMs, waitMs) => {
    const plain = device(0);
    await watch(plain, () => 'token');
    const clock = device(0);
    const expiresAt = clock.now() + leftMs;
    await watch(clock, () => ({ token: 'token', expiresAt }));
    expect(clock.armed().filter((ms) => !plain.armed().includes(ms))).toEqual(waitMs === undefined ? [] : [waitMs]);
  });
});
