import { NewerVersionError, type RetryPolicy } from '../../machines/index.ts';
import type { Decided } from '../actors/unit-trace.ts';
import { TaskBridgeError, taskNotFound } from '../errors.ts';
import type { Created, NewTask } from '../ports/store.ts';
import type { CommitListener, MailboxDeps, ProcessorDeps } from './processor-deps.ts';
import { LastWrites } from './last-writes.ts';
import { commitRetry, Mailbox, type Command } from './mailbox.ts';
import { parseTaskRecord, type TaskRecord } from './task-record.ts';

/** Somebody waits for the answer to a create, and may send it again. */
const createRetry: RetryPolicy = { baseMs: 0, maxMs: 0, triesMax: 2, jitter: 0 };

/**
 * Tasks that have ended and are still at hand, for who is about to ask how they ended. All the others would be carried through every collection of
 * garbage, ten thousand of them, for nobody.
 */
export const ENDED_AT_HAND_MAX = 256;

/** The one way to change a task: a command goes in, what the charts emit is committed in one atomic step, the answer comes out. */
export class CommandProcessor {
  readonly #deps: MailboxDeps;
  readonly #mailboxes = new Map<string, Mailbox>();
  /** Tasks that have ended and may be at hand, the oldest end first. */
  readonly #ended = new Set<string>();
  readonly #listeners = new Set<CommitListener>();
  /** How the last writes went, those of tasks that are created or removed among them. */
  readonly lastWrites: LastWrites;
  #turn: Promise<void> | undefined;
  #isRetrying = true;

  constructor(deps: ProcessorDeps) {
    this.lastWrites = new LastWrites(deps.clock, deps.settings.readyAgainMs, deps.metrics);
    this.#deps = {
      ...deps,
      lastWrites: this.lastWrites,
      triesMax: () => this.#triesMax,
      committed: (...commit) => this.#committed(...commit),
      turnEnd: () => this.#turnEnd(),
      failure: asTaskBridgeError,
      drained: (taskId) => this.#drained(taskId),
    };
  }

  /**
   * Executes a command on the task. Throws `TASK_NOT_FOUND`, `RATE_LIMITED`, `STORE_UNAVAILABLE`, or what the command itself throws (then
   * nothing of it is written). `seen` is what was read of it a moment ago: it is not read once more where nobody else knows more of it, and what
   * has changed since shows when the command's changes are written, or when it has none.
   */
  execute<A>(taskId: string, command: Command<A>, seen?: TaskRecord): Promise<A> {
    // A store that is this node's alone never says that something has changed: its mailboxes read for themselves.
    const known = this.#deps.store.exclusive ? undefined : seen;
    const mailbox = this.#mailboxes.get(taskId) ?? new Mailbox(taskId, this.#deps, known);
    this.#touch(taskId, mailbox);
    return mailbox.submit(command);
  }

  /**
   * Writes a new task, or says which one its request made before: itself, where a reply was lost. Throws `STORE_UNAVAILABLE` where that cannot
   * be found out. The record that was written stays at hand where it is given: for a task that this node goes on with.
   */
  async create(task: NewTask, record?: TaskRecord): Promise<Created> {
    for (let tries = 0; ; tries++) {
      try {
        const created = await this.lastWrites.note('create', this.#deps.store.create(task), { isWritten: (answer) => answer.created });
        // Not one of which a reply was lost, nor one that a look has found before the reply: since then somebody may have gone on with it.
        if (record && created.created && !this.#mailboxes.has(task.taskId))
          this.#touch(task.taskId, new Mailbox(task.taskId, this.#deps, record));
        return created;
      } catch (error) {
        if (tries + 1 >= Math.min(createRetry.triesMax, this.#triesMax)) throw asTaskBridgeError(error);
        this.#deps.logger.warn('A create has no known outcome; it is tried again.', { taskId: task.taskId, error });
      }
    }
  }

  /** The task's record as it stands. Throws `TASK_NOT_FOUND` or `STORE_UNAVAILABLE`. */
  async read(taskId: string): Promise<TaskRecord> {
    const hot = this.#deps.store.exclusive ? this.#mailboxes.get(taskId)?.record : undefined;
    if (hot) return hot;
    try {
      const loaded = await this.#deps.store.load(taskId);
      if (loaded) return parseTaskRecord(loaded);
    } catch (error) {
      throw asTaskBridgeError(error);
    }
    throw taskNotFound(taskId);
  }

  /**
   * The task's record as this node knew it last: after a commit of its own, what that commit wrote. Another node may be further. Undefined where
   * it is not at hand any more, and is to be {@link read}.
   */
  known(taskId: string): TaskRecord | undefined {
    return this.#mailboxes.get(taskId)?.record;
  }

  /** Resolves when all that is decided for the task now has its answer; undefined where nothing is. */
  settled(taskId: string): Promise<void> | undefined {
    return this.#mailboxes.get(taskId)?.settled;
  }

  /** From now on what the store did not take is not tried again: the process is about to end. */
  stopRetrying(): void {
    this.#isRetrying = false;
  }

  get #triesMax(): number {
    return this.#isRetrying ? commitRetry.triesMax : 1;
  }

  /** Shows, where somebody inspects, what was decided without the charts: only there it is made. */
  decided(make: () => Decided): void {
    this.#deps.onDecided?.(make());
  }

  /** Forgets a task that was removed. */
  forget(taskId: string): void {
    this.#mailboxes.delete(taskId);
  }

  /** Reads a task anew next time: what is known of it may not stand any more. One on which something is decided finds out by itself. */
  doubt(taskId: string): void {
    if (this.#mailboxes.get(taskId)?.isIdle) this.#mailboxes.delete(taskId);
  }

  /** Calls back after every commit that this node made. */
  onCommitted(listener: CommitListener): void {
    this.#listeners.add(listener);
  }

  /** One for all that begin in a turn. */
  #turnEnd(): Promise<void> {
    return (this.#turn ??= new Promise((resolve) =>
      process.nextTick(() => {
        this.#turn = undefined;
        resolve();
      }),
    ));
  }

  #drained(taskId: string): void {
    const mailbox = this.#mailboxes.get(taskId);
    if (mailbox?.isResting || mailbox?.isForgettable) this.#mailboxes.delete(taskId);
  }

  #committed(...commit: Parameters<CommitListener>): void {
    const [{ about, execution }] = commit;
    if (execution.endedAt !== null) this.#noteEnded(about.taskId);
    for (const listener of this.#listeners) listener(...commit);
  }

  /** Keeps the tasks at hand that ended last; one that is still decided on goes when it has its next commit, or its place in the line of all. */
  #noteEnded(taskId: string): void {
    this.#ended.delete(taskId);
    this.#ended.add(taskId);
    if (this.#ended.size <= ENDED_AT_HAND_MAX) return;
    for (const oldest of this.#ended) {
      this.#ended.delete(oldest);
      if (this.#mailboxes.get(oldest)?.isIdle) this.#mailboxes.delete(oldest);
      return;
    }
  }

  /** Keeps the most recent mailboxes at hand and drops idle ones beyond the limit; never this one, or its task would have two. */
  #touch(taskId: string, mailbox: Mailbox): void {
    this.#mailboxes.delete(taskId);
    this.#mailboxes.set(taskId, mailbox);
    if (this.#mailboxes.size <= this.#deps.settings.hotTasksMax) return;
    for (const [id, { isIdle }] of this.#mailboxes) {
      if (id === taskId || !isIdle) continue;
      this.#mailboxes.delete(id);
      return;
    }
  }
}

/** What a caller is told of a failure of the store. */
export function asTaskBridgeError(error: unknown): TaskBridgeError {
  if (error instanceof TaskBridgeError) return error;
  const message =
    error instanceof NewerVersionError
      ? 'A newer version of this service looks after the task; try again later.'
      : 'The store did not answer; try again later.';
  return new TaskBridgeError('STORE_UNAVAILABLE', message, { retryAfterSeconds: 5, cause: error });
}
