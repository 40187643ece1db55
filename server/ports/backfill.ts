import type { Name } from './owners.ts';

/** Request keys, a page of them. */
export interface RequestsPage {
  readonly requestKeys: readonly string[];
  /** Where to go on; undefined at the end. A key may be given twice. */
  readonly next: string | undefined;
}

/** A name, and whose it is. */
export interface OwnedName extends Name {
  readonly owner: string;
}

/**
 * Finds tasks that were written before there were names, so that their owners' lists get them. All of it may be asked by several nodes at once, and
 * beside an older release that still writes such tasks.
 */
export interface NameBackfill {
  /**
   * Request keys of all tasks, in no order, about `limit` at once: a page may have more, or fewer, and none is not the end. What is created or moved to
   * another server meanwhile may be left out; what was there before, and stays, is not. A place that the store has lost begins anew.
   */
  requests(limit: number, after?: string): Promise<RequestsPage>;
  /** Says of each name whether its owner's list lacks it. */
  missing(names: readonly OwnedName[]): Promise<readonly boolean[]>;
  /** The text that was kept last; undefined before the first. */
  kept(): Promise<string | undefined>;
  /** Keeps a text in place of the one before: how far somebody came. */
  keep(text: string): Promise<void>;
}
