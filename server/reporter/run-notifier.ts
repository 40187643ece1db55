import type { Clock } from '../ports/clock.ts';
import type { AttemptRef, Resolution, StopOrder } from '../ports/executor.ts';
import type { Logger } from '../ports/observability.ts';
import type { EventStore, Tail } from '../ports/store.ts';
import type { TaskRecord } from '../task/task-record.ts';
import { TaskBridgeError } from '../errors.ts';

/** A run of a task's work, as far as it is told of anything. */
export interface FollowedRun {
  /** Hands over how a question ended: once for each. */
  resume(resolution: Resolution): void;
  /** Has it stop: for a cancel once, and once for good. */
  stop(order: StopOrder): void;
}

/** What the notifier works with. */
export interface RunNotifierDeps {
  readonly store: Pick<EventStore, 'tail'>;
  readonly clock: Clock;
  readonly logger: Logger;
  read(taskId: string): Promise<TaskRecord>;
  resolution(record: TaskRecord, suspendId: string): Promise<Resolution | undefined>;
}

/** A run, and what it was told. */
interface Following extends AttemptRef {
  readonly run: FollowedRun;
  /** Questions of whose end it knows. */
  readonly told: Set<string>;
  isCancelTold: boolean;
  look: 'none' | 'going on' | 'wanted again';
}

/** A run that is over in less, in milliseconds, is never listened to. */
const LISTEN_MS = 100;
/** Then its task is looked at so often: for another run that claimed it, and for what the tail has lost. */
const LOOK_MS = 5000;
/** Tasks that are looked at together. */
const SLICE = 100;

/**
 * Tells the runs of a process that is no node how their questions end, and when they have to stop: by the tail of the store at once, and by a look every five seconds.
 * The tail is open as long as there is a run that is listened to.
 */
export class RunNotifier {
  readonly #deps: RunNotifierDeps;
  readonly #runs = new Map<string, Set<Following>>();
  #tail: Tail | undefined;
  #timer: unknown;

  constructor(deps: RunNotifierDeps) {
    this.#deps = deps;
  }

  /** Begins to tell a run, of whose questions these had ended before; gives the way to stop. */
  follow({ taskId, attempt }: AttemptRef, closed: readonly string[], run: FollowedRun): () => void {
    const following: Following = { taskId, attempt, run, told: new Set(closed), isCancelTold: false, look: 'none' };
    const runs = this.#runs.get(taskId) ?? new Set();
    this.#runs.set(taskId, runs.add(following));
    const { clock } = this.#deps;
    const timer = clock.setTimeout(() => void this.#listen(following), LISTEN_MS);
    return () => {
      clock.clearTimeout(timer);
      this.#leave(following);
    };
  }

  async #listen(following: Following): Promise<void> {
    if (!this.#isFollowed(following)) return;
    this.#timer ??= this.#deps.clock.setTimeout(() => void this.#lookAtAll(), LOOK_MS);
    try {
      await this.#openTail().watch(following.taskId);
    } catch (error) {
      if (!this.#isFollowed(following)) return;
      this.#deps.logger.warn('The log of a task cannot be followed; it is looked at now and then.', { taskId: following.taskId, error });
    }
    // What came before.
    await this.#look(following);
  }

  #openTail(): Tail {
    return (this.#tail ??= this.#deps.store.tail({
      committed: (taskId) => {
        for (const following of this.#runs.get(taskId) ?? []) void this.#look(following);
      },
      interrupted: () => {
        for (const runs of this.#runs.values()) for (const following of runs) void this.#look(following);
      },
    }));
  }

  async #lookAtAll(): Promise<void> {
    const timer = this.#timer;
    const all = [...this.#runs.values()].flatMap((runs) => [...runs]);
    for (let at = 0; at < all.length; at += SLICE) await Promise.all(all.slice(at, at + SLICE).map((following) => this.#look(following)));
    // Else all have left meanwhile; those that came since have a timer of their own.
    if (this.#timer === timer) this.#timer = this.#deps.clock.setTimeout(() => void this.#lookAtAll(), LOOK_MS);
  }

  /** Never rejects. What comes meanwhile has it look again. */
  async #look(following: Following): Promise<void> {
    if (following.look !== 'none') {
      following.look = 'wanted again';
      return;
    }
    do {
      following.look = 'going on';
      await this.#tell(following);
    } while (this.#isWantedAgain(following));
    following.look = 'none';
  }

  #isWantedAgain(following: Following): boolean {
    return following.look === 'wanted again' && this.#isFollowed(following);
  }

  async #tell(following: Following): Promise<void> {
    const { taskId, attempt, run } = following;
    try {
      const record = await this.#deps.read(taskId);
      if (!this.#isFollowed(following)) return;
      const { attempt: newest, endedAt } = record.execution;
      if (endedAt !== null) return this.#end(following, { why: 'ended' });
      if (newest.context.attempt !== attempt || newest.hasTag('fenced')) return this.#end(following, { why: 'fenced' });
      this.#tellCancel(following, record);
      for (const [suspendId, { value }] of record.aggregate.suspensions) {
        if (value === 'open' || following.told.has(suspendId)) continue;
        const resolution = await this.#deps.resolution(record, suspendId);
        if (!this.#isFollowed(following)) return;
        following.told.add(suspendId);
        if (resolution) run.resume(resolution);
      }
    } catch (error) {
      // A store that is away says nothing of the task; the next look may.
      if (error instanceof TaskBridgeError && error.code === 'TASK_NOT_FOUND') this.#end(following, { why: 'ended' });
    }
  }

  #tellCancel(following: Following, { aggregate }: TaskRecord): void {
    if (following.isCancelTold || !aggregate.task.matches({ active: 'cancelling' })) return;
    following.isCancelTold = true;
    const { cancelReason } = aggregate.task.context;
    following.run.stop({ why: 'cancel', ...(cancelReason !== null && { reason: cancelReason }) });
  }

  #end(following: Following, order: StopOrder): void {
    this.#leave(following);
    following.run.stop(order);
  }

  #isFollowed(following: Following): boolean {
    return this.#runs.get(following.taskId)?.has(following) ?? false;
  }

  #leave(following: Following): void {
    const { taskId } = following;
    const runs = this.#runs.get(taskId);
    if (!runs?.delete(following) || runs.size > 0) return;
    this.#runs.delete(taskId);
    this.#tail?.unwatch(taskId);
    if (this.#runs.size > 0) return;
    this.#deps.clock.clearTimeout(this.#timer);
    void this.#tail?.close().catch(() => undefined);
    this.#tail = this.#timer = undefined;
  }
}
