import type { EventId } from '../../machines/wire/index.ts';
import type { NameBackfill } from './backfill.ts';
import type { Epoch, LaneChanges, Lanes } from './lanes.ts';
import type { OwnerRegistry, Shares } from './owners.ts';

/** One fact as the log keeps it and as every viewer gets it: serialised once, never parsed again on its way out. */
export interface Entry {
  readonly eventId: EventId;
  /** The envelope as UTF-8 JSON on one line. */
  readonly bytes: Uint8Array;
}

/** Named parts of a task, each a JSON text. A store passes them through without looking inside. */
export interface Fields {
  readonly [name: string]: string;
}

/** The one who works on a task, or will. */
export type PlannedWork =
  /**
   * A node holds it: others leave it alone as long as that node's lease is seen to change. `until` is there for a lease of a date only, as
   * nodes of 0.1.0 take it, in milliseconds of the store's clock: such a task has no part in the rows of its node, and is due when the date
   * has come.
   */
  | { readonly heldBy: string; readonly until?: number }
  /**
   * Nobody does. From this time on, in milliseconds of the store's clock, any node may take it that handles tasks of its type; 0 is for work that
   * somebody waits for, and comes before all other work of its type.
   */
  | { readonly readyAt: number };

/** Where a task stands until its next commit, which replaces the plan as a whole. */
export interface Plan {
  /** When any node has to look at the task, whatever it handles, in milliseconds of the store's clock; null for never. */
  readonly wakeAt: number | null;
  /** Its work; null for a task that rests: a commit that brings an answer or a cancel plans anew. */
  readonly work: PlannedWork | null;
}

/**
 * The sign of life of a node, as it was seen. A node has one row in each bucket of a store (one in all where the store has no buckets), and
 * renews all of them at once. It has no date: who sees it unchanged for long enough, by a clock of his own, knows that its node is gone.
 */
export interface Lease {
  /** '' where the store has no buckets; else the first two digits of the ids of its tasks. */
  readonly bucket: string;
  readonly node: string;
  /** Rises with each renewal, and never repeats. An exclusive store may leave it at 0. */
  readonly beat: number;
}

/** A task that does not exist yet. */
export interface NewTask {
  /** 32 hex digits; the first two are the bucket, and the same as those of `requestKey`, so that both can live in one slot. */
  readonly taskId: string;
  /** 64 hex digits: the hash of (owner, clientRequestId). */
  readonly requestKey: string;
  /** Whose it is: among tasks that wait for the same work, owners have their turns. */
  readonly owner: string;
  readonly taskType: string;
  readonly fields: Fields;
  /** Values that are read one by one, not with the fields. */
  readonly sideValues: Fields;
  readonly plan: Plan;
  /** Its public state: tasks are listed by it. */
  readonly state: string;
  /** What it adds to what its owner has, in the same step where it can be. Each is at least 0. */
  readonly adds: Partial<Shares>;
  /** The most that its owner may have, of those shares that have a limit, with what it adds. */
  readonly sharesMax: Partial<Shares>;
}

/** Everything that changes together. */
export interface Commit {
  readonly taskId: string;
  /** The revision that the decision was based on. */
  readonly expectedRevision: number;
  /** The new facts, their ids dense after the last one. May be empty. */
  readonly facts: readonly Entry[];
  /** True when the last of `facts` ends the log. */
  readonly ended: boolean;
  /** Fields that changed; the others stay. */
  readonly fields: Fields;
  /** Side values that are new or changed; the others stay. */
  readonly sideValues: Fields;
  readonly plan: Plan;
  /** The public state, where it changed; the one that it has already changes nothing. */
  readonly state?: string;
  /** Refused as `'lease changed'` unless this lease stands as it was seen, in the bucket of the task. */
  readonly ifLease?: Lease;
  /** Facts with a smaller `n` are dropped with this commit. Never brings dropped ones back; a number beyond the last fact drops all. */
  readonly firstRetained: number;
  /** What changes of the task's lanes; only for a store that has `lanes`. */
  readonly lanes?: LaneChanges;
}

/** A task as `load` gives it. */
export interface LoadedTask {
  /** 1 after `create`, one more with every commit. */
  readonly revision: number;
  /** All fields. */
  readonly fields: Fields;
}

/** What a node asks for when it looks for something to do. */
export interface TakeRequest {
  /** The task types whose work this node does; `any` where it takes every type, and so cannot name them. */
  readonly types: readonly string[] | 'any';
  /** Most tasks to look at, at least 1. */
  readonly dueMax: number;
  /** Most tasks whose work this node has room for; 0 for none. */
  readonly readyMax: number;
  /** So long, in milliseconds, nobody else is shown what this call gives, unless a commit plans it anew. */
  readonly hideMs: number;
  /**
   * Owners whose work is not to be shown under `ready`: they have all that they may have. It stays wanted, and is not hidden: a request without
   * them gives it at once. At most 256.
   */
  readonly without?: readonly string[];
}

/** Task ids. */
export interface TakenTasks {
  /** Their `wakeAt` has come. */
  readonly due: readonly string[];
  /** Their work is wanted, and is of a type that was asked for. None of them is among `due`. */
  readonly ready: readonly string[];
}

/** What became of a renewal in one bucket. */
export interface Renewal {
  readonly bucket: string;
  /**
   * `reset`: the row was gone, or older than what was confirmed, so that the bucket has lost what was written last; the row is renewed all the
   * same. `unanswered`: nobody knows.
   */
  readonly outcome: 'renewed' | 'reset' | 'unanswered';
}

/** Tasks that a node holds in one bucket. */
export interface HeldPage {
  readonly taskIds: readonly string[];
  /** Where to go on; undefined at the end. A task may be given twice, and one that was let go of meanwhile may be among them. */
  readonly next: string | undefined;
}

/** A run of the log. All parts are of one moment. A store may give the very object again, but only while the task has not changed. */
export interface LogPage {
  /** Facts with `n ≥ from`, dense, as many as the limits allow and at least one where there is one. */
  readonly entries: readonly Entry[];
  /** The first fact that is still kept; null where none is. */
  readonly firstEventId: EventId | null;
  /** The newest fact, also where it is no longer kept; null where there was none. */
  readonly lastEventId: EventId | null;
  /** True when nothing can follow `lastEventId`. */
  readonly ended: boolean;
}

/** What `create` did. */
export type Created =
  | { readonly created: true }
  /** The request key belongs to this task. */
  | { readonly created: false; readonly taskId: string }
  /** Its owner would have more than he may: of this share, the first such in the order of `shareNames`. */
  | { readonly created: false; readonly full: keyof Shares };

/**
 * Tasks and what is known of them. Every write is one atomic step. A store that cannot say whether it wrote throws; the caller loads again
 * and decides again.
 */
export interface TaskRegistry {
  /**
   * Writes a task, its request key, its name and its state, or says which task has that key, whatever its owner has. Writes nothing, no name
   * either, where a share to which it adds would pass its limit. Throws, and names the id, where it belongs to a task of another key.
   */
  create(task: NewTask): Promise<Created>;
  /** Reads a task; undefined for one that there is not. Gives the very object of the last time only where the task has not changed since. */
  load(taskId: string): Promise<LoadedTask | undefined>;
  /** Reads side values by name; undefined for each that is not there, and for all of an unknown task. */
  sideValues(taskId: string, names: readonly string[]): Promise<readonly (string | undefined)[]>;
  /**
   * Writes all of a commit, or nothing where the revision is another one, the task is gone, the lease that it names has changed, or lanes are not as its
   * caller saw them: a conflict where one that it closes is not sealed or has another length, or one that goes on has another length or epoch. Throws,
   * and writes nothing, for facts whose numbers are not the next ones, for facts after the end, for an end that leaves a lane open, and for lanes that
   * cannot be opened, since they are there, or not go on or be closed, since they are not open. A write that failed leaves the store able to take the next one. Texts are
   * any JSON: `\0` as an escape, no half characters. The bytes of a fact may be a view into a larger buffer.
   */
  append(commit: Commit): Promise<'committed' | 'conflict' | 'lease changed'>;
  /**
   * Deletes a task with its log, side values, plan, state, name and request key; a conflict where its revision is another one or it is gone.
   * Leaves a request key and its name alone that another task has by now, and counts as they are.
   */
  remove(taskId: string, requestKey: string, expectedRevision: number): Promise<'removed' | 'conflict'>;
}

/**
 * Who works on what: found by any node, held by one.
 *
 * An exclusive store knows one living node, the one that opened it: `renew` may answer nothing and write nothing, and `leases` may be no more
 * than the names of those who hold something, with beat 0. What else is said here is the same.
 */
export interface WorkRegistry {
  /**
   * Gives what is ripe by the store's clock, at most as many as asked for, at least one of a kind where there is one, and hides it from
   * everybody for a while, under either head. What is hidden is not claimed: whoever took it and dies has lost nothing but that time.
   *
   * Nothing is promised of the order between buckets. Within one the earliest `wakeAt` comes first; and among tasks whose work is wanted each
   * owner has his turn, for the earliest `readyAt` of his own: who has a thousand of them stands behind the first of everybody else.
   */
  take(request: TakeRequest): Promise<TakenTasks>;
  /**
   * Renews the lease of a node in every bucket. `confirmed` is the last beat that was answered in all of them, 0 before the first. A renewal
   * that comes late never lowers a row. Never rejects for a store that does not answer: such buckets are `unanswered`.
   */
  renew(node: string, confirmed: number, beat: number): Promise<readonly Renewal[]>;
  /** The leases of all nodes that hold something, or did. A commit that has a node hold a task puts its missing row back with beat 0. */
  leases(): Promise<readonly Lease[]>;
  /** Tasks that the node of a lease holds in its bucket, about `limit` at once: a page may have a few more, or fewer, and none is not the end. */
  held(of: Lease, limit: number, after?: string): Promise<HeldPage>;
  /** Drops the row of a node that holds nothing in this bucket; false, and nothing dropped, where it holds something or was renewed since. */
  dropLease(of: Lease): Promise<boolean>;
}

/** Told of commits that bring facts, in the order of their ids within a task, never inside `append`. A message may be lost; the ids show it. */
export interface TailListener {
  /** `before` is the id of the fact that the first one was written after, null where it is the first: numbers alone do not tell two histories apart. */
  committed(taskId: string, entries: readonly Entry[], ended: boolean, before: EventId | null): void;
  /** The connection to the store was renewed: anything may have been missed. */
  interrupted(): void;
  /** Some node announced something, this one included. Undefined where nobody wants to know. */
  announced?(notice: string): void;
  /**
   * Bytes that were added to a lane at a place, in the order of the lane; a message may be lost, the next place shows it. So does one without bytes: more was
   * added before that place than a message is to carry. Of a lane whose value is replaced (`latest`) it is the whole value, and the version before. Facts that opened
   * the lane were told before, those that close it are told later. Undefined where nobody wants to know.
   */
  part?(taskId: string, lane: EventId, epoch: Epoch, at: number, bytes: Uint8Array, latest?: true): void;
}

/** The one live tail of a process. Where all commits happen in one process, `createLocalTails` of the memory adapter is all of it. */
export interface Tail {
  /** From when this resolves, commits of the task are told, once however often it is called. */
  watch(taskId: string): Promise<void>;
  /** The same for the bytes of the task's lanes. There where the store has `lanes`. */
  watchParts?(taskId: string): Promise<void>;
  /** From now on nothing is told of the task, however often it was watched. */
  unwatch(taskId: string): void;
  /**
   * Tells every open tail of this store, in all processes, a text of any length: those of this process, and those that watch a task or did.
   * Nothing is kept: who is not connected now never hears it. Resolves when the store took it, rejects where it did not.
   */
  announce(notice: string): Promise<void>;
  close(): Promise<void>;
}

/** The logs of all tasks. */
export interface EventStore {
  /** Reads from the `n`th fact on; undefined for an unknown task. Stops before `bytes` is passed, but never gives less than one fact. */
  read(taskId: string, from: number, limit: { readonly facts: number; readonly bytes: number }): Promise<LogPage | undefined>;
  /** The newest id of each task, null where the log is empty or the task is gone. */
  lastEventIds(taskIds: readonly string[]): Promise<readonly (EventId | null)[]>;
  tail(listener: TailListener): Tail;
}

/** A place where tasks and their logs live. */
export interface Store extends TaskRegistry, WorkRegistry, OwnerRegistry, EventStore {
  /** What logs and the readiness check call it. */
  readonly name: string;
  /** True where one process owns the store: whoever held work before this process opened it is gone. */
  readonly exclusive: boolean;
  /** Where the bytes of parts are; absent where the store keeps none: then no task has a part. */
  readonly lanes?: Lanes;
  /** Finds tasks that have no name; absent where there are none, since no release before names wrote into such a store. */
  readonly backfill?: NameBackfill;
  /**
   * Which store this is, as 32 hex digits: drawn when somebody first asks, the same for every process and after every restart, and others where the
   * store has lost everything. Asked of the store each time. Of two that ask first at once, both get what was written.
   */
  id(): Promise<string>;
  /** To be called before anything else; once more does nothing. */
  open(): Promise<void>;
  /** Finishes what was asked before. Afterwards all verbs but `now` throw until it is opened again; once more does nothing. */
  close(): Promise<void>;
  /** The store's clock, in milliseconds since the epoch. */
  now(): Promise<number>;
}
