import type { DueTask } from '../../server/ports/index.ts';
import type { BatchCall } from './cluster-batch.ts';
import type { RedisConnection } from './connection.ts';
import { bucketOf, buckets, type Keys } from './keys.ts';
import { listOf, textOf } from './reply.ts';
import { due, type Script } from './scripts/index.ts';

/** What the search works with. */
export interface DueDeps {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly isCluster: boolean;
  /** On a cluster: asks every master once. */
  readonly batch: ((script: Script, calls: readonly BatchCall[]) => Promise<unknown[]>) | undefined;
}

/** Asked of each bucket at once, at least: tasks spread over the buckets by chance. */
const SHARE_MIN = 4;

/** Where the search of one bucket goes on. */
interface Search {
  readonly bucket: string;
  readonly after: DueTask | undefined;
}

/**
 * Tasks that are due, over all buckets. Each bucket is asked for a small share; what a bucket held back could come before what others gave, so
 * only tasks before that are certain, and the buckets that hold back are asked again until enough are. Where nothing is due, that is one
 * round trip, and one short reply.
 */
export async function findDue(deps: DueDeps, until: number, limit: number, after: DueTask | undefined): Promise<readonly DueTask[]> {
  const share = Math.max(SHARE_MIN, Math.ceil(limit / 32));
  const found: DueTask[] = [];
  let open: readonly Search[] = buckets.map((bucket) => ({ bucket, after: startIn(bucket, after) }));
  for (;;) {
    const pages = await ask(deps, open, until, share);
    const held: { readonly bucket: string; readonly last: DueTask }[] = [];
    for (const [i, page] of pages.entries()) {
      found.push(...page);
      const [last, bucket] = [page.at(-1), open[i]?.bucket];
      if (page.length === share && last && bucket !== undefined) held.push({ bucket, last });
    }
    found.sort(compareDue);
    const bounds = held.map(({ last }) => last).sort(compareDue);
    const [bound] = bounds;
    if (!bound) return found.slice(0, limit);
    const beyond = found.findIndex((task) => compareDue(task, bound) > 0);
    if ((beyond === -1 ? found.length : beyond) >= limit) return found.slice(0, limit);
    open = held.map(({ bucket, last }) => ({ bucket, after: last }));
  }
}

async function ask(deps: DueDeps, searches: readonly Search[], until: number, most: number): Promise<DueTask[][]> {
  const pages: DueTask[][] = searches.map(() => []);
  const { connection, isCluster, batch } = deps;
  const callOf = (some: readonly Search[]): BatchCall => ({
    bucket: some[0]?.bucket ?? '',
    keys: some.map(({ bucket }) => deps.keys.due(bucket)),
    args: [
      String(until),
      String(most),
      ...some.flatMap(({ after }) => [after === undefined ? '-inf' : leastOf(after), after?.taskId ?? '']),
    ],
  });
  const take = (first: number, reply: unknown): void => {
    for (const each of listOf(reply)) {
      const [index, ...texts] = listOf(each);
      const page = pages[first + Number(index) - 1];
      for (let at = 0; at < texts.length; at += 2) page?.push({ taskId: textOf(texts[at]), dueAt: Number(textOf(texts[at + 1])) });
    }
  };
  // On a cluster each bucket is a slot of its own.
  const calls = isCluster ? searches.map((search) => callOf([search])) : [callOf(searches)];
  const replies = (await batch?.(due, calls).catch(() => undefined)) ?? [];
  await Promise.all(calls.map(async ({ keys, args }, i) => take(i, replies[i] ?? (await connection.run(due, keys, args)))));
  return pages;
}

/** Where a bucket's part of what follows a position begins: a task of the position's own time follows it by its id. */
function startIn(bucket: string, after: DueTask | undefined): DueTask | undefined {
  if (!after) return undefined;
  const own = bucketOf(after.taskId);
  if (bucket === own) return after;
  return { dueAt: after.dueAt, taskId: bucket > own ? '' : LAST_ID };
}

/** Follows every task id. */
const LAST_ID = 'g';

function leastOf({ dueAt, taskId }: DueTask): string {
  return taskId === LAST_ID ? `(${dueAt}` : String(dueAt);
}

function compareDue(a: DueTask, b: DueTask): number {
  return a.dueAt - b.dueAt || (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0);
}
