import { NewerVersionError, type RetryPolicy } from '../../machines/index.ts';
import { TaskBridgeError, taskNotFound } from '../errors.ts';
import type { Created, NewTask } from '../ports/store.ts';
import type { DeskContext, Drawer } from './desk-context.ts';
import { commitRetry, Mailbox, type Ask } from './mailbox.ts';
import { parseState, type TaskState } from './task-state.ts';

/** Somebody waits for the answer to a create, and may send it again. */
const createRetry: RetryPolicy = { baseMs: 0, maxMs: 0, triesMax: 2, jitter: 0 };

/** The one way to change a task: an intent goes in, what the charts emit is committed in one atomic step, the answer comes out. */
export class Desk implements Drawer {
  readonly #context: DeskContext;
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #listeners = new Set<(state: TaskState) => void>();

  #isHurried = false;

  constructor(context: DeskContext) {
    this.#context = context;
  }

  /**
   * Asks the task. Throws `TASK_NOT_FOUND`, `RATE_LIMITED`, `STORE_UNAVAILABLE`, or what the ask itself throws (then nothing of that ask is
   * written).
   */
  async ask<A>(taskId: string, ask: Ask<A>): Promise<A> {
    const mailbox = this.#mailboxes.get(taskId) ?? new Mailbox(taskId, this.#context, this);
    this.#touch(taskId, mailbox);
    try {
      return await mailbox.submit(ask);
    } catch (error) {
      if (mailbox.isIdle && !mailbox.state && this.#mailboxes.get(taskId) === mailbox) this.#mailboxes.delete(taskId);
      throw asTaskBridgeError(error);
    }
  }

  /**
   * Writes a new task, or says which one its request made before: itself, where a reply was lost. Throws `STORE_UNAVAILABLE` where that cannot
   * be found out.
   */
  async create(task: NewTask): Promise<Created> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#context.store.create(task);
      } catch (error) {
        if (tries + 1 >= Math.min(createRetry.triesMax, this.triesMax)) throw asTaskBridgeError(error);
        this.#context.logger.warn('A create has no known outcome; it is asked again.', { taskId: task.taskId, error });
      }
    }
  }

  /** The task as it stands. Throws `TASK_NOT_FOUND` or `STORE_UNAVAILABLE`. */
  async read(taskId: string): Promise<TaskState> {
    const hot = this.#context.store.exclusive ? this.#mailboxes.get(taskId)?.state : undefined;
    if (hot) return hot;
    try {
      const loaded = await this.#context.store.load(taskId);
      if (loaded) return parseState(loaded);
    } catch (error) {
      throw asTaskBridgeError(error);
    }
    throw taskNotFound(taskId);
  }

  /** From now on a store that fails is not asked again: the process is about to end. */
  hurry(): void {
    this.#isHurried = true;
  }

  /** @internal */
  get triesMax(): number {
    return this.#isHurried ? 1 : commitRetry.triesMax;
  }

  /** Forgets a task that was removed. */
  forget(taskId: string): void {
    this.#mailboxes.delete(taskId);
  }

  /** Calls back after every commit that this node made. */
  onCommitted(listener: (state: TaskState) => void): void {
    this.#listeners.add(listener);
  }

  /** @internal */
  committed(state: TaskState): void {
    for (const listener of this.#listeners) listener(state);
  }

  /** Keeps the most recent mailboxes at hand and lets go of idle ones beyond the limit; never of this one, or its task would have two. */
  #touch(taskId: string, mailbox: Mailbox): void {
    this.#mailboxes.delete(taskId);
    this.#mailboxes.set(taskId, mailbox);
    if (this.#mailboxes.size <= this.#context.settings.hotTasksMax) return;
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
