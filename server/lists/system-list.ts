import * as z from 'zod/mini';
import { stateOf } from '../../machines/index.ts';
import { taskStates } from '../../machines/lists/index.ts';
import { limits, type TaskSnapshotResponse } from '../../machines/wire/index.ts';
import { validate, validationError } from '../http/validation.ts';
import type { Listed } from '../ports/owners.ts';
import type { Plan, Store } from '../ports/store.ts';
import type { CommandProcessor } from '../task/command-processor.ts';
import type { StoreClock } from '../task/store-clock.ts';
import type { TaskRecord } from '../task/task-record.ts';
import { listedTask, stored, unlessReadable } from './task-read.ts';

/** What of all tasks to list; all of it may be left out. */
export interface SystemListRequest {
  /** Tasks in this state only. */
  readonly state?: (typeof taskStates)[number] | undefined;
  /** Tasks of this type only. */
  readonly type?: string | undefined;
  /** Tasks of this owner only. Others are looked at and left out: for all that one owner has, ask `tasks(owner).list()`. */
  readonly owner?: string | undefined;
  /** Tasks that have been in their state for so long, in milliseconds. */
  readonly ageMs?: number | undefined;
  /** Tasks whose work could begin, and that no node has held for so long, in milliseconds. */
  readonly overdueMs?: number | undefined;
  /** `nextAfter` of the page before. */
  readonly after?: string | undefined;
  /** Most tasks of the page: 1 to 100. Defaults to 50. */
  readonly limit?: number | undefined;
}

/** A task as the host sees it. */
export interface SystemTask extends TaskSnapshotResponse {
  readonly owner: string;
  /** When it came to its state. RFC 3339, UTC. */
  readonly since: string;
  /** The node that holds its work; absent where none does, and where an outside system has it. */
  readonly heldBy?: string;
  /** Since when its work could begin, where nobody has it. RFC 3339, UTC. */
  readonly readySince?: string;
}

/** A page of all tasks. */
export interface SystemTaskPage {
  /** By state and type, and in each the one that came there first. */
  readonly tasks: readonly SystemTask[];
  /** Where to go on; null where nothing is left. A page may have fewer tasks than it may, or none, and one to go on all the same. */
  readonly nextAfter: string | null;
}

/** How many tasks there are of one state and type. */
export interface TaskCount {
  readonly state: string;
  readonly type: string;
  readonly count: number;
}

/** What lists of all tasks are made with. */
export interface SystemListDeps {
  readonly store: Store;
  readonly processor: Pick<CommandProcessor, 'read'>;
  readonly time: StoreClock;
}

const ms = z.optional(z.int().check(z.minimum(0)));
const request = z.strictObject({
  state: z.optional(z.enum(taskStates)),
  type: z.optional(z.string()),
  owner: z.optional(z.string()),
  ageMs: ms,
  overdueMs: ms,
  after: z.optional(z.string()),
  limit: z._default(z.int().check(z.minimum(1), z.maximum(limits.listTasksMax)), 50),
});
type Query = z.output<typeof request>;

/** Tasks that are looked at at once, and those of them that are read at once: their inputs and results are in memory together. */
const [LISTED_AT_ONCE, READ_AT_ONCE] = [100, 5];

/** All tasks, as the host sees them. */
export interface SystemLists {
  /** A page of all tasks, of any owner. */
  list(request?: SystemListRequest): Promise<SystemTaskPage>;
  /** How many tasks there are, by state and type, in no order. */
  counts(): Promise<readonly TaskCount[]>;
}

/** Lists tasks by their states, which are exact. What it rejects with is a `TaskBridgeError`: `REQUEST_VALIDATION_ERROR` or `STORE_UNAVAILABLE`. */
export function systemLists(deps: SystemListDeps): SystemLists {
  return { list: (given) => listAllTasks(deps, given), counts: () => countTasks(deps) };
}

async function countTasks({ store }: Pick<SystemListDeps, 'store'>): Promise<readonly TaskCount[]> {
  const counts = await stored(store.counts());
  return counts.map(({ state, taskType: type, count }) => ({ state, type, count }));
}

async function listAllTasks(deps: SystemListDeps, given: SystemListRequest = {}): Promise<SystemTaskPage> {
  const query = validate(request, given);
  const start = query.after === undefined ? undefined : placeOf(query.after);
  const tasks: SystemTask[] = [];
  let [looked, bytes] = [0, 0];
  for (const list of await listsFrom(deps, query, start)) {
    let after = start && compareLists(list, start) === 0 ? start.listed : undefined;
    for (;;) {
      const listed = await stored(deps.store.inState(list.state, list.type, LISTED_AT_ONCE, after));
      if (listed.length === 0 || isTooYoung(deps, query, listed[0])) break;
      for (let first = 0; first < listed.length; first += READ_AT_ONCE) {
        const some = listed.slice(first, first + READ_AT_ONCE);
        for (const [nth, seen] of (await readTasks(deps, query, list.state, some)).entries()) {
          after = some[nth];
          looked += 1;
          bytes += seen.readBytes;
          if (seen.task) tasks.push(seen.task);
          if (tasks.length === query.limit || bytes >= limits.listBytesMax || looked >= limits.listNamesMax)
            return { tasks, nextAfter: after ? textOf({ ...list, listed: after }) : null };
        }
      }
    }
  }
  return { tasks, nextAfter: null };
}

/** One list of the store. */
interface StateList {
  readonly state: string;
  readonly type: string;
}
interface Place extends StateList {
  readonly listed: Listed;
}

/** The lists that are to be gone through, from the place on where the page before ended. */
async function listsFrom({ store }: SystemListDeps, query: Query, start: Place | undefined): Promise<readonly StateList[]> {
  const lists = (await countTasks({ store })).filter(
    ({ state, type }) => (query.state ?? state) === state && (query.type ?? type) === type,
  );
  return lists.filter((list) => !start || compareLists(list, start) >= 0).sort(compareLists);
}

function compareLists(a: StateList, b: StateList): number {
  if (a.state !== b.state) return a.state < b.state ? -1 : 1;
  return a.type === b.type ? 0 : a.type < b.type ? -1 : 1;
}

/** Those that follow in its list are younger. */
function isTooYoung({ time }: SystemListDeps, { ageMs = 0 }: Query, listed: Listed | undefined): boolean {
  return listed !== undefined && listed.since > time.now() - ageMs;
}

interface SeenTask {
  readonly task?: SystemTask;
  readonly readBytes: number;
}
const nothing: SeenTask = { readBytes: 0 };

async function readTasks(deps: SystemListDeps, query: Query, state: string, some: readonly Listed[]): Promise<readonly SeenTask[]> {
  const records = await Promise.all(some.map(({ taskId }) => deps.processor.read(taskId).catch(unlessReadable)));
  const keys = records.map((record) => record?.about.requestKey ?? '');
  const glances = await stored(deps.store.glance(keys, []));
  return Promise.all(
    some.map(async (listed, nth) => {
      const [record, glance] = [records[nth], glances[nth]];
      // It may have gone on meanwhile.
      if (!record || glance?.taskId !== listed.taskId || stateOf(record.aggregate.task) !== state) return nothing;
      if ((query.owner ?? record.about.owner) !== record.about.owner || isTooYoung(deps, query, listed)) return nothing;
      const readySince = readySinceOf(glance.plan, record, listed);
      if (query.overdueMs !== undefined && (readySince === undefined || readySince > deps.time.now() - query.overdueMs)) return nothing;
      return seenTask(deps.store, record, listed, readySince);
    }),
  );
}

async function seenTask(store: Store, record: TaskRecord, { since }: Listed, readySince: number | undefined): Promise<SeenTask> {
  const { json, readBytes } = await listedTask(record, store);
  const { node } = record.execution.attempt.context;
  const task: SystemTask = {
    // Our own answer.
    ...(JSON.parse(json.toString('utf8')) as TaskSnapshotResponse),
    owner: record.about.owner,
    since: new Date(since).toISOString(),
    ...(node !== null && { heldBy: node }),
    ...(readySince !== undefined && { readySince: new Date(readySince).toISOString() }),
  };
  return { task, readBytes };
}

/** What somebody waits for is ready since it came to its state, at the latest. */
function readySinceOf({ work }: Plan, { execution }: TaskRecord, { since }: Listed): number | undefined {
  if (!work || !('readyAt' in work) || execution.endedAt !== null) return undefined;
  return work.readyAt === 0 ? since : work.readyAt;
}

function textOf({ state, type, listed: { since, taskId } }: Place): string {
  return `${since}-${taskId}-${state}-${type}`;
}

function placeOf(text: string): Place {
  const [, since, taskId, state, type] = /^(\d{1,15}(?:\.\d{1,17})?)-([0-9a-f]{32})-([a-z]+)-(.*)$/s.exec(text) ?? [];
  if (since === undefined || taskId === undefined || state === undefined || type === undefined)
    throw validationError([{ path: 'after', reason: 'must be what a page before gave as nextAfter' }]);
  return { state, type, listed: { since: Number(since), taskId } };
}
