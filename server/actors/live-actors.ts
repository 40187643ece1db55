import { isTerminal } from '../../machines/index.ts';
import type { Json } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { ServerChance } from '../ports/chance.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { Store } from '../ports/store.ts';
import type { TaskAbout } from '../task/about.ts';
import { snapshotOf, snapshotResponse } from '../task/snapshot.ts';
import type { TaskRecord } from '../task/task-record.ts';
import { LiveTask } from './live-task.ts';
import { commitRequest, wouldTake, type TaskVerbs } from './requests.ts';
import { startTaskActor, type FedActor, type TaskActor } from './task-actor.ts';

/** What live actors work with. */
export interface LiveActorsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly logger: Logger;
  /** Actors of tasks that have not ended. */
  readonly actorsMax: number;
  /** Requests of one actor that may wait for their answers. */
  readonly requestsMax: number;
  /** The store's time, in milliseconds since the epoch. */
  now(): number;
  /** The task's record as it stands. */
  read(taskId: string): Promise<TaskRecord>;
  /** Calls back after commits of a task; gives the way to stop. */
  listen(taskId: string, onCommit: () => void): () => void;
  /** The host's own way to change tasks, in the name of somebody. */
  verbsFor(auth: AuthContext): TaskVerbs;
}

const IDLE_MS = 60_000;

/** The actors that hosts hold: one for each who asked, all of a task's fed by one reader of its log. */
export class LiveActors {
  readonly #deps: LiveActorsDeps;
  readonly #tasks = new Map<string, LiveTask>();
  readonly #opening = new Map<string, Promise<LiveTask | TaskRecord>>();
  /** All that are held, and of which task. */
  readonly #held = new Map<FedActor, LiveTask>();
  /** Those that nobody subscribes to, the longest first, each with its timer. */
  readonly #idle = new Map<FedActor, unknown>();
  #arriving = 0;

  constructor(deps: LiveActorsDeps) {
    this.#deps = deps;
  }

  /**
   * An actor of a task, of the caller's own. One that nobody subscribes to or listens to stops after a minute, and earlier where another needs its
   * place. Rejects with `TASK_NOT_FOUND`, and with `RATE_LIMITED` when `hotTasksMax` actors are held.
   */
  async get(taskId: string): Promise<TaskActor> {
    this.#makeRoom();
    this.#arriving += 1;
    try {
      const found = this.#tasks.get(taskId) ?? (await this.#opened(taskId));
      return found instanceof LiveTask ? this.#hold(found) : await this.#ended(found);
    } finally {
      this.#arriving -= 1;
    }
  }

  /** Stops all of them. */
  close(): void {
    for (const task of [...this.#tasks.values()]) task.retire();
  }

  #makeRoom(): void {
    const { actorsMax } = this.#deps;
    if (this.#held.size + this.#arriving < actorsMax) return;
    const [idle] = this.#idle.keys();
    if (!idle)
      throw new TaskBridgeError('RATE_LIMITED', `${actorsMax} task actors are held already; stop some first.`, { retryAfterSeconds: 60 });
    idle.actor.stop();
  }

  async #opened(taskId: string): Promise<LiveTask | TaskRecord> {
    const opening = this.#opening.get(taskId) ?? this.#open(taskId);
    this.#opening.set(taskId, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(taskId);
    }
  }

  /** Follows a task, or gives the record of one that has ended. */
  async #open(taskId: string): Promise<LiveTask | TaskRecord> {
    // Listens first, so that no commit falls between the head and the facts after it.
    const stopListening = this.#deps.listen(taskId, () => this.#tasks.get(taskId)?.advance());
    try {
      const record = await this.#deps.read(taskId);
      if (isTerminal(record.aggregate.task)) {
        stopListening();
        return record;
      }
      const onRetired = (): void => {
        stopListening();
        if (this.#tasks.get(taskId) === task) this.#tasks.delete(taskId);
        for (const [fed, of] of this.#held) if (of === task) this.#letGo(fed);
      };
      const task = new LiveTask(record, { ...this.#deps, onRetired });
      this.#tasks.set(taskId, task);
      task.advance();
      return task;
    } catch (error) {
      stopListening();
      throw error;
    }
  }

  #hold(task: LiveTask): TaskActor {
    const fed = this.#start(task.about, task.aggregate, undefined, {
      onStopped: () => {
        this.#letGo(fed);
        task.leave(fed);
      },
      onPinned: (isPinned) => (isPinned ? this.#pin(fed) : this.#armIdle(fed)),
    });
    // The bridge was closed meanwhile.
    if (task.isRetired) fed.actor.stop();
    else {
      this.#held.set(fed, task);
      task.join(fed);
      this.#armIdle(fed);
    }
    return fed.actor;
  }

  /** One of a task that has ended: it shows how, and is held by nobody here. */
  async #ended(record: TaskRecord): Promise<TaskActor> {
    const { result } = snapshotResponse(await snapshotOf(record, this.#deps.store));
    // The server's result is JSON of any kind.
    return this.#start(record.about, record.aggregate, result as Json | undefined, {
      onStopped: () => undefined,
      onPinned: () => undefined,
    }).actor;
  }

  #start(
    about: TaskAbout,
    aggregate: TaskRecord['aggregate'],
    result: Json | undefined,
    on: { onStopped(): void; onPinned(isPinned: boolean): void },
  ): FedActor {
    const { logger, requestsMax, chance, now, verbsFor } = this.#deps;
    const { taskId, owner: subject, params } = about;
    return startTaskActor(aggregate, result, {
      taskId,
      logger,
      requestsMax,
      can: (known, request) => wouldTake(known, request, new Date(now()).toISOString()),
      // The host speaks for whom the task is: a policy is told of no scopes, and of nobody else.
      commit: (request) => commitRequest(verbsFor({ subject, ...(params && { params }) }), taskId, request, chance),
      ...on,
    });
  }

  #pin(fed: FedActor): void {
    this.#deps.clock.clearTimeout(this.#idle.get(fed));
    this.#idle.delete(fed);
  }

  #armIdle(fed: FedActor): void {
    if (!this.#held.has(fed)) return;
    this.#idle.set(
      fed,
      this.#deps.clock.setTimeout(() => fed.actor.stop(), IDLE_MS),
    );
  }

  #letGo(fed: FedActor): void {
    this.#pin(fed);
    this.#held.delete(fed);
  }
}
