/** Where tasks are kept. */
export type CreatingStore = 'memory' | 'LMDB' | 'Redis';

/** What a task does once it was created: ends at once, or reports two facts, each awaited, and ends. */
export type CreatedWork = 'end' | 'facts';

/** A host whose tasks are created over HTTP. */
export interface CreatingSystem {
  /** Resolves when so many tasks have ended since its process began; gives the processor time that it has used by then, in microseconds. */
  ended(tasks: number): Promise<number>;
}
