import type { Clock } from '../clock.ts';

/** No live connection is renewed more often, however short a life its credentials seem to have. */
const REST_MS = 5_000;
/** A longer timer fires at once on most platforms; connections rarely live that long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** When the credentials of one provider are to be renewed. */
export interface Renewal {
  /** Notes credentials as they come; the same ones come once, however often they are given. `text` tells them from others. */
  note(text: string, expiresAt: number | undefined): void;
  /** How long a connection that is opened now waits before it renews them; undefined where nobody knows their end. */
  waitMs(): number | undefined;
}

/**
 * An end is a date, and a device's date may be wrong or be set: it is held against the clock once, when the credentials come, and time goes on
 * from there. Those that are good for less than `renewBeforeMs` are renewed half-way. What seems to be over as it comes has not ended, the
 * device is ahead: nothing is known of its end then, and the server will say.
 */
export function createRenewal(clock: Clock, renewBeforeMs: number): Renewal {
  const time = (): number => clock.monotonic?.() ?? clock.now();
  const restMs = Math.min(renewBeforeMs, REST_MS);
  let known = '';
  let dueAt: number | undefined;
  return {
    note(text, expiresAt) {
      const key = `${expiresAt} ${text}`;
      if (key === known) return;
      known = key;
      const lifeMs = expiresAt === undefined ? 0 : expiresAt - clock.now();
      dueAt = lifeMs > 0 ? time() + Math.max(lifeMs - renewBeforeMs, lifeMs / 2) : undefined;
    },
    waitMs: () => (dueAt === undefined ? undefined : Math.min(Math.max(dueAt - time(), restMs), LONGEST_TIMER_MS)),
  };
}
