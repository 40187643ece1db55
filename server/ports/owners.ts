import type { Fields, Plan } from './store.ts';

/** What one owner has of a host, or may have: whole numbers, never below 0. */
export interface Shares {
  /** Tasks whose work a node holds. */
  readonly active: number;
  /** Tasks whose work is wanted, and that nobody holds. */
  readonly waiting: number;
  /** Open questions. */
  readonly questions: number;
  /** Tasks that are stored, those that have ended among them. */
  readonly tasks: number;
  /** Bytes that are stored for them. */
  readonly bytes: number;
}

/** The shares that are counted, in the order in which a store compares them. */
export const shareNames = ['active', 'waiting', 'questions', 'tasks', 'bytes'] as const satisfies readonly (keyof Shares)[];

/** The counts of one owner, as his record has them. */
export interface OwnerCounts {
  readonly shares: Shares;
  /** Rises with every change of the counts; 0 where there is no record. */
  readonly version: number;
  /** When `setShares` last wrote them, in milliseconds of the store's clock; 0 for never. */
  readonly countedAt: number;
}

/** A task in its owner's list. */
export interface Name {
  readonly requestKey: string;
  /** When it was named, in milliseconds of the store's clock; where two requests of one name are to be told apart, with a fraction. */
  readonly at: number;
}

/** What becomes of what an owner has. */
export interface CountChange {
  readonly owner: string;
  /** What is added, or taken away. A count that would fall below 0 is 0. */
  readonly by: Partial<Shares>;
  /** Put back where it is missing; one that is there stays as it is. */
  readonly name?: Name;
}

/** What `glance` sees of a task. */
export interface Glance {
  readonly taskId: string;
  /** Undefined for a task that was written before there were states, and not since. */
  readonly state: string | undefined;
  readonly plan: Plan;
  /** Those of the fields that were asked for which it has. */
  readonly fields: Fields;
}

/** A task in the list of those of one state and type. */
export interface Listed {
  readonly taskId: string;
  /** When it came there, in milliseconds of the store's clock. */
  readonly since: number;
}

/** Owners, a page of them. */
export interface OwnersPage {
  readonly owners: readonly string[];
  /** Where to go on; undefined at the end. An owner may be given twice. */
  readonly next: string | undefined;
}

/**
 * What an owner has: the names of his tasks, and counts.
 *
 * *Names and counts are soft*: where a task and its owner's record lie on different servers, a crash between two writes leaves a name without a
 * task, or a count that is a little off. Whoever finds a name without a task forgets it; the counts are set right by `setShares`. *States are
 * exact*: they change in the very step of the task's commit.
 */
export interface OwnerRegistry {
  /** An owner's tasks, newest first: by `at`, those of one time by `requestKey`, both falling. At most `limit`, all of them after `after` in that order. */
  names(owner: string, limit: number, after?: Name): Promise<readonly Name[]>;
  /** Looks at the tasks of request keys, each as it stands; undefined where there is none. `fieldNames` are the fields that are wanted. */
  glance(requestKeys: readonly string[], fieldNames: readonly string[]): Promise<readonly (Glance | undefined)[]>;
  /** Drops a name, unless it was named anew since. Touches no task. */
  forget(owner: string, name: Name): Promise<void>;
  /** Changes counts, each as one step, and says of each what its owner has afterwards. An empty `by` only asks. */
  count(changes: readonly CountChange[]): Promise<readonly Shares[]>;
  /** Counts of an owner; all 0, with version 0, where he has no record. */
  shares(owner: string): Promise<OwnerCounts>;
  /**
   * Writes counts that were found by looking at every task; false, and nothing written, where they were changed since that version. Drops the
   * record of an owner who has neither names nor anything else.
   */
  setShares(owner: string, shares: Shares, ifVersion: number): Promise<boolean>;
  /** All owners who have a record or a name, in no order, about `limit` at once: a page may have more, or fewer, and none is not the end. */
  owners(limit: number, after?: string): Promise<OwnersPage>;
  /** Tasks of a state and a type, in the order in which they came there, those of one time by id; at most `limit`, all of them after `after`. */
  inState(state: string, taskType: string, limit: number, after?: Listed): Promise<readonly Listed[]>;
  /** How many tasks there are of each state and type, in no order, 0 left out. */
  counts(): Promise<readonly { readonly state: string; readonly taskType: string; readonly count: number }[]>;
}
