import type { CheckpointHandle } from '../checkpoints/checkpoint-tracker.ts';
import type { AckPosition, DeliveryBuffer } from './delivery-buffer.ts';

/** How far all consumers of one observation have come, and the checkpoint with the slowest of them. */
export interface AckTracker {
  /** Somebody subscribes: from now on notifications count. */
  subscribed(): void;
  /** Subscribers were notified of everything up to here. */
  notified(position: AckPosition): void;
  /** Moves the checkpoint to where the slowest consumer is. */
  moveCheckpoint(): void;
}

/** What acks are tracked with. */
export interface AckTrackerDeps {
  readonly checkpoint: CheckpointHandle;
  readonly buffer: DeliveryBuffer;
  /** True once the log has ended. */
  readonly isDone: () => boolean;
  /** Everything up to the end was acknowledged. */
  readonly onDone: () => void;
}

/** Follows the slowest of iterators and subscribers. */
export function createAckTracker({ checkpoint, buffer, isDone, onDone }: AckTrackerDeps): AckTracker {
  let lastNotified: AckPosition = { count: 0, eventId: null };
  let hasSubscribers = false;

  return {
    subscribed() {
      hasSubscribers = true;
    },
    notified(position) {
      lastNotified = position;
    },
    moveCheckpoint() {
      const iterated = buffer.ackedByIterators;
      const told = hasSubscribers ? lastNotified : undefined;
      const slowest = iterated && told ? (iterated.count < told.count ? iterated : told) : (iterated ?? told);
      if (slowest?.eventId == null) return;
      if (isDone() && slowest.count === buffer.end) {
        checkpoint.ended();
        onDone();
      } else checkpoint.moved(slowest.eventId);
    },
  };
}
