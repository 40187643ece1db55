/** What a system can be told that is started where another one left tasks. */
export interface RestartedSystem {
  /** From the start of its process until it listened, in milliseconds. */
  listenedMs(nothing: null): number;
  /** From the start of its process until all that waits has run to its end, and all that asks asks again. */
  workedOffMs(nothing: null): Promise<number>;
}

/** Tasks that are made: `work` waits for a slot that is never free, `ask` runs until it waits for an answer. */
export interface NewTasks {
  readonly kind: 'work' | 'ask';
  readonly count: number;
  /** Bytes of each task's input. */
  readonly inputBytes: number;
}

/** What a process did for a while. */
export interface Stretch {
  /** The longest time that its event loop stood, in milliseconds. */
  readonly stallMs: number;
  /** How much of a core it used, in percent. */
  readonly corePercent: number;
}

/** A host that works on tasks. */
export interface WorkSystem extends RestartedSystem {
  /** The longest stall until so many milliseconds after the start of its process, its imports left out. */
  stallMs(untilMs: number): Promise<number>;
  /** Resolves when all of them wait. */
  create(tasks: NewTasks): Promise<void>;
  /** Leaves it alone for so many milliseconds. */
  rest(ms: number): Promise<Stretch>;
  /** In bytes, after collections of garbage. */
  memory(nothing: null): Promise<{ readonly rss: number; readonly heap: number }>;
}
