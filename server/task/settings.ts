/** What a host may set about tasks. Every value has a default and is checked at construction. */
export interface TaskSettings {
  /** Facts that a log keeps, approximately. Defaults to 1000. An open question keeps up to ten times as many. */
  readonly retainedFactsMax: number;
  /** How long a task is kept after its end, in milliseconds. Defaults to 24 hours. */
  readonly retainedAfterEndMs: number;
  /** How long an executor that cannot be reached is asked again, in milliseconds. Defaults to 5 minutes. */
  readonly startWithinMs: number;
  /** How long one `start`, `resume` or `cancel` of an executor may take, in milliseconds. Defaults to 10 seconds. */
  readonly executorTimeoutMs: number;
  /** Pause before an effect that failed is tried again, in milliseconds. Defaults to 1 second, doubling up to 30. */
  readonly effectRetryMs: number;
  /** How long a running task that was asked to stop may go on, in milliseconds. Defaults to 30 seconds. */
  readonly cancelGraceMs: number;
  /** How long a node that is not heard of holds its work, in milliseconds. Defaults to 30 seconds. */
  readonly leaseMs: number;
  /**
   * How often in a row the process may crash in which a task's work runs, before the task fails as `WORK_LOST`. Work that saved something new, came to
   * wait for a person or was handed an answer begins to count anew, and so does what was watched after a crash and crashed nothing; but all of its
   * crashes are counted too, and four times as many end it. Below 3 it ends work that only ran beside what crashed. Defaults to 5.
   */
  readonly crashesMax: number;
  /** Calls of one executor that go on at once, at most; further ones wait. Defaults to 64. */
  readonly executorCallsMax: number;
  /** How often an executor is asked after work that an outside system keeps, in milliseconds. Defaults to 30 seconds. */
  readonly inspectMs: number;
  /** How often due tasks are looked for, in milliseconds. Defaults to 500. */
  readonly reconcileMs: number;
  /**
   * How long `/ready` says 503 after a write that the store did not take, where none succeeds and none fails again, in milliseconds. Defaults to 30
   * seconds.
   */
  readonly readyAgainMs: number;
  /** Tasks whose state a node keeps at hand, and actors of tasks that it gives out. Defaults to 10 000. */
  readonly hotTasksMax: number;
  /** Intents that may wait for one task, and requests for one of its actors. Defaults to 10 000; more are answered `RATE_LIMITED`. */
  readonly waitingIntentsMax: number;
  /** Facts of one append, at which the rest waits for the next. Defaults to 256. */
  readonly appendFactsMax: number;
  /** Largest fact, in bytes as it goes over the wire. Defaults to 1 MiB. */
  readonly factBytesMax: number;
  /** Files that one task's work may make. Defaults to 16. */
  readonly attachmentsMax: number;
  /** Largest of them, in bytes. Defaults to 64 MiB. */
  readonly attachmentBytesMax: number;
  /** Retries whose files this node copies at once; one more is `RATE_LIMITED`, and sent again it is taken. A task without files is not counted. Defaults to 16. */
  readonly copiesMax: number;
  /** … of one owner. Defaults to 4. */
  readonly copiesPerOwnerMax: number;
  /**
   * Tasks of one owner that are at work at once on all nodes, about; those that wait for a person among them. Further ones wait in the store.
   * Defaults to 500; this, what follows and `copiesPerOwnerMax` may be `Infinity`.
   */
  readonly activePerOwnerMax: number;
  /** Tasks of one owner that wait for work to begin; a create beyond that is `RATE_LIMITED`. Defaults to 10 000. */
  readonly waitingPerOwnerMax: number;
  /** Open questions of one owner, about; a further one is refused to the work that asks, as `QUESTIONS_FULL`. Defaults to 1000. */
  readonly questionsPerOwnerMax: number;
  /** Tasks of one owner that are stored, also those that have ended; a create beyond that is `RATE_LIMITED`. Defaults to 100 000. */
  readonly tasksPerOwnerMax: number;
  /**
   * Bytes that are stored for the tasks of one owner: what they were created with, files, those that work made among them, what work saved, questions, answers, results. A create
   * beyond that is `RATE_LIMITED`; what belongs to a task that is there is never refused for it. Defaults to 1 GiB.
   */
  readonly bytesPerOwnerMax: number;
}

/** The defaults of {@link TaskSettings}. */
export const taskDefaults: TaskSettings = {
  retainedFactsMax: 1000,
  retainedAfterEndMs: 24 * 60 * 60 * 1000,
  startWithinMs: 5 * 60 * 1000,
  executorTimeoutMs: 10_000,
  effectRetryMs: 1000,
  cancelGraceMs: 30_000,
  leaseMs: 30_000,
  crashesMax: 5,
  executorCallsMax: 64,
  inspectMs: 30_000,
  reconcileMs: 500,
  readyAgainMs: 30_000,
  hotTasksMax: 10_000,
  waitingIntentsMax: 10_000,
  appendFactsMax: 256,
  factBytesMax: 1024 * 1024,
  attachmentsMax: 16,
  attachmentBytesMax: 64 * 1024 * 1024,
  copiesMax: 16,
  copiesPerOwnerMax: 4,
  activePerOwnerMax: 500,
  waitingPerOwnerMax: 10_000,
  questionsPerOwnerMax: 1000,
  tasksPerOwnerMax: 100_000,
  bytesPerOwnerMax: 1024 ** 3,
};

/** The longest delay that a timer takes; one that is set for longer fires at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;
/** Settings that a timer waits for; all other times are looked for as they fall due. */
const timers: readonly string[] = ['executorTimeoutMs', 'reconcileMs'] satisfies (keyof TaskSettings)[];

/** Fills in the defaults. Throws a `RangeError` that names the setting for a value that cannot work. */
export function taskSettings(given: Partial<TaskSettings> = {}): TaskSettings {
  const settings = { ...taskDefaults, ...given };
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(taskDefaults, name)) throw new RangeError(`There is no setting "${name}" of tasks.`);
    // A share may be all that the process has.
    if (value === Infinity && name.endsWith('PerOwnerMax')) continue;
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} (${value}) must be a whole number of at least 1.`);
    if (timers.includes(name) && value > DELAY_MS_MAX) throw new RangeError(`${name} (${value}) must be at most ${DELAY_MS_MAX}.`);
  }
  if (settings.reconcileMs * 3 > settings.leaseMs)
    throw new RangeError(
      `reconcileMs (${settings.reconcileMs}) must be at most a third of leaseMs (${settings.leaseMs}), or leases run out between two searches.`,
    );
  return settings;
}
