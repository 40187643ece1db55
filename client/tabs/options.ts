import type { Inspect } from '../../machines/index.ts';
import { platformChance, platformClock, type Chance, type Clock } from '../clock.ts';
import { invalidArgument } from '../errors.ts';
import { safeInspect } from '../hooks.ts';
import { readLimits, refuseUnknown, type KnownOptions } from '../known-options.ts';
import { multiplexed } from '../transports/multiplexed.ts';
import { platformSockets, type SocketPort } from '../transports/socket.ts';
import { platformChannels, type ChannelPort } from './channels.ts';
import { platformLocks, type LockPort } from './locks.ts';

/** Numbers, with their units in the names. */
export interface TabLimits {
  /** How often a tab asks the leader whether it is there. Defaults to 5000. */
  readonly pulseMs: number;
  /** A leader that answers two questions in a row not within this time each has its lock taken away. Defaults to 5000. */
  readonly silenceMs: number;
  /** A leader whose sockets were asked for something, and were not heard for so long, does not answer: they are dead. Defaults to 40000. */
  readonly deafMs: number;
  /** A tab that the leader did not hear for so long is forgotten. Browsers let a hidden page ask once a minute. Defaults to 180000. */
  readonly absentMs: number;
  /** Tabs beside the leader; further ones fall back to another transport. Defaults to 32. */
  readonly tabsMax: number;
  /** Virtual sockets of one tab; further ones are refused with 429. Defaults to 256. */
  readonly socketsMax: number;
  /**
   * What may be on its way to one tab. A tab that takes less (frozen, too busy) has its sockets cut, and comes back by itself from where it is.
   * Defaults to 4 Mi.
   */
  readonly untakenCharactersMax: number;
}

/** The numbers of tabs that were told nothing. */
export const defaultTabLimits: TabLimits = {
  pulseMs: 5_000,
  silenceMs: 5_000,
  deafMs: 40_000,
  absentMs: 180_000,
  tabsMax: 32,
  socketsMax: 256,
  untakenCharactersMax: 4 * 1024 * 1024,
};

/** All that tabs may be told. Only `name` must be. */
export interface TabSocketsOptions {
  /**
   * Who uses these tabs: all tabs of this name share one connection, made with the credentials of one of them. It must tell users apart; two
   * users with one name would see each other's tasks.
   */
  readonly name: string;
  /** Where the leader's sockets come from. Defaults to the platform's, multiplexed: one for all tasks. */
  readonly sockets?: SocketPort;
  /** Defaults to Web Locks; `null` for none: each tab is alone. */
  readonly locks?: LockPort | null;
  /** Defaults to `BroadcastChannel`; `null` for none: each tab is alone. */
  readonly channels?: ChannelPort | null;
  /** XState inspection: sees this tab's chart, as `tab/<its id>`. What it throws is ignored. */
  readonly inspect?: Inspect;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly limits?: Partial<TabLimits>;
}

const known: KnownOptions<TabSocketsOptions> = {
  name: true,
  sockets: true,
  locks: true,
  channels: true,
  inspect: true,
  clock: true,
  chance: true,
  limits: true,
};

/** Options, checked and complete. */
export interface TabSettings {
  readonly name: string;
  readonly sockets: SocketPort;
  readonly locks: LockPort | undefined;
  readonly channels: ChannelPort | undefined;
  readonly inspect: Inspect | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly limits: TabLimits;
}

/** Checks the options once. Throws with code `INVALID_ARGUMENT` and says what and why. */
export function readTabOptions(options: TabSocketsOptions): TabSettings {
  refuseUnknown(options, known);
  const { name, locks = platformLocks(), channels = platformChannels() } = options;
  readName(name, 'a connection, and the credentials of one of them');
  const limits = readLimits(options.limits, defaultTabLimits);
  if (limits.absentMs <= limits.pulseMs)
    throw invalidArgument(
      `limits.absentMs (${limits.absentMs}) must be above pulseMs (${limits.pulseMs}), else tabs are forgotten between two questions.`,
    );
  const Constructor = globalThis.WebSocket as typeof WebSocket | undefined;
  const sockets = options.sockets ?? (Constructor && multiplexed(platformSockets(Constructor)));
  if (!sockets) throw invalidArgument('There is no global WebSocket here: pass sockets.');
  return {
    name,
    sockets,
    locks: locks ?? undefined,
    channels: channels ?? undefined,
    inspect: safeInspect(options.inspect),
    clock: options.clock ?? platformClock,
    chance: options.chance ?? platformChance,
    limits,
  };
}

/** Refuses what is no name, or an empty one; `shared` is what tabs of one name share. */
export function readName(name: unknown, shared: string): void {
  if (typeof name !== 'string' || name.trim() === '') throw invalidArgument(`name must be text: tabs of one name share ${shared}.`);
}
