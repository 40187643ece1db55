import { assertOptionNames, type OptionNames } from '../ports/options.ts';
import { systemClock, type Clock } from '../ports/clock.ts';
import type { AttachmentStore } from '../ports/attachments.ts';
import type { ReadinessProbe } from '../ports/observability.ts';
import { answerOfProbe } from './probe-answer.ts';

/** Options of {@link attachmentsProbe}. */
export interface AttachmentsProbeOptions {
  /** One that has not answered after that long is not ready, in milliseconds. Defaults to 1000; below `http.probeTimeoutMs`. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/**
 * Asks a store of attachments whose files it has: one read. A host adds it where a node is of no use without its files; where all nodes share that store,
 * its outage takes all of them out of service, creates without files too. Throws a `RangeError` for a limit that is no whole number from 1.
 */
export function attachmentsProbe(attachments: Pick<AttachmentStore, 'storeId'>, options: AttachmentsProbeOptions = {}): ReadinessProbe {
  assertOptionNames(options, { timeoutMs: true, clock: true } satisfies OptionNames<AttachmentsProbeOptions>, 'attachmentsProbe');
  const { timeoutMs = 1000, clock = systemClock } = options;
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 2 ** 31 - 1)
    throw new RangeError(`timeoutMs (${timeoutMs}) must be a whole number from 1 to ${2 ** 31 - 1}.`);
  const check = async (): Promise<{ readonly ready: true }> => {
    await attachments.storeId();
    return { ready: true };
  };
  return { check: () => answerOfProbe({ check }, timeoutMs, clock) };
}
