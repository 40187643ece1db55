import { TaskBridgeError } from '../errors.ts';
import type { Chance } from '../ports/chance.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger, MetricsSink, TransportDiagnosticsSink, TransportName } from '../ports/observability.ts';
import type { EventStore, Tail } from '../ports/store.ts';
import { alarm } from './alarm.ts';
import { cursorOf } from './cursor.ts';
import { liveOptions, type LiveOptions } from './options.ts';
import { pollLog, type PollContext, type PollPage, type PollRequest } from './poll.ts';
import { Repair } from './repair.ts';
import { guardedSinks } from './sinks.ts';
import { LogSubscription, type Subscription } from './subscription.ts';
import type { Viewer } from './viewer.ts';
import { Watch } from './watch.ts';

/** What a hub needs. */
export interface LiveHubContext {
  /** Must be open before the first task is watched. */
  readonly store: EventStore;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Defaults to `liveDefaults`, one by one. */
  readonly options?: Partial<LiveOptions>;
  readonly logger?: Logger | undefined;
  readonly diagnostics?: TransportDiagnosticsSink | undefined;
  readonly metrics?: MetricsSink | undefined;
}

/** How a viewer watches. */
export interface WatchOptions {
  /** Cuts the viewer at that time, in milliseconds since the epoch: its credentials end. */
  readonly cutAt?: number | undefined;
}

/** Everybody in this process who follows logs, behind one tail of the store. */
export interface LiveHub {
  readonly options: LiveOptions;
  /** Viewers and waiting polls, now. */
  readonly viewers: number;
  /** Tasks that somebody watches, now. */
  readonly watched: number;
  /** Throws `RATE_LIMITED` where there are as many viewers as there may be, those counted that are about to come. */
  assertRoom(arriving?: number): void;
  /**
   * Gives a viewer every fact after its cursor, once and in order, until the log ends, the viewer is closed, or the hub. Failures of the
   * store are survived or end in a cut; nothing is thrown. The transport calls `close` when its connection is gone.
   */
  watch(taskId: string, viewer: Viewer, cursor: string | undefined, options?: WatchOptions): Subscription;
  /** Answers one long poll. Throws `TASK_NOT_FOUND`, `RATE_LIMITED` and `STORE_UNAVAILABLE`. */
  poll(taskId: string, request: PollRequest): Promise<PollPage>;
  /** Calls back after any commit of a task was seen, or a repair found one; sometimes once too often. Gives the function that ends it. */
  follow(taskId: string, callback: () => void): () => void;
  /** Answers waiting polls at once and cuts the viewers, spread over `spreadMs` milliseconds; resolves when the last one is gone. */
  close(options?: { readonly spreadMs?: number }): Promise<void>;
}

/** Makes the live hub of a process. Throws a `RangeError` for wrong options. */
export function createLiveHub({ store, clock, chance, options: given, logger, diagnostics, metrics }: LiveHubContext): LiveHub {
  const options = liveOptions(given);
  const watches = new Map<string, Watch>();
  const subscriptions = new Set<LogSubscription>();
  const streams = new Map<TransportName, number>();
  const polls = new Set<() => void>();
  const sinks = guardedSinks({ diagnostics, metrics, logger });
  const repair = new Repair({ store, clock, options, logger, watches: () => [...watches.values()] });
  let tail: Tail | undefined;
  let closing = false;
  let onEmpty: (() => void) | undefined;

  function openTail(): Tail {
    tail ??= store.tail({
      committed: (taskId, entries, ended) => watches.get(taskId)?.committed(entries, ended),
      interrupted: () => void repair.look(),
    });
    return tail;
  }

  function watchOf(taskId: string): Watch {
    const known = watches.get(taskId);
    if (known) return known;
    const opened = openTail();
    const watch = new Watch({
      taskId,
      tail: opened,
      logger,
      onDeserted() {
        watches.delete(taskId);
        opened.unwatch(taskId);
        if (watches.size === 0) repair.disarm();
      },
    });
    watches.set(taskId, watch);
    repair.arm();
    return watch;
  }

  function follow(taskId: string, callback: () => void): { watch: Watch; leave: () => void } {
    const watch = watchOf(taskId);
    return { watch, leave: watch.follow(callback) };
  }

  function assertRoom(arriving = 0): void {
    if (subscriptions.size + polls.size + arriving < options.viewersMax) return;
    throw new TaskBridgeError('RATE_LIMITED', 'This server has as many live connections as it can hold; come back later.', { retryAfterSeconds: 5 });
  }

  function countStream(transport: TransportName, change: 1 | -1): void {
    const count = (streams.get(transport) ?? 0) + change;
    streams.set(transport, count);
    sinks.metrics?.setGauge('streams_active', count, { transport });
  }

  const polling: PollContext = {
    store,
    clock,
    options,
    watch: follow,
    enter(answerNow) {
      if (closing) return undefined;
      assertRoom();
      polls.add(answerNow);
      return () => polls.delete(answerNow);
    },
  };

  return {
    options,
    get viewers() {
      return subscriptions.size + polls.size;
    },
    get watched() {
      return watches.size;
    },
    assertRoom,

    watch(taskId, viewer, cursor, { cutAt } = {}) {
      if (closing) {
        viewer.cut();
        return { close: () => undefined };
      }
      const { transport } = viewer;
      const start = cursorOf(cursor);
      const subscription = new LogSubscription({
        watch: watchOf(taskId),
        viewer,
        cursor: start,
        cutAt,
        store,
        clock,
        options,
        logger,
        diagnostics: sinks.diagnostics,
        onClosed(closed) {
          subscriptions.delete(closed);
          countStream(transport, -1);
          if (subscriptions.size === 0) onEmpty?.();
        },
      });
      subscriptions.add(subscription);
      countStream(transport, 1);
      sinks.diagnostics?.onReplayStart?.(transport, taskId, cursor || null);
      if (start.n > 0) sinks.metrics?.incrementCounter('replays_total', 1, { transport });
      subscription.start();
      return subscription;
    },

    poll: (taskId, request) => pollLog(polling, taskId, request),

    follow(taskId, callback) {
      const { watch, leave } = follow(taskId, callback);
      watch.open().catch((error: unknown) => logger?.warn('The tail of a task could not be opened; it will be tried again.', { taskId, error }));
      return leave;
    },

    async close({ spreadMs = 0 } = {}) {
      closing = true;
      for (const answerNow of polls) answerNow();
      if (subscriptions.size > 0) {
        const empty = new Promise<void>((resolve) => (onEmpty = resolve));
        for (const subscription of subscriptions)
          alarm(clock, clock.now() + Math.floor(chance.fraction() * spreadMs), () => subscription.cut());
        await empty;
      }
      repair.stop();
      await tail?.close().catch((error: unknown) => logger?.warn('The tail of the store did not close.', { error }));
    },
  };
}
