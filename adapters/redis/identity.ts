import type { ServerChance, Logger } from '../../server/ports/index.ts';
import type { RedisConnection } from './connection.ts';
import type { Keys } from './keys.ts';
import { listOf, textOf } from './reply.ts';
import { identity, time } from './scripts/index.ts';

/**
 * The version of the keys and hashes, which stands as `v` beside the id; without it they are of 0.1.0. Version 2 reads the tasks of 0.1.0 and
 * writes each anew with its next commit.
 */
export const REDIS_LAYOUT_VERSION = 2;

/** Knows a store by an id of its own, and so notices when it is another one: emptied, restarted without its data, or behind another address. */
export interface Identity {
  /**
   * Gives the store an id where it has none, and remembers it. Where Redis takes no writes now, that is done later. Rejects where a newer release has
   * written there.
   */
  open(): Promise<void>;
  /** The id; gives the store one where it has none. Rejects where Redis does not answer, or takes no writes and has none. */
  id(): Promise<string>;
  /** The store's time, in milliseconds since the epoch. Looks at the id on the way. */
  now(): Promise<number>;
}

/** What the identity works with. */
export interface IdentityDeps {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly chance: ServerChance;
  readonly logger: Logger;
  /** All that was known of the store is of another one. */
  replaced(): void;
}

/** The id is looked at whenever the store is asked for its time, which every node does all the time. */
export function createIdentity({ connection, keys, chance, logger, replaced }: IdentityDeps): Identity {
  let known: string | undefined;

  /** An emptied store gets another id than it had, so that every node notices. */
  async function claim(): Promise<{ readonly id: string; readonly layout: number }> {
    const drawn = [chance.hex(32), JSON.stringify({ v: REDIS_LAYOUT_VERSION })];
    const [id = '', layout = ''] = listOf(await connection.run(identity, [keys.store], drawn)).map(textOf);
    // Written here only.
    return { id, layout: (JSON.parse(layout) as { readonly v: number }).v };
  }

  function compare(id: string): void {
    const before = known;
    known = id;
    if (before === undefined || before === id) return;
    logger.error(
      'Redis has lost everything that this store had in it (FLUSHALL, a restart without its data), or another one took its place: its tasks are gone.',
      {
        was: before,
        is: id,
      },
    );
    replaced();
  }

  return {
    async open() {
      // What takes no writes now has been warned of; the next look at the time tries again.
      const claimed = await claim().catch(() => undefined);
      if (!claimed) return;
      if (claimed.layout > REDIS_LAYOUT_VERSION)
        throw new Error(
          `The store in Redis has layout ${claimed.layout}, and this release knows layouts up to ${REDIS_LAYOUT_VERSION}. Open it with the release that wrote it, or a newer one.`,
        );
      compare(claimed.id);
    },
    async id() {
      const { id } = await claim();
      compare(id);
      return id;
    },
    async now() {
      const [seconds, microseconds, id] = listOf(await connection.run(time, [keys.store])).map(textOf);
      if (id) compare(id);
      // What refuses a write says so to whoever writes; whoever asks for the time has it.
      else
        await claim().then(
          (claimed) => compare(claimed.id),
          () => undefined,
        );
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    },
  };
}
