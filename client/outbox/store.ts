/** What any entry in a store has, whatever version wrote it. */
export interface StoredEntry {
  readonly v: number;
  readonly id: string;
  readonly place: number;
}

/** What one step changes. */
export interface OutboxChange {
  /** Added, or put in the place of the entry with the same id. */
  readonly keep?: readonly StoredEntry[];
  /** Ids. */
  readonly remove?: readonly string[];
}

/** Where an outbox is kept. Shared by all tabs that have it open. */
export interface OutboxStore {
  /** Whose outbox it is: part of the names of its lock and its channel. */
  readonly name: string;
  /** True where entries may hold bytes and blobs. */
  readonly keepsBinary: boolean;
  /** Everything that is kept, in any order. */
  read(): Promise<readonly StoredEntry[]>;
  /**
   * One step: `decide` sees everything that is kept and says what changes. Nobody else's step comes in between, and a crash leaves all of it
   * or nothing, as far as the store can; each adapter says how far. Rejects with what `decide` throws, changing nothing.
   */
  change(decide: (entries: readonly StoredEntry[]) => OutboxChange): Promise<void>;
}

/** Keeps commands as long as the process lives. Outboxes with the same store object share it. */
export function memoryOutbox(name: string): OutboxStore {
  const kept = new Map<string, StoredEntry>();
  return {
    name,
    keepsBinary: true,
    read: async () => [...kept.values()],
    async change(decide) {
      const { keep = [], remove = [] } = decide([...kept.values()]);
      for (const entry of keep) kept.set(entry.id, entry);
      for (const id of remove) kept.delete(id);
    },
  };
}
