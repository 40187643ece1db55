import { monotonicMs, type Clock } from '../ports/clock.ts';
import type { ReadinessAnswer, ReadinessDetails, ReadinessProbe } from '../ports/observability.ts';

/** Asks a probe. One that throws, has not answered in time, or answers what cannot be told, is not ready, and that is its reason. Never rejects. */
export function answerOfProbe(probe: ReadinessProbe, timeoutMs: number, clock: Clock): Promise<ReadinessAnswer> {
  return new Promise((resolve) => {
    const refuse = (reason: unknown): void => resolve({ ready: false, reason });
    const timer = clock.setTimeout(() => refuse(new Error(`No answer within ${timeoutMs} ms.`)), timeoutMs);
    // A probe may also throw before it gives a promise.
    void Promise.resolve()
      .then(() => probe.check())
      .then(readAnswer)
      .then(resolve, refuse)
      .finally(() => clock.clearTimeout(timer));
  });
}

/**
 * A probe that is asked once at a time: as long as it has not answered, whoever asks waits for that answer. One that hangs is asked again after
 * `againMs`, since what it waits for may never come.
 */
export function askedOnce(probe: ReadinessProbe, againMs: number, clock: Clock): ReadinessProbe {
  let open: { readonly answer: Promise<ReadinessAnswer>; readonly askedAt: number } | undefined;
  return {
    check() {
      const now = monotonicMs(clock);
      if (open && now - open.askedAt < againMs) return open.answer;
      // A probe may also throw before it gives a promise.
      const mine = { answer: Promise.resolve().then(() => probe.check()), askedAt: now };
      const over = (): void => void (open === mine && (open = undefined));
      mine.answer.then(over, over);
      open = mine;
      return mine.answer;
    },
  };
}

/** A probe's answer as it may go into JSON: read once, here, where a getter, a cycle or a `BigInt` in it is still the fault of the probe. */
function readAnswer(answer: ReadinessAnswer | null | undefined): ReadinessAnswer {
  if (typeof answer !== 'object' || answer === null) throw new Error('A probe must answer { ready, details }.');
  const { ready, details, reason } = answer;
  if (typeof details !== 'object' || details === null) return { ready, reason };
  // Undefined where a `toJSON` gives nothing.
  const json = JSON.stringify(details) as string | undefined;
  return { ready, reason, ...(json !== undefined && { details: JSON.parse(json) as ReadinessDetails }) };
}

/** What the world is told of an answer: its details and how it stands, never its reason. */
export function detailsOf({ ready, details }: ReadinessAnswer): ReadinessDetails {
  return { ...details, status: ready ? 'ready' : 'not_ready' };
}
