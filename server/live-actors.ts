import { retryDelayMs, startActors, type AggregateActors, type Inspect, type RetryPolicy, type TaskActor } from '../machines/index.ts';
import { compareEventIds, type Fact } from '../machines/wire/index.ts';
import { TaskBridgeError } from './errors.ts';
import { positionOf } from './live/log-position.ts';
import { readAfter } from './live/log-read.ts';
import type { Clock } from './ports/clock.ts';
import type { Logger } from './ports/observability.ts';
import type { Store } from './ports/store.ts';
import type { TaskRecord } from './task/task-record.ts';

/** What live actors work with. */
export interface LiveActorsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly actorsMax: number;
  readonly inspect: Inspect | undefined;
  /** The task's record as it stands. */
  read(taskId: string): Promise<TaskRecord>;
  /** Calls back after commits of a task; gives the way to stop. */
  listen(taskId: string, onCommit: () => void): () => void;
}

interface LiveTask {
  readonly actors: AggregateActors;
  lastEventId: string | null;
  subscribers: number;
  reading: Promise<void> | undefined;
  again: boolean;
  idleTimer: unknown;
  /** Reads that failed one after the other. */
  failures: number;
  retryTimer: unknown;
  stopListening(): void;
}

const IDLE_MS = 60_000;
/** How often a log that could not be read is read again. */
const readRetry: RetryPolicy = { baseMs: 1_000, maxMs: 30_000, triesMax: Infinity, jitter: 0 };
const PAGE = { facts: 500, bytes: 4 * 1024 * 1024 };

/** The actors that hosts subscribe to and inspectors show: one for each chart of a task, loaded from its head and fed the committed facts. */
export class LiveActors {
  readonly #deps: LiveActorsDeps;
  readonly #tasks = new Map<string, LiveTask>();
  readonly #opening = new Map<string, Promise<LiveTask>>();

  constructor(deps: LiveActorsDeps) {
    this.#deps = deps;
  }

  /**
   * The running actor of a task. Subscribing pins it; one that nobody subscribes to retires after a minute. Rejects with `TASK_NOT_FOUND`,
   * and with `RATE_LIMITED` when `hotTasksMax` actors run.
   */
  async get(taskId: string): Promise<TaskActor> {
    const known = this.#tasks.get(taskId);
    if (known) return known.actors.task;
    const opening = this.#opening.get(taskId) ?? this.#open(taskId);
    this.#opening.set(taskId, opening);
    try {
      return (await opening).actors.task;
    } finally {
      this.#opening.delete(taskId);
    }
  }

  /** Stops all of them. */
  close(): void {
    for (const taskId of [...this.#tasks.keys()]) this.#retire(taskId);
  }

  async #open(taskId: string): Promise<LiveTask> {
    if (this.#tasks.size + this.#opening.size >= this.#deps.actorsMax)
      throw new TaskBridgeError('RATE_LIMITED', `${this.#deps.actorsMax} task actors run already; let go of some first.`, {
        retryAfterSeconds: 60,
      });
    // Listens first, so that no commit falls between the head and the facts after it.
    const stopListening = this.#deps.listen(taskId, () => this.#advance(taskId));
    try {
      const { aggregate } = await this.#deps.read(taskId);
      const live: LiveTask = {
        actors: startActors(taskId, aggregate, this.#deps.inspect),
        lastEventId: aggregate.lastEventId,
        subscribers: 0,
        reading: undefined,
        again: false,
        idleTimer: undefined,
        failures: 0,
        retryTimer: undefined,
        stopListening,
      };
      this.#countSubscribers(taskId, live);
      this.#tasks.set(taskId, live);
      this.#armIdle(taskId, live);
      this.#advance(taskId);
      return live;
    } catch (error) {
      stopListening();
      throw error;
    }
  }

  /** Reads what was committed since, one read at a time. */
  #advance(taskId: string): void {
    const live = this.#tasks.get(taskId);
    if (!live) return;
    live.again = true;
    live.reading ??= this.#read(taskId, live).finally(() => {
      live.reading = undefined;
      if (live.again) this.#advance(taskId);
    });
  }

  async #read(taskId: string, live: LiveTask): Promise<void> {
    try {
      while (live.again && this.#tasks.get(taskId) === live) {
        live.again = false;
        const cursor = positionOf(live.lastEventId);
        const run = await readAfter(this.#deps.store, taskId, cursor, PAGE);
        if (!run) return this.#retire(taskId);
        if (run.gap || run.after !== cursor.n) {
          // It would show another task than the log says from here on. Whoever asks again gets one that begins at the head.
          this.#deps.logger.warn('A live actor stops: what follows the last fact that it has seen is no longer there.', {
            taskId,
            last: cursor.n,
          });
          return this.#retire(taskId);
        }
        // Facts of our own log, checked when they were written.
        for (const { bytes } of run.entries) this.#feed(live, JSON.parse(Buffer.from(bytes).toString('utf8')) as Fact);
        if (positionOf(live.lastEventId).n < run.last.n) live.again = true;
        live.failures = 0;
      }
    } catch (error) {
      const pauseMs = retryDelayMs(readRetry, live.failures++);
      this.#deps.logger.warn('A live actor could not read its log; it is tried again.', { taskId, pauseMs, error });
      // What was committed last may be the end, after which no commit would ask again.
      this.#deps.clock.clearTimeout(live.retryTimer);
      live.retryTimer = this.#deps.clock.setTimeout(() => this.#advance(taskId), pauseMs);
    }
  }

  #feed(live: LiveTask, fact: Fact): void {
    if (live.lastEventId !== null && (compareEventIds(fact.eventId, live.lastEventId) ?? 1) <= 0) return;
    live.lastEventId = fact.eventId;
    live.actors.feed(fact);
  }

  /** XState keeps its observers to itself, so subscriptions are counted on their way in. */
  #countSubscribers(taskId: string, live: LiveTask): void {
    const { task } = live.actors;
    const subscribe = task.subscribe.bind(task) as (...args: unknown[]) => { unsubscribe(): void };
    const counted = (...args: unknown[]) => {
      const subscription = subscribe(...args);
      live.subscribers++;
      this.#deps.clock.clearTimeout(live.idleTimer);
      let isOpen = true;
      return {
        unsubscribe: () => {
          subscription.unsubscribe();
          if (!isOpen) return;
          isOpen = false;
          live.subscribers--;
          this.#armIdle(taskId, live);
        },
      };
    };
    task.subscribe = counted as TaskActor['subscribe'];
  }

  #armIdle(taskId: string, live: LiveTask): void {
    this.#deps.clock.clearTimeout(live.idleTimer);
    if (live.subscribers > 0 || this.#tasks.get(taskId) !== live) return;
    live.idleTimer = this.#deps.clock.setTimeout(() => {
      if (this.#tasks.get(taskId) === live && live.subscribers === 0) this.#retire(taskId);
    }, IDLE_MS);
  }

  #retire(taskId: string): void {
    const live = this.#tasks.get(taskId);
    if (!live) return;
    this.#tasks.delete(taskId);
    this.#deps.clock.clearTimeout(live.idleTimer);
    this.#deps.clock.clearTimeout(live.retryTimer);
    live.stopListening();
    live.actors.stop();
  }
}
