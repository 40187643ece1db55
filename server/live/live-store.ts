import type { EventStore, Store } from '../ports/store.ts';

/** What the live path reads: logs, and where the store keeps them the bytes of parts. */
export type LiveStore = EventStore & Pick<Store, 'lanes'>;
