import { storeUnavailable, TaskBridgeError, taskNotFound } from '../errors.ts';
import type { ServerChance } from '../ports/chance.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger, MetricsSink, TransportDiagnosticsSink, TransportName, ViewerTransport } from '../ports/observability.ts';
import { metricsSink } from '../observability/metrics-sink.ts';
import { recordWriter, type RecordWriter } from '../observability/record-writer.ts';
import { observedPoll, type ObservedPollDeps } from './observed-poll.ts';
import { Connections, matcherOf, type Disconnected, type LiveConnection } from './connections.ts';
import { parseNotice, textOfNotice } from './notices.ts';
import { DeliveryLag } from './delivery-lag.ts';
import { viewerGauges } from './viewer-gauges.ts';
import type { Gauged } from '../observability/gauge-sampler.ts';
import type { Tracer } from '../ports/tracing.ts';
import type { TaskAbout } from '../task/about.ts';
import { ViewerSpans } from './viewer-spans.ts';
import { timerAfter } from './timer.ts';
import type { LiveStore } from './live-store.ts';
import type { PartCursors } from '../../machines/parts/index.ts';
import { positionOf, type LogPosition } from './log-position.ts';
import { TextCache } from './text-cache.ts';
import { readAfter, type LogRun } from './log-read.ts';
import { liveOptions, type LiveOptions } from './options.ts';
import { OwnerCount, type CountByOwner } from './owner-count.ts';
import { pollLog, type PollDeps, type PollPage, type PollRequest } from './poll.ts';
import { guardedInstrumentation, type Instrumentation } from './instrumentation.ts';
import { LogSubscription, type Subscription, type SubscriptionDeps } from './subscription.ts';
import type { Viewer } from './viewer.ts';
import { Topics } from './topics.ts';

/** What a hub works with. */
export interface LiveHubDeps {
  /** Must be open before the first task is watched. */
  readonly store: LiveStore;
  readonly clock: Clock;
  readonly chance: ServerChance;
  /** Defaults to `liveDefaults`, one by one. */
  readonly options?: Partial<LiveOptions>;
  readonly logger?: Logger | undefined;
  readonly diagnostics?: TransportDiagnosticsSink | undefined;
  readonly metrics?: MetricsSink | undefined;
  /** Follows viewers; absent where nobody traces. */
  readonly tracer?: Tracer | undefined;
  /** What never changes of a task: for `tracer`. */
  readonly aboutOf?: ((taskId: string) => Promise<TaskAbout>) | undefined;
  /** The store's time, in milliseconds since the epoch. Without it, no lag is measured. */
  readonly now?: () => number;
  /** Called where the tail may have missed something. */
  onInterrupted?(): void;
}

/** How a viewer watches. */
export interface SubscribeOptions {
  /** Cuts the viewer at that time, in milliseconds since the epoch: its credentials end. */
  readonly cutAt?: number | undefined;
  /** What `readFirst` gave for the same task and cursor: shown before anything else is read. */
  readonly first?: LogRun | undefined;
  /** How far its client has come in parts; undefined where it is shown none. */
  readonly parts?: PartCursors | undefined;
}

/** All subscriptions and listeners of this process, behind one tail of the store. */
export interface LiveHub {
  readonly options: LiveOptions;
  /** True where viewers may be shown parts: the store keeps them. */
  readonly hasParts: boolean;
  /** Viewers and waiting polls, now. */
  readonly viewers: number;
  /** What the gauges of viewers and polls show, now. */
  gauges(): Iterable<Gauged>;
  /** Tasks that somebody watches, now. */
  readonly topics: number;
  /**
   * Throws `RATE_LIMITED` where an owner has as many viewers and waiting polls as one may, or this process as many as it may; those counted
   * that are about to come.
   */
  assertRoom(owner: string, arriving?: CountByOwner): void;
  /** Calls back where there is no room for one more, before that is said: whoever can end what nobody watches does so. */
  onCrowded(makeRoom: () => void): void;
  /**
   * Gives a viewer every fact after its cursor, once and in order, until the log ends, the viewer is closed, or the hub. Failures of the
   * store are survived or end in a cut; nothing is thrown. The transport calls `close` when its connection is gone.
   */
  subscribe(taskId: string, viewer: Viewer, cursor: string | undefined, options?: SubscribeOptions): Subscription;
  /**
   * Reads the first page that a viewer is shown after a cursor, at most that many facts, so that what can fail does before the viewer is there.
   * Throws `TASK_NOT_FOUND` and `STORE_UNAVAILABLE`.
   */
  readFirst(taskId: string, cursor: string | undefined, factsMax: number): Promise<LogRun>;
  /** Answers one long poll. Throws `TASK_NOT_FOUND`, `RATE_LIMITED` and `STORE_UNAVAILABLE`. */
  poll(taskId: string, request: PollRequest): Promise<PollPage>;
  /** Counts a stream whose client says that it came down to this transport. Polls say so in their request. */
  countFallback(transport: TransportName): void;
  /**
   * Calls back after any commit of a task was seen or a repair found one, and once when it begins to hear of them: whoever reads when it is
   * called misses nothing. Sometimes calls once too often. Gives the function that ends it. `newest` is the last fact of what the tail has just
   * told; undefined where something else may have been missed.
   */
  listen(taskId: string, callback: (newest?: LogPosition) => void): () => void;
  /** A connection is there that lives by a caller's credentials, until it leaves. */
  enter(connection: LiveConnection): void;
  /** It is gone. Does nothing for one that was never there. */
  leave(connection: LiveConnection): void;
  /**
   * Ends live connections and waiting polls, and says how many of this process. Those of a subject end on all nodes that hear of it. Rejects
   * with `STORE_UNAVAILABLE` where no other node could be told, and with what a predicate throws; a `TypeError` for what names nobody.
   */
  disconnect(who: Disconnected): Promise<number>;
  /** Looks for what the tail may have missed: the store may have lost what was written last. */
  interrupted(): void;
  /**
   * Answers waiting polls at once and cuts the viewers, spread over `spreadMs` milliseconds (default 0); resolves when the last one is
   * gone. Listeners are called until they leave; then the tail is closed.
   */
  close(options?: { readonly spreadMs?: number }): Promise<void>;
}

/** Makes the live hub of a process. Throws a `RangeError` for wrong options. */
export function createLiveHub(deps: LiveHubDeps): LiveHub {
  return new Hub(deps);
}

/** Of a viewer's room, what a page that is read beforehand may take: what a transport wraps around small facts needs the rest. */
const FIRST_PAGE_SHARE = 3 / 4;

const nobody: CountByOwner = { all: 0, of: () => 0 };

class Hub implements LiveHub {
  readonly options: LiveOptions;
  readonly #deps: LiveHubDeps;
  readonly #instrumentation: Instrumentation;
  readonly #records: RecordWriter;
  readonly #lag: DeliveryLag | undefined;
  readonly #spans: ViewerSpans | undefined;
  readonly #topics: Topics;
  /** What all subscriptions work with. */
  readonly #subscribed: SubscriptionDeps;
  /** What all polls work with, and are observed with. */
  readonly #polled: PollDeps;
  readonly #observed: ObservedPollDeps;
  readonly #texts = new TextCache();
  readonly #subscriptions = new Set<LogSubscription>();
  readonly #streams = new Map<ViewerTransport, number>();
  readonly #polls = new Set<() => void>();
  readonly #present = new OwnerCount();
  readonly #makeRoom: (() => void)[] = [];
  readonly #connections = new Connections();
  /** Tells this hub from those of other nodes. */
  #name: string | undefined;
  #closing = false;
  #onEmpty: (() => void) | undefined;

  constructor(deps: LiveHubDeps) {
    const { store, clock, logger, diagnostics, metrics } = deps;
    this.#deps = deps;
    this.options = liveOptions(deps.options);
    this.#instrumentation = guardedInstrumentation({ diagnostics, metrics, logger });
    this.#records = recordWriter(logger);
    this.#lag = metrics && deps.now && new DeliveryLag({ metrics: metricsSink(metrics, logger), now: deps.now });
    const { tracer, aboutOf, now } = deps;
    this.#spans = tracer && aboutOf && now && new ViewerSpans({ tracer, aboutOf, now });
    this.#topics = new Topics({
      store,
      clock,
      options: this.options,
      logger,
      onInterrupted: () => deps.onInterrupted?.(),
      onAnnounced: (notice) => this.#heed(notice),
    });
    this.#subscribed = {
      store,
      texts: this.#texts,
      clock,
      options: this.options,
      logger,
      ...this.#instrumentation,
      records: this.#records,
      lag: this.#lag,
      spans: this.#spans,
      onClosed: (subscription) => this.#forget(subscription),
    };
    this.#observed = { ...this.#instrumentation, records: this.#records };
    this.#polled = {
      store,
      clock,
      options: this.options,
      topics: this.#topics,
      lag: this.#lag,
      spans: this.#spans,
      enter: (request, answerNow) => this.#enterPoll(request, answerNow),
    };
  }

  get hasParts(): boolean {
    return this.#deps.store.lanes !== undefined;
  }

  get viewers(): number {
    return this.#present.all;
  }

  get topics(): number {
    return this.#topics.size;
  }

  gauges(): Iterable<Gauged> {
    return viewerGauges(this.#subscriptions, this.#polls.size);
  }

  onCrowded(makeRoom: () => void): void {
    this.#makeRoom.push(makeRoom);
  }

  assertRoom(owner: string, arriving: CountByOwner = nobody): void {
    const { viewersMax, viewersPerOwnerMax } = this.options;
    const isFull = this.#present.of(owner) + arriving.of(owner) >= viewersPerOwnerMax || this.#present.all + arriving.all >= viewersMax;
    if (isFull) for (const makeRoom of this.#makeRoom) makeRoom();
    if (this.#present.of(owner) + arriving.of(owner) >= viewersPerOwnerMax)
      throw new TaskBridgeError(
        'RATE_LIMITED',
        `This caller has ${viewersPerOwnerMax} streams and waiting polls over all connections, the most that one may; close one first.`,
        { retryAfterSeconds: 5 },
      );
    if (this.#present.all + arriving.all < viewersMax) return;
    throw new TaskBridgeError('RATE_LIMITED', 'This server has as many live connections as it can hold; come back later.', {
      retryAfterSeconds: 5,
    });
  }

  subscribe(taskId: string, viewer: Viewer, cursor: string | undefined, { cutAt, first, parts }: SubscribeOptions = {}): Subscription {
    if (this.#closing) {
      viewer.cut();
      return { close: () => undefined };
    }
    const { diagnostics, metrics } = this.#instrumentation;
    const { transport, owner } = viewer;
    const start = positionOf(cursor);
    const topic = this.#topics.of(taskId);
    this.#present.enter(owner);
    const subscription = new LogSubscription(this.#subscribed, { topic, viewer, cursor: start, cutAt, first, parts });
    this.#subscriptions.add(subscription);
    this.#countStream(transport, 1);
    diagnostics?.onReplayStart?.(transport, taskId, cursor || null);
    if (start.n > 0) metrics?.incrementCounter('replays_total', 1, { transport });
    subscription.start();
    return subscription;
  }

  async readFirst(taskId: string, cursor: string | undefined, factsMax: number): Promise<LogRun> {
    const { store } = this.#deps;
    const limit = { facts: factsMax, bytes: Math.floor(this.options.viewerBytesMax * FIRST_PAGE_SHARE) };
    const run = await readAfter(store, taskId, positionOf(cursor), limit).catch((cause: unknown) => {
      throw storeUnavailable(cause);
    });
    if (!run) throw taskNotFound(taskId);
    return run;
  }

  poll(taskId: string, request: PollRequest): Promise<PollPage> {
    return observedPoll(this.#observed, taskId, request, pollLog(this.#polled, taskId, request));
  }

  countFallback(transport: TransportName): void {
    this.#instrumentation.metrics?.incrementCounter('fallbacks_total', 1, { transport });
  }

  listen(taskId: string, callback: (newest?: LogPosition) => void): () => void {
    const topic = this.#topics.of(taskId);
    const listener = topic.listen(callback);
    topic
      .open()
      .then(listener.call, (error: unknown) =>
        this.#deps.logger?.warn('The tail of a task could not be opened; it will be tried again.', { taskId, error }),
      );
    return listener.leave;
  }

  enter(connection: LiveConnection): void {
    this.#connections.enter(connection);
  }

  leave(connection: LiveConnection): void {
    this.#connections.leave(connection);
  }

  async disconnect(who: Disconnected): Promise<number> {
    const ended = this.#connections.end(matcherOf(who));
    this.#name ??= this.#deps.chance.hex(16);
    if (typeof who !== 'function')
      await this.#topics.announce(textOfNotice({ from: this.#name, disconnect: who })).catch((cause: unknown) => {
        throw new TaskBridgeError('STORE_UNAVAILABLE', 'Other nodes could not be told to end connections; call disconnect() again.', {
          retryAfterSeconds: 1,
          cause,
        });
      });
    return ended;
  }

  interrupted(): void {
    this.#topics.interrupted();
  }

  async close({ spreadMs = 0 }: { readonly spreadMs?: number } = {}): Promise<void> {
    const { clock, chance } = this.#deps;
    this.#closing = true;
    for (const answerNow of this.#polls) answerNow();
    if (this.#subscriptions.size > 0) {
      const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
      // Those of one connection go with it.
      const delays = new Map<object, number>();
      for (const subscription of this.#subscriptions) {
        const delayMs = delays.get(subscription.connection) ?? Math.floor(chance.fraction() * spreadMs);
        delays.set(subscription.connection, delayMs);
        timerAfter(clock, delayMs, () => subscription.cut());
      }
      await empty;
    }
    await this.#topics.close();
  }

  /** What another node announced. */
  #heed(text: string): void {
    const notice = parseNotice(text);
    // What this node said itself is done: whoever has come back meanwhile was looked at anew.
    if (notice && notice.from !== this.#name) this.#connections.end(matcherOf(notice.disconnect));
  }

  #enterPoll({ owner, auth = { subject: owner } }: Pick<PollRequest, 'owner' | 'auth'>, answerNow: () => void): (() => void) | undefined {
    if (this.#closing) return undefined;
    this.assertRoom(owner);
    const connection: LiveConnection = { auth, end: answerNow };
    this.#polls.add(answerNow);
    this.#present.enter(owner);
    this.#connections.enter(connection);
    return () => {
      this.#polls.delete(answerNow);
      this.#present.leave(owner);
      this.#connections.leave(connection);
    };
  }

  #forget(subscription: LogSubscription): void {
    const { owner, transport } = subscription.viewer;
    this.#subscriptions.delete(subscription);
    this.#present.leave(owner);
    this.#countStream(transport, -1);
    if (this.#subscriptions.size === 0) this.#onEmpty?.();
  }

  #countStream(transport: ViewerTransport, change: 1 | -1): void {
    const count = (this.#streams.get(transport) ?? 0) + change;
    this.#streams.set(transport, count);
    this.#instrumentation.metrics?.setGauge('streams_active', count, { transport });
  }
}
