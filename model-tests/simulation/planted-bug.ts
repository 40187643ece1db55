import type { Memory } from '../../adapters/memory/index.ts';
import type { AuthProvider, CheckpointStore, Observation, TaskBridgeClient, TaskBridgeClientOptions } from '../../client/index.ts';
import type { PartPort } from '../../client/parts/index.ts';
import type { ChannelPort } from '../../client/tabs/channels.ts';
import type { OutboxStore } from '../../client/outbox/index.ts';
import type { LiveHub } from '../../server/live/hub.ts';
import type { Store } from '../../server/ports/index.ts';

/** Bugs that are planted around the product, to see that they are found. None: an empty object. */
export interface PlantedBug {
  /** Between the store and whoever sees what is really written. */
  readonly store?: (store: Store, memory: Memory) => Store;
  /** Between a node and its way to the store. */
  readonly way?: (store: Store, memory: Memory) => Store;
  readonly hub?: (hub: LiveHub) => LiveHub;
  readonly iterate?: (observation: Observation) => AsyncIterator<{ readonly eventId: string; readonly type: string }>;
  readonly checkpoints?: (store: CheckpointStore) => CheckpointStore;
  readonly channels?: (channels: ChannelPort) => ChannelPort;
  /** Between a client and its parts. */
  readonly parts?: (port: PartPort) => PartPort;
  readonly fetch?: (fetcher: typeof fetch) => typeof fetch;
  readonly auth?: (provider: AuthProvider) => AuthProvider;
  readonly classify?: TaskBridgeClientOptions['classify'];
  /** Between an outbox and its shelf. */
  readonly shelf?: (store: OutboxStore) => OutboxStore;
  /** Between an outbox and its client. */
  readonly commands?: (commands: OutboxCommands) => OutboxCommands;
}

/** What an outbox needs of a client. */
export type OutboxCommands = Pick<TaskBridgeClient, 'start' | 'act' | 'cancel'>;
