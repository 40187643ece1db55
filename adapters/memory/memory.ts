import type { EventId } from '../../machines/wire/index.ts';
import {
  systemChance,
  type Entry,
  type Fence,
  type HeapItem,
  type Listed,
  type Name,
  type NewTask,
  type Plan,
  type Shares,
} from '../../server/ports/index.ts';
import type { Ranking } from './ranking.ts';
import { Schedule } from './schedule.ts';
import { createLocalTails, type LocalTails } from './tail.ts';

/** A task's place in the order of what there is to do. */
export interface TaskEntry extends HeapItem {
  readonly task: TaskRow;
  /** True while it stands among what is wanted now. */
  hasTurn: boolean;
}

/** A lane as the memory has it. */
export interface LaneRow {
  fence: Fence;
  /** False once a commit has closed it: then its bytes only stay. */
  isOpen: boolean;
  isSealed: boolean;
  /** Has room for more than `length`; of a lane whose value is replaced it is the value. */
  buffer: Uint8Array;
  /** In bytes, or in versions. */
  length: number;
}

/** A task as the memory has it. */
export interface TaskRow {
  readonly taskId: string;
  readonly requestKey: string;
  readonly fields: Map<string, string>;
  readonly sideValues: Map<string, string>;
  readonly owner: string;
  readonly taskType: string;
  revision: number;
  /** Replaced by `setPlan` only, which keeps what follows from it. */
  plan: Plan;
  /** When any node has to look. */
  readonly waking: TaskEntry;
  /** When its work is wanted. */
  readonly wanted: TaskEntry;
  /** The facts that are still kept; the first of them is number `firstRetained`. */
  readonly log: Entry[];
  /** By the id of the fact that opened each, in that order. */
  readonly lanes: Map<EventId, LaneRow>;
  firstRetained: number;
  lastEventId: EventId | null;
  ended: boolean;
  /** Replaced by `setState` only, which keeps the lists of tasks in step. */
  state: string;
  /** Since when it is in this state. */
  since: number;
}

/** What is known of an owner. */
export interface OwnerRow {
  /** When each of his tasks was named, by request key. */
  readonly namedAt: Map<string, number>;
  /** The same, in order. */
  readonly names: Ranking<Name>;
  shares: Shares;
  version: number;
  countedAt: number;
}

/** Tasks of one state and type. */
export interface StateRow {
  readonly state: string;
  readonly taskType: string;
  readonly tasks: Ranking<Listed>;
}

/** What a store knows. Outlives the store objects that look at it, and several may: each is then a node of its own. */
export interface Memory {
  /** Drawn when it was made. */
  readonly id: string;
  readonly tasks: Map<string, TaskRow>;
  /** From request key to task id. */
  readonly requests: Map<string, string>;
  /** From node to the beat of its lease. */
  readonly leases: Map<string, number>;
  /** From node to the tasks that it holds, each with a number that rises. A node that holds nothing is not there. */
  readonly held: Map<string, Map<string, number>>;
  /** The last number of a hold. */
  holds: number;
  readonly schedule: Schedule;
  readonly owners: Map<string, OwnerRow>;
  /** By state and type, as one JSON text. */
  readonly states: Map<string, StateRow>;
  readonly tails: LocalTails;
}

/** Makes an empty memory. */
export function createMemory(): Memory {
  return {
    id: systemChance.hex(32),
    tasks: new Map(),
    requests: new Map(),
    leases: new Map(),
    held: new Map(),
    holds: 0,
    schedule: new Schedule(),
    owners: new Map(),
    states: new Map(),
    tails: createLocalTails(),
  };
}

/** Makes a task that nobody plans or lists yet, with an empty log. */
export function createTaskRow({ taskId, requestKey, owner, taskType, fields, sideValues, state }: NewTask): TaskRow {
  const entry = (task: TaskRow): TaskEntry => ({ task, at: 0, place: -1, hasTurn: false });
  const task = {
    taskId,
    requestKey,
    owner,
    taskType,
    fields: new Map(Object.entries(fields)),
    sideValues: new Map(Object.entries(sideValues)),
    revision: 1,
    plan: { wakeAt: null, work: null },
    log: [],
    lanes: new Map(),
    firstRetained: 1,
    lastEventId: null,
    ended: false,
    state,
    since: 0,
  };
  // Each stands for the other.
  const row = task as unknown as TaskRow;
  return Object.assign(row, { waking: entry(row), wanted: entry(row) });
}
