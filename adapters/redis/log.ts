import type { EventId } from '../../machines/wire/index.ts';
import type { Entry, EventStore, LogPage } from '../../server/ports/index.ts';
import { bucketOf } from './keys.ts';
import type { StoreDeps } from './deps.ts';
import { grouped } from './calls.ts';
import { CACHED_SIZE_MAX } from './read-cache.ts';
import { bytesOf, listOf, textOf } from './reply.ts';
import { lastIds, read } from './scripts/index.ts';

/** Reads a run of a log; the very object of the last time where its task has not changed since. */
export function readLog(deps: LogReadDeps, taskId: string, from: number, limit: LogLimit): Promise<LogPage | undefined> {
  const key = `${taskId} ${from} ${limit.facts} ${limit.bytes}`;
  const ask = () => askLog(deps, key, taskId, from, limit);
  return deps.turnPages ? deps.turnPages.share(key, ask) : ask();
}

type LogReadDeps = Pick<StoreDeps, 'connection' | 'keys' | 'pages' | 'turnPages'>;
type LogLimit = Parameters<EventStore['read']>[2];

async function askLog(
  { connection, keys, pages }: LogReadDeps,
  key: string,
  taskId: string,
  from: number,
  { facts, bytes: bytesMax }: LogLimit,
): Promise<LogPage | undefined> {
  const known = pages.known(key);
  const reply = await connection.run(
    read,
    [keys.task(taskId), keys.log(taskId)],
    [String(from), String(facts), String(bytesMax), known?.at ?? ''],
  );
  if (reply === null) return undefined;
  const texts = listOf(reply);
  if (known && texts.length === 0) return pages.again(key, known);
  const at = textOf(texts[1]);
  const entries: Entry[] = [];
  let size = 0;
  for (let place = 2; place < texts.length; place += 2) {
    const bytes = bytesOf(texts[place + 1]);
    size += bytes.length;
    // Written by `append` only, under the id that the fact has.
    entries.push({ eventId: textOf(texts[place]) as EventId, bytes });
  }
  const [last = '', ended] = at.split(';').slice(-2);
  const ends = { firstEventId: idOf(textOf(texts[0])), lastEventId: idOf(last), ended: ended === '1' };
  if (size > CACHED_SIZE_MAX) return { entries, ...ends };
  // What came in one piece with them is not to be kept.
  const page = { entries: entries.map(({ eventId, bytes }) => ({ eventId, bytes: Buffer.from(bytes) })), ...ends };
  pages.keep(key, { at, value: page });
  return page;
}

/** The newest ids of many tasks: one script, on a cluster one a bucket. */
export async function newestIds(
  { connection, keys, isCluster }: Pick<StoreDeps, 'connection' | 'keys' | 'isCluster'>,
  taskIds: readonly string[],
): Promise<readonly (EventId | null)[]> {
  const ids: (EventId | null)[] = taskIds.map(() => null);
  await Promise.all(
    grouped(taskIds, (taskId) => (isCluster ? bucketOf(taskId) : '')).map(async (places) => {
      const reply = listOf(
        await connection.run(
          lastIds,
          places.map((place) => keys.task(taskIds[place] ?? '')),
        ),
      );
      for (const [at, place] of places.entries()) ids[place] = idOf(textOf(reply[at]));
    }),
  );
  return ids;
}

/** The verbs of the event store but the tail. */
export function logOf(need: () => StoreDeps): Omit<EventStore, 'tail'> {
  return {
    read: async (taskId, from, limit) => readLog(need(), taskId, from, limit),
    lastEventIds: async (taskIds) => newestIds(need(), taskIds),
  };
}

function idOf(text: string): EventId | null {
  // Written by `append` only.
  return text === '' ? null : (text as EventId);
}
