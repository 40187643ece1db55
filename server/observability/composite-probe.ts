import { assertOptionNames, type OptionNames } from '../ports/options.ts';
import { systemClock, type Clock } from '../ports/clock.ts';
import type { ReadinessProbe } from '../ports/observability.ts';
import { answerOfProbe, detailsOf } from './probe-answer.ts';

/** Options of {@link compositeProbe}. */
export interface CompositeProbeOptions {
  /**
   * A part that has not answered after that long counts as not ready, in milliseconds. Defaults to 1000; below `http.probeTimeoutMs`, or the whole
   * is given up before it can say which part it was.
   */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/**
 * Several probes as one: ready where each part is. Its details have each part by its name, with `status` and what that part tells; its reason,
 * which goes to the logger, why each part that failed did. All are asked at once. Never throws when asked; throws a `TypeError` or `RangeError`
 * when made of nothing or with a limit that is no whole number from 1.
 */
export function compositeProbe(parts: Readonly<Record<string, ReadinessProbe>>, options: CompositeProbeOptions = {}): ReadinessProbe {
  assertOptionNames(options, { timeoutMs: true, clock: true } satisfies OptionNames<CompositeProbeOptions>, 'compositeProbe');
  const { timeoutMs = 1000, clock = systemClock } = options;
  for (const [name, part] of Object.entries(parts))
    if (typeof (part as Partial<ReadinessProbe> | undefined)?.check !== 'function')
      throw new TypeError(`The part "${name}" is no probe: give an object with check().`);
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 2 ** 31 - 1)
    throw new RangeError(`timeoutMs (${timeoutMs}) must be a whole number from 1 to ${2 ** 31 - 1}.`);
  return {
    async check() {
      const answers = await Promise.all(
        Object.entries(parts).map(async ([name, part]) => [name, await answerOfProbe(part, timeoutMs, clock)] as const),
      );
      const failed = answers.filter(([, { ready }]) => !ready);
      const details = Object.fromEntries(answers.map(([name, answer]) => [name, detailsOf(answer)]));
      if (failed.length === 0) return { ready: true, details };
      return { ready: false, details, reason: Object.fromEntries(failed.map(([name, { reason }]) => [name, reason])) };
    },
  };
}
