import type { EventId } from '../../machines/wire/index.ts';
import type { EventStore, LogPage } from '../../server/ports/index.ts';
import { bucketOf } from './keys.ts';
import type { StoreDeps } from './deps.ts';
import { grouped } from './calls.ts';
import { bytesOf, listOf, textOf } from './reply.ts';
import { lastIds, read } from './scripts/index.ts';

/** Reads a run of a log. */
export async function readLog(
  { connection, keys }: Pick<StoreDeps, 'connection' | 'keys'>,
  taskId: string,
  from: number,
  limit: { readonly facts: number; readonly bytes: number },
): Promise<LogPage | undefined> {
  const reply = await connection.run(read, [keys.task(taskId), keys.log(taskId)], [from, limit.facts, limit.bytes].map(String));
  if (reply === null) return undefined;
  const [first, last, ended, ...facts] = listOf(reply);
  const entries = [];
  for (let at = 0; at < facts.length; at += 2) {
    // Written by `append` only, under the id that the fact has.
    entries.push({ eventId: textOf(facts[at]) as EventId, bytes: bytesOf(facts[at + 1]) });
  }
  return { entries, firstEventId: idOf(first), lastEventId: idOf(last), ended: textOf(ended) === '1' };
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
      for (const [at, place] of places.entries()) ids[place] = idOf(reply[at]);
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

function idOf(reply: unknown): EventId | null {
  const text = textOf(reply);
  // Written by `append` only.
  return text === '' ? null : (text as EventId);
}
