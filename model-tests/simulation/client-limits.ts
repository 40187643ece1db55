import type { ClientLimits } from '../../client/index.ts';
import type { Sizes } from './plan.ts';

/** Numbers of every client: small ones, so that a history has time for much. */
export function clientLimits({ pollEventsMax, undeliveredMax }: Sizes): Partial<ClientLimits> {
  return {
    openMs: 3_000,
    silentMs: 400,
    muteMs: 1_000,
    livenessMs: 10_000,
    pollWaitMs: 4_000,
    pollGraceMs: 2_000,
    emptyPauseMs: 300,
    backoffBaseMs: 200,
    backoffMaxMs: 2_000,
    climbIntervalMs: 3_000,
    provingMs: 6_000,
    retryAfterMaxMs: 2_000,
    renewBeforeMs: 1_500,
    commandTimeoutMs: 4_000,
    pollEventsMax,
    undeliveredMax,
  };
}
