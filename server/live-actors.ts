import { createActor, type Actor, type InspectionEvent, type Observer } from 'xstate';
import {
  isTerminalType,
  suspensionMachine,
  taskMachine,
  type Aggregate,
  type Fact,
  type TaskSnapshot,
  compareEventIds,
} from '../machines/index.ts';
import { TaskBridgeError } from './errors.ts';
import type { Clock } from './ports/clock.ts';
import type { Logger } from './ports/observability.ts';
import type { Store } from './ports/store.ts';
import type { TaskState } from './task/task-state.ts';

/** A task's chart as a running XState actor. Send it nothing: it is fed the committed facts. */
export type TaskActor = Actor<typeof taskMachine>;
type SuspensionActor = Actor<typeof suspensionMachine>;

/** What live actors work with. */
export interface LiveActorsContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly actorsMax: number;
  readonly inspect: Observer<InspectionEvent> | ((event: InspectionEvent) => void) | undefined;
  read(taskId: string): Promise<TaskState>;
  follow(taskId: string, onCommit: () => void): () => void;
}

interface LiveTask {
  readonly task: TaskActor;
  readonly suspensions: Map<string, SuspensionActor>;
  lastEventId: string | null;
  subscribers: number;
  reading: Promise<void> | undefined;
  again: boolean;
  idleTimer: unknown;
  unfollow(): void;
}

const IDLE_MS = 60_000;
const PAGE = { facts: 500, bytes: 4 * 1024 * 1024 };

/** The actors that hosts subscribe to and inspectors show: one for each chart of a task, loaded from its head and fed the committed facts. */
export class LiveActors {
  readonly #context: LiveActorsContext;
  readonly #tasks = new Map<string, LiveTask>();
  readonly #opening = new Map<string, Promise<LiveTask>>();

  constructor(context: LiveActorsContext) {
    this.#context = context;
  }

  /**
   * The running actor of a task. Subscribing pins it; one that nobody subscribes to retires after a minute. Rejects with `TASK_NOT_FOUND`,
   * and with `RATE_LIMITED` when `hotTasksMax` actors run.
   */
  async get(taskId: string): Promise<TaskActor> {
    const known = this.#tasks.get(taskId);
    if (known) return known.task;
    const opening = this.#opening.get(taskId) ?? this.#open(taskId);
    this.#opening.set(taskId, opening);
    try {
      return (await opening).task;
    } finally {
      this.#opening.delete(taskId);
    }
  }

  close(): void {
    for (const taskId of [...this.#tasks.keys()]) this.#retire(taskId);
  }

  async #open(taskId: string): Promise<LiveTask> {
    if (this.#tasks.size + this.#opening.size >= this.#context.actorsMax)
      throw new TaskBridgeError('RATE_LIMITED', `${this.#context.actorsMax} task actors run already; let go of some first.`, { retryAfterSeconds: 60 });
    // Followed first, so that no commit falls between the head and the facts after it.
    const unfollow = this.#context.follow(taskId, () => this.#advance(taskId));
    try {
      const { aggregate } = await this.#context.read(taskId);
      const live: LiveTask = {
        task: this.#startTask(taskId, aggregate.task),
        suspensions: new Map(),
        lastEventId: aggregate.lastEventId,
        subscribers: 0,
        reading: undefined,
        again: false,
        idleTimer: undefined,
        unfollow,
      };
      this.#startSuspensions(live, aggregate);
      this.#countSubscribers(taskId, live);
      this.#tasks.set(taskId, live);
      this.#armIdle(taskId, live);
      this.#advance(taskId);
      return live;
    } catch (error) {
      unfollow();
      throw error;
    }
  }

  #startTask(taskId: string, snapshot: TaskSnapshot): TaskActor {
    const actor = createActor(taskMachine, { id: taskId, snapshot: taskMachine.getPersistedSnapshot(snapshot), ...this.#inspection() });
    return actor.start();
  }

  #startSuspensions(live: LiveTask, { suspensions }: Aggregate): void {
    for (const [suspendId, snapshot] of suspensions) {
      const persisted = suspensionMachine.getPersistedSnapshot(snapshot);
      live.suspensions.set(suspendId, createActor(suspensionMachine, { id: suspendId, snapshot: persisted, ...this.#inspection() }).start());
    }
  }

  #inspection() {
    return this.#context.inspect ? { inspect: this.#context.inspect } : {};
  }

  /** Reads what was committed since, one reader at a time. */
  #advance(taskId: string): void {
    const live = this.#tasks.get(taskId);
    if (!live) return;
    live.again = true;
    live.reading ??= this.#read(taskId, live).finally(() => (live.reading = undefined));
  }

  async #read(taskId: string, live: LiveTask): Promise<void> {
    try {
      while (live.again && this.#tasks.get(taskId) === live) {
        live.again = false;
        const from = live.lastEventId === null ? 1 : Number.parseInt(live.lastEventId, 10) + 1;
        const page = await this.#context.store.read(taskId, from, PAGE);
        if (!page) return this.#retire(taskId);
        // Facts of our own log, checked when they were written.
        for (const { bytes } of page.entries) this.#feed(live, JSON.parse(Buffer.from(bytes).toString('utf8')) as Fact);
        if (page.entries.length > 0 && live.lastEventId !== page.lastEventId) live.again = true;
      }
    } catch (error) {
      this.#context.logger.warn('A live actor could not read its log; it goes on with the next commit.', { taskId, error });
    }
  }

  #feed(live: LiveTask, fact: Fact): void {
    if (live.lastEventId !== null && (compareEventIds(fact.eventId, live.lastEventId) ?? 1) <= 0) return;
    live.lastEventId = fact.eventId;
    const open = live.task.getSnapshot().context.openSuspensionIds;
    live.task.send(fact);
    if (fact.type === 'TASK_SUSPENDED') {
      const { suspendId } = fact.payload;
      const actor = live.suspensions.get(suspendId) ?? createActor(suspensionMachine, { id: suspendId, ...this.#inspection() }).start();
      live.suspensions.set(suspendId, actor);
      actor.send(fact);
    } else if (fact.type === 'TASK_ACTION_ACCEPTED' || fact.type === 'TASK_SUSPENSION_CLOSED') {
      live.suspensions.get(fact.payload.suspendId)?.send(fact);
    } else if (isTerminalType(fact.type)) {
      for (const suspendId of open) live.suspensions.get(suspendId)?.send(fact);
    }
  }

  /** XState keeps its observers to itself, so subscriptions are counted on their way in. */
  #countSubscribers(taskId: string, live: LiveTask): void {
    const subscribe = live.task.subscribe.bind(live.task) as (...args: unknown[]) => { unsubscribe(): void };
    const counted = (...args: unknown[]) => {
      const subscription = subscribe(...args);
      live.subscribers++;
      this.#context.clock.clearTimeout(live.idleTimer);
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
    live.task.subscribe = counted as TaskActor['subscribe'];
  }

  #armIdle(taskId: string, live: LiveTask): void {
    this.#context.clock.clearTimeout(live.idleTimer);
    if (live.subscribers > 0) return;
    live.idleTimer = this.#context.clock.setTimeout(() => {
      if (this.#tasks.get(taskId) === live && live.subscribers === 0) this.#retire(taskId);
    }, IDLE_MS);
  }

  #retire(taskId: string): void {
    const live = this.#tasks.get(taskId);
    if (!live) return;
    this.#tasks.delete(taskId);
    this.#context.clock.clearTimeout(live.idleTimer);
    live.unfollow();
    live.task.stop();
    for (const actor of live.suspensions.values()) actor.stop();
  }
}
