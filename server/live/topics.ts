import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { Tail } from '../ports/store.ts';
import type { LiveStore } from './live-store.ts';
import type { LiveOptions } from './options.ts';
import { Repair } from './repair.ts';
import { Topic } from './topic.ts';

/** What the topics of a process work with. */
export interface TopicsDeps {
  readonly store: LiveStore;
  readonly clock: Clock;
  readonly options: LiveOptions;
  readonly logger: Logger | undefined;
  /** Called where the tail may have missed something. */
  onInterrupted?(): void;
  /** Told of what nodes announce. */
  onAnnounced(notice: string): void;
}

/** All topics of this process, behind the one tail of its store. The tail is opened with the first of them. */
export class Topics {
  readonly #deps: TopicsDeps;
  readonly #byTask = new Map<string, Topic>();
  readonly #repair: Repair;
  #tail: Tail | undefined;
  #closing = false;

  constructor(deps: TopicsDeps) {
    this.#deps = deps;
    this.#repair = new Repair({ ...deps, topics: () => [...this.#byTask.values()] });
  }

  /** How many there are. */
  get size(): number {
    return this.#byTask.size;
  }

  /** The topic of a task. A new one ends by itself when its last subscriber or listener has left; somebody must enter it in the same turn. */
  of(taskId: string): Topic {
    const known = this.#byTask.get(taskId);
    if (known) return known;
    const tail = this.#theTail();
    const topic = new Topic({
      taskId,
      tail,
      logger: this.#deps.logger,
      onDeserted: () => {
        this.#byTask.delete(taskId);
        tail.unwatch(taskId);
        if (this.#byTask.size > 0) return;
        this.#repair.disarm();
        if (this.#closing) void this.#closeTail();
      },
    });
    this.#byTask.set(taskId, topic);
    this.#repair.arm();
    return topic;
  }

  /** Tells all nodes. Rejects where the store does not take it. */
  async announce(notice: string): Promise<void> {
    await this.#theTail().announce(notice);
  }

  /** Looks for what the tail may have missed, of all topics. */
  interrupted(): void {
    if (this.#byTask.size > 0) void this.#repair.run();
  }

  /** Closes the tail: now, or when the last listener has left. Work that is still to finish hears of its answers until then. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#byTask.size === 0) await this.#closeTail();
  }

  async #closeTail(): Promise<void> {
    this.#repair.stop();
    await this.#tail?.close().catch((error: unknown) => this.#deps.logger?.warn('The tail of the store did not close.', { error }));
  }

  #theTail(): Tail {
    return (this.#tail ??= this.#openTail());
  }

  #openTail(): Tail {
    return this.#deps.store.tail({
      committed: (taskId, ...commit) => this.#byTask.get(taskId)?.committed(...commit),
      part: (taskId, lane, epoch, at, bytes, latest) =>
        this.#byTask.get(taskId)?.part(latest ? { lane, epoch, at, bytes, latest } : { lane, epoch, at, bytes }),
      announced: (notice) => this.#deps.onAnnounced(notice),
      interrupted: () => {
        this.interrupted();
        this.#deps.onInterrupted?.();
      },
    });
  }
}
