import { describe, expect, it } from 'vitest';
import { settledSamples, trendOf, type TrendSample } from './trend.ts';

/** One look a minute. */
const looks = (minutes: number, valueAt: (minute: number) => number, life = 0, from = 0): TrendSample[] =>
  Array.from({ length: minutes }, (_, nth) => ({ life, atMinutes: from + nth, value: valueAt(from + nth) }));
/** Noise that comes to nothing. */
const noise = (minute: number): number => [3, -2, -3, 2][minute % 4] ?? 0;

describe('a trend', () => {
  it('is flat where it rises by a twentieth over the time, and not where it rises by more', () => {
    const upBy = (rise: number) =>
      trendOf(
        looks(31, (minute) => 1000 + (rise / 30) * (minute - 15)),
        1,
      );
    expect(upBy(50)?.isFlat).toBe(true);
    expect(upBy(51)?.isFlat).toBe(false);
    expect(upBy(-500)?.isFlat).toBe(true);
    expect(upBy(51)?.perHour).toBeCloseTo(102);
  });

  it('is flat where what it counts is so little that a twentieth is nothing', () => {
    const upBy = (rise: number) =>
      trendOf(
        looks(31, (minute) => 20 + (rise / 30) * minute),
        6,
      );
    expect(upBy(6)?.isFlat).toBe(true);
    expect(upBy(6.1)?.isFlat).toBe(false);
  });

  it('is found in noise, with how sure it is', () => {
    const trend = trendOf(
      looks(32, (minute) => 100 + minute + noise(minute)),
      1,
    );
    expect(trend?.perHour).toBeGreaterThan(55);
    expect(trend?.perHour).toBeLessThan(65);
    expect(Math.abs((trend?.perHour ?? 0) - 60)).toBeLessThan(trend?.perHourError ?? 0);
    expect(trend?.isFlat).toBe(false);
  });

  it('is that of each life: one that begins higher than the last is no rise, and one that begins lower hides none', () => {
    const lives = (step: number, up: number) =>
      [0, 1, 2].flatMap((life) => looks(10, (minute) => 100 + step * life + up * (minute - life * 10), life, life * 10));
    expect(trendOf(lives(50, 0), 1)).toMatchObject({ rise: expect.closeTo(0) as number, isFlat: true });
    expect(trendOf(lives(-50, 2), 1)).toMatchObject({ perHour: expect.closeTo(120) as number, isFlat: false });
  });

  it('is none of a few looks', () => {
    expect(
      trendOf(
        looks(3, () => 1),
        1,
      ),
    ).toBeUndefined();
    expect(
      trendOf([...looks(1, () => 1), ...looks(1, () => 2, 1, 1), ...looks(1, () => 3, 2, 2), ...looks(1, () => 4, 3, 3)], 1),
    ).toBeUndefined();
  });
});

it('of the second half is looked at, without the first minutes of a life', () => {
  const samples = [...looks(6, () => 1, 0), ...looks(6, () => 2, 1, 6)];
  expect(settledSamples(samples, 2).map(({ atMinutes }) => atMinutes)).toEqual([8, 9, 10, 11]);
  expect(
    settledSamples(
      looks(11, () => 1),
      2,
    ).map(({ atMinutes }) => atMinutes),
  ).toEqual([5, 6, 7, 8, 9, 10]);
});
