import type { Clock } from '../ports/clock.ts';
import type { ReadinessAnswer, ReadinessDetails, ReadinessProbe } from '../ports/observability.ts';

/** Asks a probe. One that throws, or has not answered in time, is not ready, and that is its reason. Never rejects. */
export function answerOfProbe(probe: ReadinessProbe, timeoutMs: number, clock: Clock): Promise<ReadinessAnswer> {
  return new Promise((resolve) => {
    const refuse = (reason: unknown): void => resolve({ ready: false, reason });
    const timer = clock.setTimeout(() => refuse(new Error(`No answer within ${timeoutMs} ms.`)), timeoutMs);
    // A probe may also throw before it gives a promise.
    void Promise.resolve()
      .then(() => probe.check())
      .then(resolve, refuse)
      .finally(() => clock.clearTimeout(timer));
  });
}

/** What the world is told of an answer: its details and how it stands, never its reason. */
export function detailsOf({ ready, details }: ReadinessAnswer): ReadinessDetails {
  return { ...details, status: ready ? 'ready' : 'not_ready' };
}
