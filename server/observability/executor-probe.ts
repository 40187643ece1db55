import { assertOptionNames, type OptionNames } from '../ports/options.ts';
import { systemClock, type Clock } from '../ports/clock.ts';
import type { ReadinessAnswer, ReadinessProbe } from '../ports/observability.ts';
import { answerOfProbe } from './probe-answer.ts';

/** Options of {@link executorProbe}. */
export interface ExecutorProbeOptions {
  /** The method to call, without arguments. Defaults to `checkHealth`. */
  readonly method?: string;
  /** One that has not answered after that long is not ready, in milliseconds. Defaults to 1000. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/**
 * Asks an executor, or anything else, by a method of the host's choice. It answers a boolean, `[ready, details]` or `{ ready, details }`, or a
 * promise of one; what else it answers, a throw, and a method that is not there are not ready. What it tells beside the boolean goes to the logger
 * where it is not ready, and never into an answer. Executors with a `health` method are asked without this. Throws a `RangeError` for a limit
 * that is no whole number from 1.
 */
export function executorProbe(executor: object, options: ExecutorProbeOptions = {}): ReadinessProbe {
  assertOptionNames(options, { method: true, timeoutMs: true, clock: true } satisfies OptionNames<ExecutorProbeOptions>, 'executorProbe');
  const { method = 'checkHealth', timeoutMs = 1000, clock = systemClock } = options;
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 2 ** 31 - 1)
    throw new RangeError(`timeoutMs (${timeoutMs}) must be a whole number from 1 to ${2 ** 31 - 1}.`);
  const check = async (): Promise<ReadinessAnswer> => {
    // Looked up each time: an executor may be replaced piece by piece.
    const asked: unknown = (executor as Readonly<Record<string, unknown>>)[method];
    if (typeof asked !== 'function') return { ready: false, reason: new Error(`The executor has no method "${method}".`) };
    return answerOf(await (asked.call(executor) as unknown), method);
  };
  return { check: () => answerOfProbe({ check }, timeoutMs, clock) };
}

function answerOf(answer: unknown, method: string): ReadinessAnswer {
  const told = Array.isArray(answer) ? { ready: answer[0] as unknown, details: answer[1] as unknown } : answer;
  const { ready, details } =
    typeof told === 'object' && told !== null ? (told as Record<string, unknown>) : { ready: told, details: undefined };
  if (ready === true) return { ready };
  if (ready === false) return { ready, reason: details ?? new Error(`The executor's "${method}" says that it is not ready.`) };
  return { ready: false, reason: new Error(`The executor's "${method}" must answer a boolean, [boolean, details] or { ready, details }.`) };
}
