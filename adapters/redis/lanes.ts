import type { EventId } from '../../machines/wire/index.ts';
import type { FlushOutcome, LaneFlush, Lanes, NewestOfTask } from '../../server/ports/index.ts';
import { refuseLargeValue } from '../memory/index.ts';
import { grouped } from './calls.ts';
import type { RedisConnection } from './connection.ts';
import type { StoreDeps } from './deps.ts';
import { gatherCalls, type GatheredCall } from './call-batch.ts';
import { bucketOf } from './keys.ts';
import { epochOf, laneKeys, openRecord } from './lane-record.ts';
import { integerOf, listOf, textOf } from './reply.ts';
import { readLane } from './lane-read.ts';
import { laneNames, newest, seal, type Script } from './scripts/index.ts';

/** Adds bytes to a lane. Rejects where the outcome is unknown. */
export type Flusher = (call: GatheredCall) => Promise<FlushOutcome>;

/** The replies of the script that are no lengths. */
const [OK, FENCED] = [-1, -2];
/** Tasks that one call looks at. */
const TASKS_MAX = 500;

/** Flushes of one turn of the event loop travel in one call. */
export function createFlusher(connection: RedisConnection, script: Script): Flusher {
  return gatherCalls(connection, script, (given) => {
    const reply = integerOf(given);
    if (reply === OK) return 'ok';
    if (reply === FENCED) return 'fenced';
    return reply === undefined ? undefined : { at: reply };
  });
}

/** The lanes of a store. */
export function lanesOf(need: () => StoreDeps): Lanes {
  return {
    async flush(flushes) {
      const deps = need();
      flushes.forEach(refuseLargeValue);
      return Promise.all(flushes.map((each) => deps.flush(callOf(deps, each))));
    },

    async seal(fence) {
      const { connection, keys } = need();
      const length = integerOf(await connection.run(seal, laneKeys(keys, fence.taskId, fence.lane), [fence.lane, openRecord(fence)]));
      return length === undefined || length === FENCED ? 'fenced' : length;
    },

    readPart: async (taskId, lane, from, bytesMax) => readLane(need(), { taskId, lane, from, bytesMax }),

    newest: async (taskIds) => newestOf(need(), taskIds),
  };
}

/** The keys of all that is known of a task's lanes, to be removed with it. */
export async function allLaneKeys({ connection, keys }: StoreDeps, taskId: string): Promise<readonly string[]> {
  const parts = keys.parts(taskId);
  const names = listOf(await connection.run(laneNames, [parts])).map(textOf);
  return [parts, ...names.map((lane) => keys.lane(taskId, lane))];
}

function callOf(deps: StoreDeps, { fence, at, bytes }: LaneFlush): GatheredCall {
  const { taskId, lane } = fence;
  return {
    group: deps.isCluster ? bucketOf(taskId) : '',
    keys: laneKeys(deps.keys, taskId, lane),
    args: [lane, openRecord(fence), String(at), bytes],
  };
}

/** How far many tasks have come: one script for some hundreds, on a cluster one a bucket. */
async function newestOf({ connection, keys, isCluster }: StoreDeps, taskIds: readonly string[]): Promise<readonly NewestOfTask[]> {
  const found: NewestOfTask[] = taskIds.map(() => ({ eventId: null, lanes: [] }));
  const groups = grouped(taskIds, (taskId) => (isCluster ? bucketOf(taskId) : ''), TASKS_MAX);
  await Promise.all(
    groups.map(async (places) => {
      const ids = places.map((place) => taskIds[place] ?? '');
      const moving = isCluster ? [keys.moving(bucketOf(ids[0] ?? ''))] : [];
      const reply = listOf(await connection.run(newest, [...ids.map(keys.task), ...moving], [String(ids.length)]));
      for (const [at, place] of places.entries()) found[place] = newestAt(reply[at]);
    }),
  );
  return found;
}

function newestAt(reply: unknown): NewestOfTask {
  const [id, ...rest] = listOf(reply);
  const lanes: NewestOfTask['lanes'][number][] = [];
  for (let at = 0; at < rest.length; at += 3)
    // Both were written by `append` only.
    lanes.push({ lane: textOf(rest[at]) as EventId, epoch: epochOf(textOf(rest[at + 1])), length: integerOf(rest[at + 2]) ?? 0 });
  const text = textOf(id);
  return { eventId: text === '' ? null : (text as EventId), lanes };
}
