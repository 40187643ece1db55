import type { NameBackfill, OwnedName, RequestsPage } from '../../server/ports/index.ts';
import { grouped } from './calls.ts';
import type { StoreDeps } from './deps.ts';
import { buckets, ownerTag } from './keys.ts';
import { listOf, textOf } from './reply.ts';
import { keepBackfillProgress, backfillProgress, missing, requests } from './scripts/index.ts';

/** Keys that a server passes for each request key that is wanted: a task has five or six of them. */
const PASSED_FOR_ONE = 6;
/** Names that one call looks for. */
const NAMES_MAX = 100;

/** How far the servers were passed: bucket by bucket, each server by the first bucket of it that is met. */
interface Place {
  /** The number of the bucket. */
  readonly bucket: number;
  readonly cursor: string;
  /** The run of the server that the cursor is of. */
  readonly run: string;
  /** The runs of servers that were passed whole. */
  readonly passed: readonly string[];
}

const start: Place = { bucket: 0, cursor: '0', run: '', passed: [] };

/** Finds tasks of 0.1.0, which wrote no names: by passing all keys of each server, since nothing else leads to all of them. */
export function backfillOf(need: () => StoreDeps): NameBackfill {
  return {
    requests: async (limit, after) => passKeys(need(), limit, after === undefined ? start : parsePlace(after)),

    async missing(names) {
      const deps = need();
      const isMissing: boolean[] = [];
      await Promise.all(
        grouped(names, ({ owner }) => (deps.isCluster ? ownerTag(owner) : ''), NAMES_MAX).map(async (places) => {
          const some = places.flatMap((place): OwnedName[] => names.slice(place, place + 1));
          const reply = await deps.connection.run(
            missing,
            some.map(({ owner }) => deps.keys.names(owner)),
            some.map(({ requestKey }) => requestKey),
          );
          for (const [i, each] of listOf(reply).entries()) isMissing[places[i] ?? 0] = textOf(each) === '1';
        }),
      );
      return isMissing;
    },

    async kept() {
      const { connection, keys } = need();
      const text = await connection.run(backfillProgress, [keys.store]);
      return text === null ? undefined : textOf(text);
    },

    async keep(text) {
      const { connection, keys } = need();
      await connection.run(keepBackfillProgress, [keys.store], [text]);
    },
  };
}

async function passKeys({ connection, keys, isCluster }: StoreDeps, limit: number, place: Place): Promise<RequestsPage> {
  const { bucket, cursor, run, passed } = place;
  const args = [keys.requests, run, cursor, String(limit * PASSED_FOR_ONE), ...passed];
  const reply = listOf(await connection.run(requests, [keys.moving(buckets[bucket] ?? '')], args)).map(textOf);
  const [nextRun = '', nextCursor = '0', ...found] = reply;
  const requestKeys = found.map((key) => key.slice(key.lastIndexOf(':') + 1));
  if (nextCursor !== '0') return { requestKeys, next: textOfPlace({ ...place, cursor: nextCursor, run: nextRun }) };
  // Where there is one server, all buckets are on it.
  const isEnd = !isCluster || bucket + 1 === buckets.length;
  const all = [...new Set([...passed, nextRun])];
  return { requestKeys, next: isEnd ? undefined : textOfPlace({ ...start, bucket: bucket + 1, passed: all }) };
}

function textOfPlace({ bucket, cursor, run, passed }: Place): string {
  return [bucket, cursor, run, ...passed].join(';');
}

function parsePlace(text: string): Place {
  const [bucket = '0', cursor = '0', run = '', ...passed] = text.split(';');
  return { bucket: Number(bucket), cursor, run, passed };
}
