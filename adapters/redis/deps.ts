import type { LoadedTask, LogPage } from '../../server/ports/index.ts';
import type { Appender } from './appender.ts';
import type { BucketCalls } from './calls.ts';
import type { RedisConnection } from './connection.ts';
import type { Heads } from './heads.ts';
import type { Flusher } from './lanes.ts';
import type { Keys } from './keys.ts';
import type { ReadCache } from './read-cache.ts';
import type { Script } from './scripts/index.ts';
import type { Taker } from './work-queue.ts';

/** What the verbs of the store work with. */
export interface StoreDeps {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly heads: Heads;
  readonly loads: ReadCache<LoadedTask>;
  readonly pages: ReadCache<LogPage>;
  readonly isCluster: boolean;
  readonly calls: BucketCalls;
  readonly take: Taker;
  readonly append: Appender;
  readonly flush: Flusher;
  readonly create: Script;
}
