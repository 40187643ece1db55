import type { Gap } from '../../machines/index.ts';
import type { TransportName } from '../ports/observability.ts';
import type { Entry } from '../ports/store.ts';

/** One open connection that watches one task, as the live path sees it. Implemented by each transport; knows nothing of logs. */
export interface Viewer {
  readonly transport: TransportName;
  /** Sends facts in their order; all that one tick has goes out in one write. */
  facts(entries: readonly Entry[]): void;
  /** Says that the cursor could not be continued from. Does nothing for a client that did not ask to be told. */
  gap(gap: Gap): void;
  heartbeat(): void;
  /** Bytes that were handed over and not yet taken by the network. */
  pendingBytes(): number;
  /** Calls back, once, when there is nothing unsent any more. */
  onDrain(callback: () => void): void;
  /** The log has ended and all of it was sent: close in the transport's proper way. */
  end(): void;
  /** Breaks the connection without any goodbye, so that the client comes back to the same transport. */
  cut(): void;
}
