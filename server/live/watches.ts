import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { EventStore, Tail } from '../ports/store.ts';
import type { LiveOptions } from './options.ts';
import { Repair } from './repair.ts';
import { Watch } from './watch.ts';

/** What the watches of a process need. */
export interface WatchesContext {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly options: LiveOptions;
  readonly logger: Logger | undefined;
}

/** All tasks that are watched in this process, behind the one tail of its store. The tail is opened with the first of them. */
export class Watches {
  private readonly context: WatchesContext;
  private readonly byTask = new Map<string, Watch>();
  private readonly repair: Repair;
  private tail: Tail | undefined;
  private closing = false;

  constructor(context: WatchesContext) {
    this.context = context;
    this.repair = new Repair({ ...context, watches: () => [...this.byTask.values()] });
  }

  get size(): number {
    return this.byTask.size;
  }

  /** The watch of a task. A new one ends by itself when its last reader or follower has left; somebody must enter it in the same turn. */
  of(taskId: string): Watch {
    const known = this.byTask.get(taskId);
    if (known) return known;
    const tail = (this.tail ??= this.openTail());
    const watch = new Watch({
      taskId,
      tail,
      logger: this.context.logger,
      onDeserted: () => {
        this.byTask.delete(taskId);
        tail.unwatch(taskId);
        if (this.byTask.size > 0) return;
        this.repair.disarm();
        if (this.closing) void this.closeTail();
      },
    });
    this.byTask.set(taskId, watch);
    this.repair.arm();
    return watch;
  }

  /** Closes the tail: now, or when the last follower has left. Work that is still to finish hears of its answers until then. */
  async close(): Promise<void> {
    this.closing = true;
    if (this.byTask.size === 0) await this.closeTail();
  }

  private async closeTail(): Promise<void> {
    this.repair.stop();
    await this.tail?.close().catch((error: unknown) => this.context.logger?.warn('The tail of the store did not close.', { error }));
  }

  private openTail(): Tail {
    return this.context.store.tail({
      committed: (taskId, ...told) => this.byTask.get(taskId)?.committed(...told),
      interrupted: () => void this.repair.look(),
    });
  }
}
