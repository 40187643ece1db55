import type { ServerChance, Logger } from '../../server/ports/index.ts';
import type { RedisConnection } from './connection.ts';
import type { Keys } from './keys.ts';
import { listOf, textOf } from './reply.ts';
import { identity, time } from './scripts/index.ts';

/** Knows a store by an id of its own, and so notices when it is another one: emptied, restarted without its data, or behind another address. */
export interface Identity {
  /** Gives the store an id where it has none, and remembers it. Where Redis takes no writes now, that is done later. */
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
  async function claim(): Promise<string> {
    return textOf(await connection.run(identity, [keys.store], [chance.hex(32)]));
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
      await claim().then(compare, () => undefined);
    },
    async id() {
      const id = await claim();
      compare(id);
      return id;
    },
    async now() {
      const [seconds, microseconds, id] = listOf(await connection.run(time, [keys.store])).map(textOf);
      if (id) compare(id);
      // What refuses a write says so to whoever writes; whoever asks for the time has it.
      else await claim().then(compare, () => undefined);
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    },
  };
}
