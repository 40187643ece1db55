import type { Inspect } from '../../machines/index.ts';
import { platformChance, platformClock, type Chance, type Clock } from '../clock.ts';
import { invalidArgument } from '../errors.ts';
import { browserGate, type Gate } from '../gate.ts';
import { guardGate, safeInspect } from '../hooks.ts';
import { readLimits, refuseUnknown, type KnownOptions } from '../known-options.ts';
import { platformChannels, type ChannelPort } from '../tabs/channels.ts';
import { platformLocks, processLocks, type LockPort } from '../tabs/locks.ts';
import type { OutboxStore } from './store.ts';

/** Numbers, with their units in the names. */
export interface OutboxLimits {
  /** Commands that may wait. Defaults to 100. */
  readonly pendingMax: number;
  /** The same in bytes: JSON and attachments. Defaults to 8 MiB. */
  readonly bytesMax: number;
  /** A command that waits longer is given up. Defaults to 24 hours. */
  readonly ageMsMax: number;
  /** How many are kept of what became of commands, until they are dismissed; the oldest go first. Defaults to 100. */
  readonly outcomesMax: number;
  /** Rest after a passing failure; doubled for each in a row, with jitter of up to a fifth. Never below a `Retry-After`. Defaults to 1000. */
  readonly restBaseMs: number;
  /** Longest such rest, before jitter. Defaults to 60000. */
  readonly restMaxMs: number;
  /** A tab that holds the lock and changes nothing for so long has it taken away. Defaults to 120000. */
  readonly patienceMs: number;
}

/** The numbers of an outbox that was told nothing. */
export const defaultOutboxLimits: OutboxLimits = {
  pendingMax: 100,
  bytesMax: 8 * 1024 * 1024,
  ageMsMax: 24 * 60 * 60 * 1000,
  outcomesMax: 100,
  restBaseMs: 1_000,
  restMaxMs: 60_000,
  patienceMs: 120_000,
};

/** All that an outbox may be told. Only `store` must be. */
export interface OutboxOptions {
  /** Where commands are kept: `indexedDbOutbox({ name })`, `webStorageOutbox(localStorage, { name })`, `memoryOutbox(name)`. */
  readonly store: OutboxStore;
  /** Says when there is any use in trying. Give it the client's. Defaults to `browserGate()`, which is open where nothing says otherwise. */
  readonly gate?: Gate;
  /** Defaults to Web Locks; where there are none, to locks within this process. */
  readonly locks?: LockPort;
  /** How other tabs hear of changes. Defaults to `BroadcastChannel`; `null` for none. */
  readonly channels?: ChannelPort | null;
  /** XState inspection: sees the outbox's chart as `outbox/<name of the store>`, and beneath it `entries.<id>` for each command that moves. What it throws is ignored. */
  readonly inspect?: Inspect;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly limits?: Partial<OutboxLimits>;
}

const known: KnownOptions<OutboxOptions> = {
  store: true,
  gate: true,
  locks: true,
  channels: true,
  inspect: true,
  clock: true,
  chance: true,
  limits: true,
};

/** Options, checked and complete. */
export interface OutboxSettings {
  readonly store: OutboxStore;
  readonly gate: Gate;
  readonly locks: LockPort;
  readonly channels: ChannelPort | undefined;
  readonly inspect: Inspect | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly limits: OutboxLimits;
}

/** Outboxes of one process take turns also where the platform has no locks. */
const withinProcess = processLocks();

/** Checks the options once. Throws with code `INVALID_ARGUMENT` and says what and why. */
export function readOutboxOptions(options: OutboxOptions): OutboxSettings {
  refuseUnknown(options, known);
  const limits = readLimits(options.limits, defaultOutboxLimits, 'outcomesMax');
  const { store, channels = platformChannels() } = options;
  if (typeof store?.name !== 'string' || store.name.trim() === '')
    throw invalidArgument('store must have a name that tells users apart: one must not send what another left.');
  return {
    store,
    gate: guardGate(options.gate ?? browserGate()),
    locks: options.locks ?? platformLocks() ?? withinProcess,
    channels: channels ?? undefined,
    inspect: safeInspect(options.inspect),
    clock: options.clock ?? platformClock,
    chance: options.chance ?? platformChance,
    limits,
  };
}
