import { LONGEST_TIMER_MS, monotonicNow, type Clock } from '../clock.ts';

/** Nothing is renewed sooner than that, however little seems to be left of it. */
const REST_MS = 5_000;

/** When the credentials of one provider are to be renewed. */
export interface CredentialsRenewal {
  /** Notes credentials as they come; the same ones come once, however often they are given. `text` tells them from others. */
  note(text: string, expiresAt: number | undefined): void;
  /** How long a connection that is opened now waits before it renews them; undefined where it leaves that to the server's word. */
  waitMs(): number | undefined;
}

/**
 * An end is a date, and a device's date may be wrong, or be set: it is held against the clock once, when the credentials come, and time goes on
 * from there. What is good for less than `renewBeforeMs` is renewed half-way. Where that is at once, there is little sense in it: the device is
 * ahead, or the provider gives what it gave before. The server ends such a connection, and a 401 has others fetched.
 */
export function createRenewal(clock: Clock, renewBeforeMs: number): CredentialsRenewal {
  const time = (): number => monotonicNow(clock);
  const restMs = Math.min(renewBeforeMs / 2, REST_MS);
  let known = '';
  let endsAt = Number.NaN;
  return {
    note(text, expiresAt = Number.NaN) {
      const key = `${expiresAt} ${text}`;
      if (key === known) return;
      known = key;
      endsAt = time() + expiresAt - clock.now();
    },
    waitMs() {
      const leftMs = endsAt - time();
      const waitMs = Math.max(leftMs - renewBeforeMs, leftMs / 2);
      return waitMs >= restMs ? Math.min(waitMs, LONGEST_TIMER_MS) : undefined;
    },
  };
}
