/** One look: of which life of a process, at which minute of the run, and what it was. */
export interface TrendSample {
  readonly life: number;
  readonly atMinutes: number;
  readonly value: number;
}

/** Where something went. */
export interface Trend {
  /** Of what was looked at. */
  readonly mean: number;
  /** By least squares, an hour. */
  readonly perHour: number;
  /** Two standard errors of that. */
  readonly perHourError: number;
  /** By how much the line rises over the time that was looked at. */
  readonly rise: number;
  /** How much it may. */
  readonly riseMax: number;
  readonly isFlat: boolean;
}

/** Looks of fewer tell nothing. */
const SAMPLES_MIN = 4;
/** A rise over half a run by less than this share of the mean is none. */
const RISE_SHARE_MAX = 0.05;

/** What was looked at in the second half of the time, without the first minutes of each life: a process that is new has yet to come to rest. */
export function settledSamples(samples: readonly TrendSample[], warmUpMinutes: number): TrendSample[] {
  const begun = new Map<number, number>();
  for (const { life, atMinutes } of samples) begun.set(life, Math.min(atMinutes, begun.get(life) ?? Infinity));
  const [first, last] = [samples[0]?.atMinutes ?? 0, samples.at(-1)?.atMinutes ?? 0];
  return samples.filter(({ life, atMinutes }) => atMinutes >= (first + last) / 2 && atMinutes - (begun.get(life) ?? 0) >= warmUpMinutes);
}

/**
 * Draws a line through the looks by least squares, of one slope for all lives, each of which may begin where it likes. Flat is what rises
 * over the time that they span by no more than a twentieth of its mean, or by `riseMin` where that is more. Undefined for too few.
 */
export function trendOf(samples: readonly TrendSample[], riseMin: number): Trend | undefined {
  const lives = new Map<number, TrendSample[]>();
  for (const sample of samples) lives.set(sample.life, [...(lives.get(sample.life) ?? []), sample]);
  const centred = [...lives.values()].flatMap((looks) => {
    const [x, y] = [meanOf(looks.map(({ atMinutes }) => atMinutes)), meanOf(looks.map(({ value }) => value))];
    return looks.map(({ atMinutes, value }) => ({ x: atMinutes - x, y: value - y }));
  });
  const square = sumOf(centred.map(({ x }) => x * x));
  const free = samples.length - lives.size - 1;
  if (samples.length < SAMPLES_MIN || square === 0 || free < 1) return undefined;
  const slope = sumOf(centred.map(({ x, y }) => x * y)) / square;
  const error = Math.sqrt(sumOf(centred.map(({ x, y }) => (y - slope * x) ** 2)) / free / square);
  const minutes = samples.map(({ atMinutes }) => atMinutes);
  const mean = meanOf(samples.map(({ value }) => value));
  const rise = slope * (Math.max(...minutes) - Math.min(...minutes));
  const riseMax = Math.max(mean * RISE_SHARE_MAX, riseMin);
  return { mean, perHour: slope * 60, perHourError: 2 * error * 60, rise, riseMax, isFlat: rise <= riseMax };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function meanOf(values: readonly number[]): number {
  return sumOf(values) / values.length;
}
