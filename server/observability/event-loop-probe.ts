import { assertOptionNames, type OptionNames } from '../ports/options.ts';
import { monotonicMs, systemClock, type Clock } from '../ports/clock.ts';
import type { ReadinessProbe } from '../ports/observability.ts';
import { EventLoopMonitor } from './event-loop-monitor.ts';

/** Options of {@link eventLoopProbe}. */
export interface EventLoopProbeOptions {
  /** A timer of this process that comes later than that has found it busy, in milliseconds. Defaults to 1000. */
  readonly delayMsMax?: number;
  /** So long it is not ready after that, in milliseconds: longer than the interval at which it is asked. Defaults to 15 000. */
  readonly restMs?: number;
  readonly clock?: Clock;
}

const names: OptionNames<EventLoopProbeOptions> = { delayMsMax: true, restMs: true, clock: true };

/**
 * Not ready where this process has kept its timers waiting: it is too busy for more, and the others may take what comes. Measures from when it is made, twenty times a
 * second. For readiness only: a busy process that is started again is busier. Throws a `RangeError` for a limit that is no whole number from 1.
 */
export function eventLoopProbe(options: EventLoopProbeOptions = {}): ReadinessProbe {
  assertOptionNames(options, names, 'eventLoopProbe');
  const { delayMsMax = 1000, restMs = 15_000, clock = systemClock } = options;
  for (const [name, value] of Object.entries({ delayMsMax, restMs }))
    if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 31 - 1)
      throw new RangeError(`${name} (${value}) must be a whole number from 1 to ${2 ** 31 - 1}.`);
  let late: { readonly at: number; readonly delayMs: number } | undefined;
  const note = (delayMs: number): void => {
    if (delayMs > delayMsMax) late = { at: monotonicMs(clock), delayMs: Math.round(delayMs) };
  };
  const monitor = new EventLoopMonitor(clock, note);
  monitor.start();
  return {
    async check() {
      // What is overdue now its timer has still to say.
      note(monitor.overdueMs);
      if (!late || monotonicMs(clock) - late.at >= restMs) return { ready: true };
      const { delayMs } = late;
      return { ready: false, details: { delayMs }, reason: new Error(`The event loop was blocked for ${delayMs} ms.`) };
    },
  };
}
