import type { AuthAnswer, AuthRequest } from 'taskbridge/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRenewal } from '../../client/auth/renewal.ts';
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
      now: () => clock.now() + off,
      monotonic: () => clock.now() - 1_000_000,
      world: clock.now,
      set: (ms: number) => void (off = ms),
    };
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
    const clock = device(offMs);
    const { script, seen } = world.server;
    script.subscribed = ({ confirm, send }) => (confirm(), send(fact(1)));
    let endsAt = clock.world() + LIFE_MS;
    let forced = 0;
    const auth = ({ forceRefresh }: AuthRequest): AuthAnswer => {
      if (forceRefresh) endsAt = clock.world() + LIFE_MS;
      if (forceRefresh) forced += 1;
      return { token: `until ${endsAt}`, expiresAt: endsAt };
    };
    const limits = { livenessMs: 3_000_000, openMs: 3_000_000 };
    const observation = world.client({ clock, auth, transports: ['ws'], limits }).observe(TASK);
    const isLive = (): boolean => observation.getSnapshot().connection.state === 'live';
    await eventually(isLive);
    clock.set(laterMs);
    for (let passedMs = 0; passedMs < LIFE_MS; passedMs += 10_000) {
      const before = { forced, seen: seen.length };
      clock.advance(10_000);
      await turns(3);
      if (forced > before.forced) await eventually(() => seen.length > before.seen && isLive());
    }
    expect(forced).toBe(refreshes);
  });

  test('are renewed thirty seconds before it, half-way where less is left, and not at all within five', () => {
    const clock = device(0);
    const renewal = createRenewal(clock, 30_000);
    const waitOf = (leftMs: number | undefined, text = String(leftMs)): number | undefined => {
      renewal.note(text, leftMs === undefined ? undefined : clock.now() + leftMs);
      return renewal.waitMs();
    };
    expect([undefined, Number.NaN, -HOUR_MS, 0, 9_999].map((leftMs) => waitOf(leftMs))).toEqual(Array.from({ length: 5 }, () => undefined));
    expect([10_000, 40_000, 60_000, 60_001, HOUR_MS].map((leftMs) => waitOf(leftMs))).toEqual([5_000, 20_000, 30_000, 30_001, 3_570_000]);
    expect([waitOf(Number.MAX_SAFE_INTEGER), waitOf(Number.POSITIVE_INFINITY)]).toEqual([2 ** 31 - 1, 2 ** 31 - 1]);
  });

  test('come once: given again later, or on a device whose date was set meanwhile, they have their first end', () => {
    const clock = device(0);
    const renewal = createRenewal(clock, 30_000);
    const expiresAt = clock.now() + 100_000;
    const wait = (): number | undefined => (renewal.note('token', expiresAt), renewal.waitMs());
    expect(wait()).toBe(70_000);
    clock.advance(60_000);
    clock.set(HOUR_MS);
    expect(wait()).toBe(20_000);
    clock.advance(31_000);
    // Whoever gives the same again and again is not asked again and again.
    expect(wait()).toBeUndefined();
    renewal.note('another', expiresAt + HOUR_MS + 11_000);
    expect(renewal.waitMs()).toBe(10_000);
  });
});
