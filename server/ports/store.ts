import type { EventId } from '../../machines/wire/index.ts';

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

/** A task that does not exist yet. */
export interface NewTask {
  /** 32 hex digits; the first two are the bucket, and the same as those of `requestKey`, so that both can live in one slot. */
  readonly taskId: string;
  /** 64 hex digits: the hash of (owner, clientRequestId). */
  readonly requestKey: string;
  readonly fields: Fields;
  /** Values that are read one by one, not with the fields. */
  readonly sideValues: Fields;
  /** When a node has to look at the task, in milliseconds of the store's clock. */
  readonly dueAt: number | null;
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
  /** Replaces the time at which a node has to look at the task; null for never. */
  readonly dueAt: number | null;
  /** Facts with a smaller `n` are dropped with this commit. Never brings dropped ones back; a number beyond the last fact drops all. */
  readonly firstRetained: number;
}

/** A task as `load` gives it. */
export interface LoadedTask {
  /** 1 after `create`, one more with every commit. */
  readonly revision: number;
  /** All fields. */
  readonly fields: Fields;
}

/** A task that is due, and since when. */
export interface DueTask {
  readonly taskId: string;
  readonly dueAt: number;
}

/** A run of the log. All parts are of one moment. */
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
export type Created = { readonly created: true } | { readonly created: false; readonly taskId: string };

/**
 * Tasks and what is known of them. Every write is one atomic step. A store that cannot say whether it wrote throws; the caller loads again
 * and decides again.
 */
export interface TaskRegistry {
  /** Writes a task and its request key, or says which task has that key. Throws, and names the id, where it belongs to a task of another key. */
  create(task: NewTask): Promise<Created>;
  load(taskId: string): Promise<LoadedTask | undefined>;
  /** Reads side values by name; undefined for each that is not there, and for all of an unknown task. */
  sideValues(taskId: string, names: readonly string[]): Promise<readonly (string | undefined)[]>;
  /**
   * Writes all of a commit, or nothing where the revision is another one or the task is gone. Throws, and writes nothing, for facts whose
   * numbers are not the next ones, and for facts after the end. A write that failed leaves the store able to take the next one. Texts are
   * any JSON: `\0` as an escape, no half characters. The bytes of a fact may be a view into a larger buffer.
   */
  append(commit: Commit): Promise<'committed' | 'conflict'>;
  /**
   * Deletes a task with its log, side values, due time and request key; a conflict where its revision is another one or it is gone. Leaves a
   * request key alone that another task has by now.
   */
  remove(taskId: string, requestKey: string, expectedRevision: number): Promise<'removed' | 'conflict'>;
  /** Tasks whose time is at or before `until`, earliest first (then by id), those after the position `after` only. */
  due(until: number, limit: number, after?: DueTask): Promise<readonly DueTask[]>;
}

/** Told of commits that bring facts, in the order of their ids within a task, never inside `append`. A message may be lost; the ids show it. */
export interface TailListener {
  /** `before` is the id of the fact that the first one was written after, null where it is the first: numbers alone do not tell two histories apart. */
  committed(taskId: string, entries: readonly Entry[], ended: boolean, before: EventId | null): void;
  /** The connection to the store was renewed: anything may have been missed. */
  interrupted(): void;
}

/** The one live tail of a process. Where all commits happen in one process, `createLocalTails` of the memory adapter is all of it. */
export interface Tail {
  /** From when this resolves, commits of the task are told, once however often it is called. */
  watch(taskId: string): Promise<void>;
  /** From now on nothing is told of the task, however often it was watched. */
  unwatch(taskId: string): void;
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
export interface Store extends TaskRegistry, EventStore {
  /** What logs and the readiness check call it. */
  readonly name: string;
  /** True where one process owns the store: whoever held work before this process opened it is gone. */
  readonly exclusive: boolean;
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
