import { monotonicMs, type Clock, type Logger } from '../../server/ports/index.ts';
import type { BatchCall } from './cluster-batch.ts';
import { commandFailure } from './command-failure.ts';
import type { RedisConnection } from './connection.ts';
import { buckets } from './keys.ts';
import type { Script } from './scripts/index.ts';

/** What calls to many buckets work with. */
export interface BucketCallsDeps {
  readonly connection: RedisConnection;
  readonly isCluster: boolean;
  /** On a cluster: asks every master once. */
  readonly batch: ((script: Script, calls: readonly BatchCall[]) => Promise<unknown[]>) | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Buckets, or tags of owners, that one script is called for. */
export type BucketGroup = readonly string[];

/** Buckets of a call where they need not lie in one slot: Redis serves nobody else meanwhile. */
const GROUPS = 16;

/** That part of the buckets does not answer is logged no more often than that. */
const LOG_PAUSE_MS = 60_000;

/** All buckets, in the order from a place on: the first ones of all groups come first, then the second ones. */
export function groupsFrom(place: number, isCluster: boolean): readonly BucketGroup[] {
  const inOrder = buckets.map((_, i) => buckets[(place + i) % buckets.length] ?? '');
  if (isCluster) return inOrder.map((bucket) => [bucket]);
  return Array.from({ length: GROUPS }, (_, group) => inOrder.filter((_bucket, i) => i % GROUPS === group));
}

/** Calls a script for groups of buckets. */
export interface BucketCalls {
  /** The replies in the order of the groups, undefined for each that did not answer. Never rejects. */
  ask(script: Script, groups: readonly BucketGroup[], callOf: CallOf): Promise<readonly unknown[]>;
  /** The same, but rejects where none answered; where some did not, it goes on with the others and says so in the log. */
  askMost(script: Script, groups: readonly BucketGroup[], callOf: CallOf): Promise<readonly unknown[]>;
  /** The same, but rejects where one did not answer; while a slot moves it waits for it. */
  askAll(script: Script, groups: readonly BucketGroup[], callOf: CallOf): Promise<readonly unknown[]>;
}

/** Gives the keys and arguments for a group. */
export type CallOf = (group: BucketGroup, index: number) => { readonly keys: readonly string[]; readonly args: readonly string[] };

/** Makes calls to many buckets: on a cluster one for each, batched by its masters. */
export function createBucketCalls({ connection, isCluster, batch, logger, clock }: BucketCallsDeps): BucketCalls {
  let loggedAt: number | undefined;

  /** Whoever `waits` is answered where a slot moves, when it has arrived; others hear at once that it does. */
  async function answers(
    script: Script,
    groups: readonly BucketGroup[],
    callOf: CallOf,
    waits: boolean,
  ): Promise<PromiseSettledResult<unknown>[]> {
    const calls = groups.map((group, i): BatchCall => ({ bucket: group[0] ?? '', ...callOf(group, i) }));
    const replies = isCluster ? ((await batch?.(script, calls).catch(() => undefined)) ?? []) : [];
    return Promise.allSettled(
      calls.map(async ({ keys, args }, i) => {
        const reply = replies[i];
        if (reply instanceof Error && !waits) throw commandFailure(script.name, reply);
        return reply instanceof Error ? connection.run(script, keys, args) : (reply ?? connection.run(script, keys, args));
      }),
    );
  }

  function log(failures: readonly PromiseRejectedResult[], all: number): void {
    const now = monotonicMs(clock);
    if (loggedAt !== undefined && Math.abs(now - loggedAt) < LOG_PAUSE_MS) return;
    loggedAt = now;
    const error: unknown = failures[0]?.reason;
    logger.warn(`A part of Redis does not answer (${failures.length} of ${all} calls): work that lies there waits.`, { error });
  }

  return {
    async ask(script, groups, callOf) {
      return (await answers(script, groups, callOf, false)).map((each) => (each.status === 'fulfilled' ? each.value : undefined));
    },
    async askMost(script, groups, callOf) {
      const settled = await answers(script, groups, callOf, false);
      const failures = settled.filter((each) => each.status === 'rejected');
      if (failures[0] && failures.length === settled.length) throw failures[0].reason;
      if (failures.length > 0) log(failures, settled.length);
      return settled.map((each) => (each.status === 'fulfilled' ? each.value : undefined));
    },
    async askAll(script, groups, callOf) {
      return (await answers(script, groups, callOf, true)).map((each) => {
        if (each.status === 'rejected') throw each.reason;
        return each.value;
      });
    },
  };
}

/** Sorts the places of items into groups, in their order: those of one key, no more than so many in each. */
export function grouped<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  most = Number.POSITIVE_INFINITY,
): readonly (readonly number[])[] {
  const groups: number[][] = [];
  const open = new Map<string, number[]>();
  for (const [place, item] of items.entries()) {
    const key = keyOf(item);
    const group = open.get(key);
    if (group && group.length < most) {
      group.push(place);
      continue;
    }
    const own = [place];
    groups.push(own);
    open.set(key, own);
  }
  return groups;
}
