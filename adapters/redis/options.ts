import {
  assertOptionNames,
  type OptionNames,
  faultLogger,
  hostLogger,
  systemChance,
  systemClock,
  type ServerChance,
  type Clock,
  type Logger,
} from '../../server/ports/index.ts';

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /** What all keys and channels begin with. Two hosts with different prefixes can share a server. Defaults to `taskbridge`. */
  readonly prefix?: string;
  /** How long `open` waits for Redis, in milliseconds. Defaults to 5000. */
  readonly openTimeoutMs?: number;
  /**
   * How long a command may take before it is given up with an unknown outcome, in milliseconds. The time that the client needs to connect again
   * counts. A connection on which nothing at all was answered for so long is left for a new one. Defaults to 5000.
   */
  readonly commandTimeoutMs?: number;
  /**
   * Commits with more bytes of facts than that are announced to the other nodes, which read them; smaller ones travel in the announcement.
   * Defaults to 64 KiB.
   */
  readonly messageBytesMax?: number;
  /** Told of failures that were survived, and of a server that may throw keys away. Defaults to the console. */
  readonly logger?: Logger;
  /** What time-outs are measured by; the store's own time is Redis's. Defaults to the machine's. */
  readonly clock?: Clock;
  /** The jitter of connections that are opened again. Defaults to the system's. */
  readonly chance?: ServerChance;
}

/** The defaults of {@link RedisStoreOptions}. */
export const redisDefaults = { prefix: 'taskbridge', openTimeoutMs: 5000, commandTimeoutMs: 5000, messageBytesMax: 64 * 1024 } as const;

const names: OptionNames<RedisStoreOptions> = {
  prefix: true,
  openTimeoutMs: true,
  commandTimeoutMs: true,
  messageBytesMax: true,
  logger: true,
  clock: true,
  chance: true,
};

/** Fills in the defaults. Throws a `RangeError` that names the option for a value that cannot work, a `TypeError` for one that there is not. */
export function redisOptions(given: RedisStoreOptions): Required<RedisStoreOptions> {
  assertOptionNames(given, names, 'redisStore');
  const logger = faultLogger(hostLogger(given.logger), given.clock ?? systemClock);
  const options = { ...redisDefaults, clock: systemClock, chance: systemChance, ...given, logger };
  for (const name of ['openTimeoutMs', 'commandTimeoutMs', 'messageBytesMax'] as const)
    if (!Number.isSafeInteger(options[name]) || options[name] < (name === 'messageBytesMax' ? 0 : 1))
      throw new RangeError(`${name} (${options[name]}) must be a whole number of at least ${name === 'messageBytesMax' ? 0 : 1}.`);
  return options;
}
