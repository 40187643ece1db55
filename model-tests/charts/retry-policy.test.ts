import { describe, expect, test } from 'vitest';
import { climbMs, retryDelayMs, transportMachine } from 'taskbridge/machines';
import { createActor } from 'xstate';

describe('the rest before a retry', () => {
  // By hand: doubled each time, cut at the longest.
  test.each([
    { baseMs: 500, maxMs: 5_000, rests: [500, 1_000, 2_000, 4_000, 5_000, 5_000] },
    { baseMs: 40, maxMs: 640, rests: [40, 80, 160, 320, 640, 640] },
    { baseMs: 1_000, maxMs: 60_000, rests: [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000] },
    { baseMs: 200, maxMs: 200, rests: [200, 200, 200] },
    { baseMs: 300, maxMs: 200, rests: [200, 200] },
    { baseMs: 0, maxMs: 0, rests: [0, 0, 0] },
  ])('of $baseMs up to $maxMs', ({ baseMs, maxMs, rests }) => {
    expect(rests.map((_, retry) => retryDelayMs({ baseMs, maxMs, jitter: 0.2 }, retry))).toEqual(rests);
  });

  test('has a share added that chance decides, also above the longest', () => {
    const policy = { baseMs: 100, maxMs: 400, jitter: 0.5 };
    expect([0, 0.5, 1].map((fraction) => retryDelayMs(policy, 0, fraction))).toEqual([100, 125, 150]);
    expect([0, 0.5, 1].map((fraction) => retryDelayMs(policy, 9, fraction))).toEqual([400, 500, 600]);
  });

  test('has nothing added where the policy has no jitter', () => {
    expect(retryDelayMs({ baseMs: 100, maxMs: 400, jitter: 0 }, 1, 0.9)).toBe(200);
  });

  test('is the longest after any number of failures, and at once stays at once', () => {
    for (const retry of [100, 1_100, Number.MAX_SAFE_INTEGER]) {
      expect(retryDelayMs({ baseMs: 1, maxMs: 30_000, jitter: 0 }, retry)).toBe(30_000);
      expect(retryDelayMs({ baseMs: 0, maxMs: 30_000, jitter: 0.2 }, retry, 0.5)).toBe(0);
    }
  });
});

test('the time to the next probe doubles up to five minutes, a fifth shorter or longer by chance', () => {
  const { context } = createActor(transportMachine, {
    input: { tries: { ws: 3, sse: 3, poll: 1 }, strategy: 'progressive-sticky', refreshable: false },
  }).getSnapshot();
  const times = [0, 1, 2, 3, 4].map((climbFailures) => climbMs(30_000, { ...context, climbFailures }));
  expect(times).toEqual([30_000, 60_000, 120_000, 240_000, 300_000]);
  expect([-0.5, 0, 0.5].map((fraction) => climbMs(30_000, context, fraction))).toEqual([24_000, 30_000, 36_000]);
});
