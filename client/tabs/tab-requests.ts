import type { HeldRequests } from '../held-requests.ts';
import { refuseNoNumber } from '../known-options.ts';
import { invalidArgument } from '../errors.ts';
import { platformLocks, type LockPort } from './locks.ts';
import { readName } from './options.ts';

/** What the places of several tabs are made of. */
export interface TabRequestsOptions {
  /** Tabs of one name share the places: say, the address of the server. */
  readonly name: string;
  /** Defaults to 4. */
  readonly most?: number;
  /** Defaults to Web Locks. */
  readonly locks?: LockPort;
}

/**
 * So many places for streams and waiting polls over all tabs of a browser, for `heldRequests` of their clients: each place is a lock, and free again
 * however its tab ends. Throws with code `INVALID_ARGUMENT` for a name or number that cannot be right, and where there are no locks.
 */
export function tabRequests({ name, most = 4, locks = platformLocks() }: TabRequestsOptions): HeldRequests {
  readName(name, 'their places');
  refuseNoNumber('most', most, 1);
  if (!locks) throw invalidArgument('There are no Web Locks here: pass locks, or leave `heldRequests` to the client.');
  const places = Array.from({ length: most }, (_, index) => `taskbridge.held.1.${name}/${index}`);
  return {
    async take() {
      for (const place of places) {
        const free = await takePlace(locks, place);
        if (free) return free;
      }
      return undefined;
    },
  };
}

function takePlace(locks: LockPort, place: string): Promise<(() => void) | undefined> {
  return new Promise((resolve) => {
    const free = locks.claim(
      place,
      { held: () => resolve(free), refused: () => resolve(undefined), lost: () => undefined },
      { ifFree: true },
    );
  });
}
