import type { LoadedTask, LogPage } from '../../server/ports/index.ts';
import type { Appender } from './appender.ts';
import type { BucketCalls } from './calls.ts';
import type { RedisConnection } from './connection.ts';
import type { Heads } from './heads.ts';
import type { Flusher } from './lanes.ts';
import type { Keys } from './keys.ts';
import type { ReadCache } from './read-cache.ts';
import type { TurnReads } from './turn-reads.ts';
import type { Script } from './scripts/index.ts';
import type { Taker } from './work-queue.ts';

/** What the verbs of the store work with. */
export interface StoreDeps {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly heads: Heads;
  readonly loads: ReadCache<LoadedTask>;
  readonly pages: ReadCache<LogPage>;
  /** Reads of tasks and of logs under way to Redis; undefined where what is asked is sent at once. */
  readonly turnLoads: TurnReads<LoadedTask | undefined> | undefined;
  readonly turnPages: TurnReads<LogPage | undefined> | undefined;
  readonly isCluster: boolean;
  readonly calls: BucketCalls;
  readonly take: Taker;
  readonly append: Appender;
  readonly flush: Flusher;
  readonly create: Script;
}
