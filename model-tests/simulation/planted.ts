import type { Memory } from '../../adapters/memory/index.ts';
import type { CheckpointStore, Observation } from '../../client/index.ts';
import type { LiveHub } from '../../server/live/hub.ts';
import type { Store } from '../../server/ports/index.ts';

/** Bugs that are planted around the product, to see that they are found. None: an empty object. */
export interface Planted {
  /** Between the store and whoever sees what is really written. */
  readonly store?: (store: Store, memory: Memory) => Store;
  /** Between a node and its way to the store. */
  readonly way?: (store: Store, memory: Memory) => Store;
  readonly hub?: (hub: LiveHub) => LiveHub;
  readonly iterate?: (observation: Observation) => AsyncIterator<{ readonly eventId: string; readonly type: string }>;
  readonly checkpoints?: (store: CheckpointStore) => CheckpointStore;
}
