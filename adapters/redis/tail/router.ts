import { Command, type Cluster, type Redis } from 'ioredis';
import { listOf, textOf } from '../reply.ts';

/** The server that tells of a bucket's tasks. */
export interface Place {
  /** The same text for the same server. */
  readonly name: string;
  readonly client: Redis;
}

/** Finds out which server has a bucket. */
export interface Router {
  /** Rejects where nobody knows. */
  places(): Promise<(bucket: string) => Place | undefined>;
  /** What was known is no longer so. */
  forget(): void;
}

/** Gives what a server is asked its limit. */
export type Limited = <T>(answer: Promise<T>) => Promise<T>;

/** Routes: on a single server everything is there; a cluster is asked once, and again when something has moved. */
export function createRouter(redis: Redis | Cluster, limited: Limited): Router {
  if (!isCluster(redis)) {
    const place: Place = { name: 'only', client: redis };
    return { places: async () => () => place, forget: () => undefined };
  }
  let known: Promise<(bucket: string) => Place | undefined> | undefined;
  return {
    places() {
      known ??= askCluster(redis, limited).catch((error: unknown) => {
        known = undefined;
        throw error;
      });
      return known;
    },
    forget() {
      known = undefined;
    },
  };
}

/** Tells the two kinds of client apart. */
export function isCluster(redis: Redis | Cluster): redis is Cluster {
  return redis.isCluster;
}

async function askCluster(cluster: Cluster, limited: Limited): Promise<(bucket: string) => Place | undefined> {
  const masters = cluster.nodes('master');
  // By their own ids: the addresses that servers give of each other need not be the ones that this process reaches them by.
  const named = await Promise.allSettled(
    masters.map(async (client): Promise<Place> => ({ client, name: await limited(client.cluster('MYID') as Promise<string>) })),
  );
  const byName = new Map(named.flatMap((each) => (each.status === 'fulfilled' ? [[each.value.name, each.value] as const] : [])));
  const [first] = byName.values();
  if (!first) throw new Error('No master of the Redis cluster can be reached.');
  const ranges = listOf(await limited(first.client.sendCommand(new Command('cluster', ['SLOTS'])) as Promise<unknown>)).map((range) => {
    const [from, to, master] = listOf(range);
    return { from: Number(from), to: Number(to), name: textOf(listOf(master)[2]) };
  });
  return (bucket) => {
    const slot = new Command('get', [`{${bucket}}`]).getSlot();
    const range = ranges.find(({ from, to }) => from <= slot && slot <= to);
    return range && byName.get(range.name);
  };
}
