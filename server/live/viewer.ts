import type { Gap } from '../../machines/wire/index.ts';
import type { ViewerTransport } from '../ports/observability.ts';
import type { Entry } from '../ports/store.ts';
import type { BatchSizes } from './batch-sizes.ts';
import type { Semaphore } from './semaphore.ts';

/** What the viewers of one connection that shows several tasks have in common; each of them has the same one. */
export interface Sharing {
  /** Viewers of the connection, now. */
  readonly viewers: number;
  /** Who of them may read the log: a connection has room for few pages at once. */
  readonly reads: Semaphore;
}

/**
 * One open connection that watches one task, as the live path sees it. Implemented by each transport; knows nothing of logs. No verb
 * throws where the connection is gone: it does nothing then.
 */
export interface Viewer {
  readonly transport: ViewerTransport;
  /** Whose connection it is. */
  readonly owner: string;
  /** How many facts it takes at once. */
  readonly batches: BatchSizes;
  /** Undefined where the connection shows one task. With it, `pendingBytes` and `takenBytes` are those of all viewers together. */
  readonly sharing?: Sharing | undefined;
  /** Sends facts in their order, in one write. Viewers that get the same array of one tick share what was made of it. */
  facts(entries: readonly Entry[]): void;
  /**
   * Sends frames of parts, in the same order as facts. They move no cursor of facts. Absent where the transport has none; called only for a client that asked for
   * parts.
   */
  parts?(frames: readonly Entry[]): void;
  /** Says that the log could not be continued after the cursor. Does nothing for a client that did not ask to be told. */
  gap(gap: Gap): void;
  /** Shows that the connection lives. False where it has no heartbeats, and nothing was sent. */
  heartbeat(): boolean;
  /** Bytes that were handed over and not yet taken by the network. */
  pendingBytes(): number;
  /** Bytes that the network has taken since the connection opened; never falls, so that a standstill is seen. */
  takenBytes(): number;
  /** Calls back, once and in a later turn of the event loop, when there is nothing unsent any more. Never, where the connection breaks. */
  onDrain(callback: () => void): void;
  /** The log has ended and all of it was sent: close in the transport's proper way. */
  end(): void;
  /** Breaks the connection without any goodbye, so that the client comes back to the same transport. */
  cut(): void;
  /** The log cannot be shown on: like `cut`, but the other viewers of a shared connection stay. */
  cutTask(): void;
}
