/** Where tasks are kept. */
export type CreatingStore = 'memory' | 'LMDB' | 'Redis';

/** What a task does once it was created: ends at once; reports two facts, each awaited, and ends; or asks, and ends when it is answered. */
export type CreatedWork = 'end' | 'facts' | 'ask';

/** A task that waits for an answer. */
export interface AskedTask {
  readonly taskId: string;
  readonly suspendId: string;
}

/** A host whose tasks are created, answered and cancelled over HTTP. */
export interface CreatingSystem {
  /** Resolves when so many tasks have ended since its process began; gives the processor time that it has used by then, in microseconds. */
  ended(tasks: number): Promise<number>;
  /** Makes so many tasks, and resolves when all of them wait for an answer. */
  ask(tasks: number): Promise<readonly AskedTask[]>;
  /** Processor time that the process has used, in microseconds. */
  cpu(nothing: null): number;
}
