import type { Share } from '../checkpoints/keeper.ts';
import type { Dealt, Journal } from './journal.ts';

/** What all consumers of one observation have dealt with, and the checkpoint with them. */
export interface Dealings {
  /** Somebody subscribes: from now on notifications count. */
  subscribed(): void;
  /** Subscribers were notified of everything up to here. */
  told(dealt: Dealt): void;
  /** Moves the checkpoint to where the slowest consumer is. */
  settle(): void;
}

/** What dealings need. */
export interface DealingsOptions {
  readonly share: Share;
  readonly journal: Journal;
  /** True once the log has ended. */
  readonly isDone: () => boolean;
  /** Everything up to the end was dealt with. */
  readonly onDone: () => void;
}

/** Follows the slowest of iterators and subscribers. */
export function createDealings({ share, journal, isDone, onDone }: DealingsOptions): Dealings {
  let notified: Dealt | undefined;
  let hasSubscribers = false;

  function settle(): void {
    const iterated = journal.dealtByIterators;
    const told = hasSubscribers ? (notified ?? { count: 0, eventId: null }) : undefined;
    const slowest = iterated && told ? (iterated.count < told.count ? iterated : told) : (iterated ?? told);
    if (slowest?.eventId == null) return;
    if (isDone() && slowest.count === journal.end) {
      share.ended();
      onDone();
    } else share.moved(slowest.eventId);
  }

  return {
    subscribed() {
      hasSubscribers = true;
    },
    told(dealt) {
      notified = dealt;
    },
    settle,
  };
}
