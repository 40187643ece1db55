import { Command, type Cluster, type Pipeline } from 'ioredis';
import type { Router } from './tail/router.ts';
import type { Script } from './scripts/index.ts';

/** One script call of a batch: reads of one bucket. */
export interface BatchCall {
  readonly bucket: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/**
 * Runs a script for many buckets with one write to each master instead of one for each bucket. Gives undefined for a call that met anything but an
 * answer (a moved slot, an unknown script, a lost connection): those are for the caller to send one by one. Gives the error itself for a slot
 * that is moving: to send it again would only be to wait.
 */
export async function readBatch(cluster: Cluster, router: Router, { sha }: Script, calls: readonly BatchCall[]): Promise<unknown[]> {
  const replies: unknown[] = calls.map(() => undefined);
  const placeOf = await router.places();
  const groups = new Map<string, number[]>();
  for (const [index, { bucket }] of calls.entries()) {
    const place = placeOf(bucket);
    if (!place) continue;
    const group = groups.get(place.name);
    if (group) group.push(index);
    else groups.set(place.name, [index]);
  }
  await Promise.all(
    [...groups.values()].map(async (indexes) => {
      // The interface of a pipeline leaves out the one method that takes a command as it is.
      const pipeline = cluster.pipeline() as unknown as Pipeline & { exec(): Promise<[Error | null, unknown][] | null> };
      for (const index of indexes) {
        const { keys, args } = calls[index] ?? { keys: [], args: [] };
        pipeline.sendCommand(new Command('evalsha', [sha, String(keys.length), ...keys, ...args]));
      }
      const results = (await pipeline.exec().catch(() => null)) ?? [];
      for (const [at, index] of indexes.entries()) {
        const [error, reply] = results[at] ?? [undefined, undefined];
        if (error === null) replies[index] = reply;
        else if (error?.message.startsWith('TRYAGAIN')) replies[index] = error;
        else router.forget();
      }
    }),
  );
  return replies;
}
