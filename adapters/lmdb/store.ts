import { open } from 'lmdb';
import {
  assertOptionNames,
  type OptionNames,
  hostLogger,
  steadyClock,
  systemChance,
  systemClock,
  type Clock,
  type EventStore,
  type Logger,
  type Store,
  type TaskRegistry,
  type WorkRegistry,
} from '../../server/ports/index.ts';
import { createLocalTails, type LocalTails } from '../memory/index.ts';
import { backfillOf } from './backfill.ts';
import { commitFailure } from './commit-failure.ts';
import { appendCommit, identify, writeNewTask, removeTask, type WrittenRows } from './changes.ts';
import { flush, makeFolder, privateFiles } from './folder.ts';
import { readHead, type Rows } from './head.ts';
import { HeadCache } from './head-cache.ts';
import { idKey, sideValueKey } from './keys.ts';
import { lanesOf } from './lanes.ts';
import { checkLayout, markLayout } from './layout.ts';
import { readHeld, readLeases } from './lease.ts';
import { readFields, readPage } from './reads.ts';
import { ownerRegistryOf } from './owner-registry.ts';
import { openOwned, type Ownership } from './owner.ts';
import { bytesOfCommit, bytesOfTask, createQuota, withinQuota, type Quota } from './quota.ts';
import { LmdbWork } from './work.ts';
import { createWriter, type Writer } from './writer.ts';

/** Options of {@link lmdbStore}. */
export interface LmdbStoreOptions {
  /** The folder of the store; made where there is none. On a local disk: LMDB and network file systems do not go together. */
  readonly path: string;
  /**
   * How many bytes may be stored. A create, or a commit with facts, that would pass it throws and changes nothing; commits without facts
   * and removals still pass. The file itself may be larger, by pages that wait to be used again. Defaults to 16 GiB.
   */
  readonly mapBytesMax?: number;
  /** The store's clock. Defaults to the machine's. */
  readonly clock?: Clock;
  /** Told when the store is taken over from a process that did not close it, and when it is lost to another. Defaults to the console. */
  readonly logger?: Logger;
}

const optionNames: OptionNames<LmdbStoreOptions> = { path: true, mapBytesMax: true, clock: true, logger: true };

/** The default of `mapBytesMax`: 16 GiB. */
export const MAP_BYTES_MAX = 16 * 1024 ** 3;
/** The least `mapBytesMax` that makes sense: a few facts of the largest size. */
const MAP_BYTES_MIN = 1024 ** 2;

/** What is there while the store is open. */
interface Opened extends WrittenRows {
  readonly ownership: Ownership;
  readonly writer: Writer;
  readonly quota: Quota;
  readonly work: LmdbWork;
}

/**
 * Makes a store in a folder of this machine, which one process owns from `open` to `close`.
 *
 * Every verb but `open`, `close` and `now` throws while the store is not open.
 *
 * @throws an `Error` where `mapBytesMax` is below 1 MiB, a `TypeError` for an option that there is not.
 */
export function lmdbStore(options: LmdbStoreOptions): Store {
  assertOptionNames(options, optionNames, 'lmdbStore');
  const { path, mapBytesMax = MAP_BYTES_MAX, clock: machine = systemClock, logger: given } = options;
  if (!(mapBytesMax >= MAP_BYTES_MIN))
    throw new Error(`mapBytesMax (${mapBytesMax}) must be at least ${MAP_BYTES_MIN}: one fact may have that size.`);
  const logger = hostLogger(given);
  const clock = steadyClock(machine);
  const tails = createLocalTails();
  let opened: Opened | undefined;
  let turn: Promise<void> = Promise.resolve();

  /** Opening and closing take time, and follow each other. */
  function inTurn(step: () => Promise<void>): Promise<void> {
    const done = turn.then(step);
    turn = done.catch(() => undefined);
    return done;
  }

  function needOpen(): Opened {
    if (!opened) throw new Error(`The LMDB store at ${path} is not open. Call open() first, and nothing after close().`);
    return opened;
  }

  return {
    name: 'lmdb',
    exclusive: true,

    open() {
      return inTurn(async () => {
        opened ??= await openAt(path, mapBytesMax, clock, logger);
      });
    },

    close() {
      return inTurn(async () => {
        if (!opened) return;
        const { rows, ownership, writer } = opened;
        opened = undefined;
        await writer.drained();
        await ownership.release();
        await rows.close();
      });
    },

    async now() {
      // Readiness asks this: one that lost the store has nothing to do with it, though its folder can be read.
      opened?.ownership.check();
      return clock.now();
    },

    async id() {
      const { rows, writer } = needOpen();
      return rows.get(idKey)?.toString() ?? writer.write(() => identify(rows, systemChance.hex(32)));
    },

    ...registryOf(needOpen, tails, clock),
    ...workOf(needOpen),
    ...ownerRegistryOf(needOpen, clock),
    ...logOf(needOpen, tails),
    lanes: lanesOf(needOpen, tails),
    backfill: backfillOf(needOpen),
  };
}

function registryOf(needOpen: () => Opened, tails: LocalTails, clock: Clock): TaskRegistry {
  return {
    async create(task) {
      const opened = needOpen();
      const { writer, quota, work } = opened;
      const { created, entries } = await writer.write(withinQuota(quota, bytesOfTask(task), () => writeNewTask(opened, task, clock.now())));
      if (created.created) work.replan(task.taskId, entries);
      return created;
    },

    async load(taskId) {
      const { rows } = needOpen();
      const head = readHead(rows, taskId);
      return head && { revision: head.revision, fields: readFields(rows, taskId) };
    },

    async sideValues(taskId, names) {
      const { rows } = needOpen();
      return names.map((name) => rows.get(sideValueKey(taskId, name))?.toString());
    },

    async append(commit) {
      const opened = needOpen();
      const { writer, quota, work } = opened;
      const { taskId, facts, ended } = commit;
      const { answer, before, entries } = await writer.write(() => {
        const decision = appendCommit(opened, commit, clock.now());
        if (decision.change && facts.length > 0) quota.take(bytesOfCommit(commit));
        return decision;
      });
      if (answer === 'committed') work.replan(taskId, entries);
      if (answer === 'committed' && facts.length > 0) tails.publish(taskId, facts, ended, before);
      return answer;
    },

    async remove(taskId, requestKey, expectedRevision) {
      const opened = needOpen();
      const { writer, work } = opened;
      const answer = await writer.write(() => removeTask(opened, taskId, requestKey, expectedRevision));
      if (answer === 'removed') work.replan(taskId, []);
      return answer;
    },
  };
}

function workOf(needOpen: () => Opened): WorkRegistry {
  return {
    async take(request) {
      return needOpen().work.take(request);
    },

    async renew() {
      needOpen();
      return [];
    },

    async leases() {
      return readLeases(needOpen().rows);
    },

    async held({ node }, limit, after) {
      return readHeld(needOpen().rows, node, limit, after);
    },

    // A node that holds nothing has no row.
    async dropLease() {
      needOpen();
      return false;
    },
  };
}

function logOf(needOpen: () => Opened, tails: LocalTails): EventStore {
  return {
    async read(taskId, from, limit) {
      return readPage(needOpen().rows, taskId, from, limit);
    },

    async lastEventIds(taskIds) {
      const { rows } = needOpen();
      return taskIds.map((taskId) => readHead(rows, taskId)?.lastEventId ?? null);
    },

    tail(listener) {
      needOpen();
      return tails.open(listener);
    },
  };
}

async function openAt(path: string, mapBytesMax: number, clock: Clock, logger: Logger): Promise<Opened> {
  await makeFolder(path);
  const { rows, ownership } = await openOwned(path, () => openRows(path), clock, logger);
  try {
    // What LMDB flushes is in a file whose name is not yet safe.
    await flush(path);
    checkLayout(rows, path);
    markLayout(rows);
  } catch (error) {
    await ownership.release().catch(() => undefined);
    await rows.close();
    throw error;
  }
  const heads = new HeadCache(rows);
  const quota = createQuota(rows, path, mapBytesMax);
  const writer = createWriter(async (group) => {
    quota.measure();
    await rows
      .childTransaction(() => {
        ownership.check();
        group();
      })
      .catch(async (error: unknown) => {
        heads.forget();
        throw await commitFailure(error, path);
      });
  });
  return { rows, heads, ownership, writer, quota, work: new LmdbWork({ rows, heads, writer, clock }) };
}

function openRows(path: string): Rows {
  return open({
    path,
    noSubdir: false,
    encoding: 'binary',
    // Flushed before anybody can read it, so that no viewer is shown what a power cut takes back.
    overlappingSync: false,
    // The writer makes groups itself; lmdb's own leave a promise behind that nobody can catch when a commit fails.
    eventTurnBatching: false,
    ...privateFiles,
  });
}
