import {
  assertOptionNames,
  type OptionNames,
  steadyClock,
  systemClock,
  type Clock,
  type Commit,
  type Entry,
  type EventStore,
  type Store,
  type TaskRegistry,
} from '../../server/ports/index.ts';
import { refuseBrokenCommit } from './commit.ts';
import { laneConflict } from './lane-rules.ts';
import { changeLanes, lanesBefore, lanesOf, needOpenLane } from './lanes.ts';
import { createMemory, createTaskRow, type Memory, type TaskRow } from './memory.ts';
import { addToOwner, fullShareOf, nameTask, ownerRegistryOf, unnameTask } from './owners.ts';
import { dropState, listsOf, setState } from './states.ts';
import { dropPlan, isAsSeen, setPlan, workRegistryOf } from './work.ts';

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** The store's clock. Defaults to the machine's. */
  readonly clock?: Clock;
  /**
   * A memory that other stores of this process use too; each of them is then a node, and none is exclusive. Defaults to one of its own,
   * which the store owns exclusively.
   */
  readonly memory?: Memory;
}

/**
 * Makes a store that forgets everything with its process. What it does is what the port means; no step awaits anything, so each is atomic.
 *
 * Every verb but `open`, `close` and `now` throws while the store is not open. Throws a `TypeError` for an option that there is not.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  assertOptionNames(options, { clock: true, memory: true } satisfies OptionNames<MemoryStoreOptions>, 'memoryStore');
  const { clock: given = systemClock, memory } = options;
  const clock = steadyClock(given);
  const known = memory ?? createMemory();
  let isOpen = false;

  function needOpen(): Memory {
    if (!isOpen) throw new Error('The memory store is not open. Call open() first, and nothing after close().');
    return known;
  }

  return {
    name: 'memory',
    exclusive: memory === undefined,

    async open() {
      isOpen = true;
    },

    async close() {
      isOpen = false;
    },

    async now() {
      return clock.now();
    },

    async id() {
      return needOpen().id;
    },

    ...registryOf(needOpen, clock),
    ...workRegistryOf(needOpen, clock),
    ...ownerRegistryOf(needOpen, clock),
    ...listsOf(needOpen),
    ...logOf(needOpen),
    lanes: lanesOf(needOpen),
  };
}

function registryOf(needOpen: () => Memory, clock: Clock): TaskRegistry {
  return {
    async create(task) {
      const memory = needOpen();
      const { tasks, requests } = memory;
      const { taskId, requestKey } = task;
      const known = requests.get(requestKey);
      if (known !== undefined) return { created: false, taskId: known };
      if (tasks.has(taskId)) throw new Error(`Task ${taskId} exists already under another request key. Draw another task id.`);
      const full = fullShareOf(memory, task);
      if (full) return { created: false, full };
      const now = clock.now();
      const row = createTaskRow(task);
      requests.set(requestKey, taskId);
      tasks.set(taskId, row);
      nameTask(memory, task.owner, { requestKey, at: now });
      addToOwner(memory, task.owner, task.adds);
      setState(memory, row, task.state, now);
      setPlan(memory, row, task.plan, now);
      return { created: true };
    },

    async load(taskId) {
      const { tasks } = needOpen();
      const task = tasks.get(taskId);
      return task && { revision: task.revision, fields: Object.fromEntries(task.fields) };
    },

    async sideValues(taskId, names) {
      const { tasks } = needOpen();
      const task = tasks.get(taskId);
      return names.map((name) => task?.sideValues.get(name));
    },

    async append(commit) {
      const memory = needOpen();
      const { tasks, tails } = memory;
      const task = tasks.get(commit.taskId);
      if (task?.revision !== commit.expectedRevision) return 'conflict';
      if (commit.ifLease && !isAsSeen(memory, commit.ifLease)) return 'lease changed';
      refuseBrokenCommit(commit, task, lanesBefore(task));
      if (commit.lanes && laneConflict(commit.lanes, (lane) => needOpenLane(task, lane))) return 'conflict';
      const { lastEventId } = task;
      task.revision += 1;
      const now = clock.now();
      setPlan(memory, task, commit.plan, now);
      if (commit.state !== undefined && commit.state !== task.state) setState(memory, task, commit.state, now);
      for (const [name, value] of Object.entries(commit.fields)) task.fields.set(name, value);
      for (const [name, value] of Object.entries(commit.sideValues)) task.sideValues.set(name, value);
      extendLog(task, commit);
      if (commit.lanes) changeLanes(task, commit.lanes);
      if (commit.facts.length > 0) tails.publish(commit.taskId, commit.facts, task.ended, lastEventId);
      return 'committed';
    },

    async remove(taskId, requestKey, expectedRevision) {
      const memory = needOpen();
      const { tasks, requests } = memory;
      const task = tasks.get(taskId);
      if (task?.revision !== expectedRevision) return 'conflict';
      dropPlan(memory, task);
      dropState(memory, task);
      tasks.delete(taskId);
      if (requests.get(requestKey) === taskId) {
        requests.delete(requestKey);
        unnameTask(memory, task.owner, requestKey);
      }
      return 'removed';
    },
  };
}

function logOf(needOpen: () => Memory): EventStore {
  return {
    async read(taskId, from, limit) {
      const { tasks } = needOpen();
      const task = tasks.get(taskId);
      if (!task) return undefined;
      return {
        entries: takePage(task.log, Math.max(0, from - task.firstRetained), limit),
        firstEventId: task.log[0]?.eventId ?? null,
        lastEventId: task.lastEventId,
        ended: task.ended,
      };
    },

    async lastEventIds(taskIds) {
      const { tasks } = needOpen();
      return taskIds.map((taskId) => tasks.get(taskId)?.lastEventId ?? null);
    },

    tail(listener) {
      const { tails } = needOpen();
      return tails.open(listener);
    },
  };
}

function extendLog(task: TaskRow, { facts, ended, firstRetained }: Commit): void {
  for (const entry of facts) task.log.push(entry);
  // At most all facts are there to be dropped.
  const dropped = Math.min(Math.max(0, firstRetained - task.firstRetained), task.log.length);
  task.log.splice(0, dropped);
  task.firstRetained += dropped;
  task.lastEventId = facts.at(-1)?.eventId ?? task.lastEventId;
  task.ended ||= ended;
}

function takePage(log: readonly Entry[], start: number, limit: { readonly facts: number; readonly bytes: number }): Entry[] {
  const page: Entry[] = [];
  let bytes = 0;
  for (let at = start; at < log.length && page.length < limit.facts; at += 1) {
    const entry = log[at];
    if (entry === undefined) break;
    bytes += entry.bytes.byteLength;
    if (page.length > 0 && bytes > limit.bytes) break;
    page.push(entry);
  }
  return page;
}
