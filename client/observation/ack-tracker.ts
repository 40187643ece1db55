import type { CheckpointShare } from '../checkpoints/checkpoint-tracker.ts';
import type { AckPosition, DeliveryBuffer } from './delivery-buffer.ts';

/** What all consumers of one observation have acked with, and the checkpoint with them. */
export interface AckTracker {
  /** Somebody subscribes: from now on notifications count. */
  subscribed(): void;
  /** Subscribers were notified of everything up to here. */
  told(acked: AckPosition): void;
  /** Moves the checkpoint to where the slowest consumer is. */
  settle(): void;
}

/** What acks need. */
export interface AckTrackerDeps {
  readonly share: CheckpointShare;
  readonly buffer: DeliveryBuffer;
  /** True once the log has ended. */
  readonly isDone: () => boolean;
  /** Everything up to the end was acked with. */
  readonly onDone: () => void;
}

/** Follows the slowest of iterators and subscribers. */
export function createAckTracker({ share, buffer, isDone, onDone }: AckTrackerDeps): AckTracker {
  let notified: AckPosition | undefined;
  let hasSubscribers = false;

  function settle(): void {
    const iterated = buffer.ackedByIterators;
    const told = hasSubscribers ? (notified ?? { count: 0, eventId: null }) : undefined;
    const slowest = iterated && told ? (iterated.count < told.count ? iterated : told) : (iterated ?? told);
    if (slowest?.eventId == null) return;
    if (isDone() && slowest.count === buffer.end) {
      share.ended();
      onDone();
    } else share.moved(slowest.eventId);
  }

  return {
    subscribed() {
      hasSubscribers = true;
    },
    told(acked) {
      notified = acked;
    },
    settle,
  };
}
