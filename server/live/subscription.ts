import { retryDelayMs } from '../../machines/index.ts';
import type { EventId } from '../../machines/wire/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger, TransportDiagnosticsSink, TransportName } from '../ports/observability.ts';
import type { Entry, EventStore } from '../ports/store.ts';
import { timerAt } from './timer.ts';
import { fittingOf, freshOf, type Batch } from './batch.ts';
import { positionOf, isStale, type LogPosition } from './log-position.ts';
import { readAfter, type LogRun } from './log-read.ts';
import { storeRetry, type LiveOptions } from './options.ts';
import { HeartbeatMonitor } from './heartbeat-monitor.ts';
import { viewerPhases, type ViewerEffect, type ViewerEventType, type ViewerPhase } from './viewer.phases.ts';
import type { Viewer } from './viewer.ts';
import type { TopicSubscriber, SharedRead, Topic } from './topic.ts';

/** One viewer's place in one log. */
export interface Subscription {
  /** Frees everything at once; the connection itself is the transport's. Does nothing the second time. */
  close(): void;
}

/** What a subscription needs. */
export interface SubscriptionDeps {
  readonly topic: Topic;
  readonly viewer: Viewer;
  readonly cursor: LogPosition;
  /** When the viewer's credentials end, in milliseconds since the epoch. */
  readonly cutAt: number | undefined;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly options: LiveOptions;
  readonly logger: Logger | undefined;
  readonly diagnostics: TransportDiagnosticsSink | undefined;
  readonly onClosed: (subscription: LogSubscription) => void;
}

/** Of a viewer's room, the part that is read: what a transport wraps around small facts needs the rest. */
const pageShare: Readonly<Record<TransportName, number>> = { ws: 15 / 16, sse: 3 / 4, poll: 1 };

/** A page of the log, and how it was read. */
interface PageRead {
  readonly type: 'page.read';
  readonly run: LogRun;
  readonly read: SharedRead;
  /** Whether the tail could be opened, asked before the page was read. */
  readonly opening: Promise<void>;
}

/** What a viewer's table is told, with what its effects need of it. */
type ViewerEvent =
  | { readonly type: 'facts.told'; readonly batch: Batch }
  | { readonly type: 'turn.came' | 'turn.crowded'; readonly endTurn: () => void }
  | PageRead
  | { readonly type: 'log.early'; readonly opening: Promise<void> }
  | { readonly type: 'store.exhausted'; readonly error: unknown }
  | {
      readonly type: Exclude<ViewerEventType, 'facts.told' | 'turn.came' | 'turn.crowded' | 'page.read' | 'log.early' | 'store.exhausted'>;
    };

/**
 * One viewer of one log: a cursor, and a phase of `viewerPhases`, which decides. Here is only what its effects do, and what is found out for
 * its events. Costs at most `viewerBytesMax` and one fact; viewers that share a connection together that much and a fact for each that reads.
 */
export class LogSubscription implements Subscription, TopicSubscriber {
  readonly #deps: SubscriptionDeps;
  readonly #heartbeats: HeartbeatMonitor;
  readonly #cancelCut: (() => void) | undefined;
  #cancelPause: (() => void) | undefined;
  #standing: ViewerPhase = viewerPhases.initial.to;
  #cursor: LogPosition;
  #asked: LogPosition;
  #held: Batch[] = [];
  #heldBytes = 0;
  /** The newest number that somebody told of. */
  #newest = 0;
  #failures = 0;

  constructor(deps: SubscriptionDeps) {
    const { viewer, clock, options, topic, diagnostics } = deps;
    this.#deps = deps;
    this.#cursor = this.#asked = deps.cursor;
    this.#heartbeats = new HeartbeatMonitor({
      viewer,
      clock,
      heartbeatMs: viewer.transport === 'sse' ? options.sseHeartbeatMs : options.heartbeatMs,
      stalledMs: options.stalledMs,
      onHeartbeat: () => diagnostics?.onHeartbeat?.(viewer.transport, topic.taskId),
      onStalled: () => this.cut(),
    });
    this.#cancelCut = deps.cutAt === undefined ? undefined : timerAt(clock, deps.cutAt, () => this.cut());
  }

  /** Viewers that have the same one are of one connection. */
  get connection(): object {
    const { viewer } = this.#deps;
    return viewer.sharing ?? viewer;
  }

  /** Where it stands. */
  get phase(): ViewerPhase {
    return this.#standing;
  }

  /** How many batches it keeps, to show them after the page that is on its way. */
  get holding(): number {
    return this.#held.length;
  }

  /** Follows first, then reads: the seam loses nothing. */
  start(): void {
    this.#deps.topic.addSubscriber(this);
    for (const effect of viewerPhases.initial.effects) this.#perform(effect);
  }

  take(batch: Batch): void {
    this.#newest = Math.max(this.#newest, batch.last.n);
    this.#on({ type: 'facts.told', batch });
  }

  mark(): void {
    this.#asked = this.#cursor;
  }

  compare(newest: EventId | null): void {
    if (!isStale(this.#cursor, this.#asked, newest)) return;
    this.#newest = Math.max(this.#newest, positionOf(newest).n);
    this.#on({ type: 'facts.missed' });
  }

  close(): void {
    this.#on({ type: 'viewer.closed' });
  }

  /** Breaks the connection, so that the client comes back. */
  cut(): void {
    this.#on({ type: 'viewer.cut' });
  }

  #on(event: ViewerEvent): void {
    const cell = viewerPhases.phases[this.#standing].on[event.type];
    if (cell === 'nothing') return;
    if (cell === 'never') {
      const { logger, topic } = this.#deps;
      logger?.error('A viewer was told what cannot be.', { taskId: topic.taskId, phase: this.#standing, event: event.type });
      return;
    }
    this.#standing = cell.to ?? this.#standing;
    for (const effect of cell.effects) this.#perform(effect, event);
  }

  #perform(effect: ViewerEffect, event?: ViewerEvent): void {
    const { viewer } = this.#deps;
    switch (effect) {
      case 'hold':
        if (event?.type === 'facts.told') this.#hold(event.batch);
        return;
      case 'follow':
        if (event?.type === 'facts.told') this.#attempt(() => ({ type: this.#follow(event.batch) }));
        return;
      case 'show':
        if (event?.type === 'page.read') this.#attempt(() => this.#show(event));
        return;
      case 'dropHeld':
        return this.#dropHeld();
      case 'read':
        return this.#read();
      case 'readAgain':
        // Who shares a connection takes no turn from the others while its store fails, and as little room as can be.
        return void this.#readPage(viewer.sharing ? 0 : 1);
      case 'takeTurn':
        return void this.#takeTurn();
      case 'readInTurn':
        if (event?.type === 'turn.came') void this.#readPage(1 / (viewer.sharing?.reads.most ?? 1)).finally(event.endTurn);
        return;
      case 'endTurn':
        if (event?.type === 'turn.came' || event?.type === 'turn.crowded') event.endTurn();
        return;
      case 'awaitTail':
        if (event?.type === 'log.early') this.#awaitTail(event.opening);
        return;
      case 'awaitDrain':
        return viewer.onDrain(() => this.#on({ type: 'viewer.drained' }));
      case 'awaitPause':
        return this.#awaitPause();
      case 'resetFailures':
        this.#failures = 0;
        return;
      case 'tellFailure':
        if (event?.type === 'store.exhausted') this.#tellFailure(event.error);
        return;
      case 'release':
        return this.#release();
      case 'cut':
        return viewer.cut();
      case 'lose':
        return viewer.cutTask();
      case 'end':
        return viewer.end();
    }
  }

  /** A viewer that throws is a fault of its transport; it ends this viewer and nothing else. */
  #attempt(step: () => ViewerEvent): void {
    try {
      this.#on(step());
    } catch (error) {
      this.#deps.logger?.error('A viewer failed.', { taskId: this.#deps.topic.taskId, error });
      this.#on({ type: 'viewer.broke' });
    }
  }

  #room(): number {
    return this.#deps.options.viewerBytesMax - this.#deps.viewer.pendingBytes();
  }

  #hold(batch: Batch): void {
    this.#heldBytes += batch.bytes;
    if (this.#heldBytes <= this.#room() / (this.#deps.viewer.sharing?.viewers ?? 1)) this.#held.push(batch);
    else this.#held = [];
  }

  #dropHeld(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** Shows what is new and fits. Says how that leaves the viewer. */
  #follow(batch: Batch): 'log.level' | 'log.more' | 'log.torn' | 'log.ended' {
    const fresh = freshOf(batch, this.#cursor);
    if (!fresh) return 'log.torn';
    if (fresh.length === 0) return 'log.level';
    const room = this.#room();
    const fitting = batch.bytes <= room ? fresh : fittingOf(fresh, room);
    this.#send(fitting);
    if (fitting.length < fresh.length) return 'log.more';
    return batch.ended ? 'log.ended' : 'log.level';
  }

  /** Shows a page, then what was held meanwhile. Says how that leaves the viewer. */
  #show({ run, read, opening }: PageRead): ViewerEvent {
    if (run.gap) this.#deps.viewer.gap(run.gap);
    if (run.gap || run.after !== this.#cursor.n) this.#cursor = { n: run.after, ms: null };
    if (run.gap?.reason === 'reset') this.#newest = run.last.n;
    this.#newest = Math.max(this.#newest, read.told);
    this.#send(run.entries);
    if (this.#cursor.n < run.last.n) return { type: 'log.more' };
    if (run.ended) return { type: 'log.ended' };
    if (!read.wasFollowed) return { type: 'log.early', opening };
    // Empty at once where showing it closed the viewer.
    for (let batch = this.#held.shift(); batch; batch = this.#held.shift()) {
      const found = this.#follow(batch);
      if (found !== 'log.level') return { type: found };
    }
    if (this.#newest <= this.#cursor.n) return { type: 'log.level' };
    if (run.entries.length > 0) return { type: 'log.more' };
    return this.#failed(new Error(`The store shows fact ${this.#cursor.n} as the newest, but told of fact ${this.#newest}.`));
  }

  #send(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (!last) return;
    const { viewer, topic, diagnostics } = this.#deps;
    viewer.facts(entries);
    this.#cursor = positionOf(last.eventId);
    this.#heartbeats.sent();
    if (diagnostics?.onDelivery) for (const { eventId } of entries) diagnostics.onDelivery(viewer.transport, topic.taskId, eventId);
  }

  #read(): void {
    this.#dropHeld();
    if (this.#deps.viewer.sharing) this.#awaitTail(this.#deps.topic.open());
    else void this.#readPage(1);
  }

  #awaitTail(opening: Promise<void>): void {
    opening.then(
      () => this.#on({ type: 'tail.opened' }),
      (error: unknown) => this.#on(this.#failed(error)),
    );
  }

  /** Those who read at once have half of the connection's room to themselves at least. */
  async #takeTurn(): Promise<void> {
    const { viewer, options } = this.#deps;
    const endTurn = await viewer.sharing?.reads.take();
    if (endTurn) this.#on({ type: this.#room() < options.viewerBytesMax / 2 ? 'turn.crowded' : 'turn.came', endTurn });
  }

  /** Gives history while the tail may still be opening; level is only who has read after it was open. */
  async #readPage(share: number): Promise<void> {
    const { topic, store, options, viewer } = this.#deps;
    const cursor = this.#cursor;
    const opening = topic.open();
    opening.catch(() => undefined);
    try {
      const limit = { facts: options.pageFactsMax, bytes: Math.max(1, Math.floor(this.#room() * share * pageShare[viewer.transport])) };
      const place = [cursor.n, cursor.ms, limit.bytes].join();
      const read = topic.read(place, () => readAfter(store, topic.taskId, cursor, limit));
      const run = await read.run;
      // A task that is gone: the client comes back and is told so.
      this.#on(run ? { type: 'page.read', run, read, opening } : { type: 'task.gone' });
    } catch (error) {
      this.#on(this.#failed(error));
    }
  }

  #failed(error: unknown): ViewerEvent {
    this.#failures += 1;
    return this.#failures < this.#deps.options.storeTriesMax ? { type: 'store.failed' } : { type: 'store.exhausted', error };
  }

  #awaitPause(): void {
    const { clock, options } = this.#deps;
    const pauseMs = retryDelayMs(storeRetry(options), this.#failures - 1);
    this.#cancelPause = timerAt(clock, clock.now() + pauseMs, () => this.#on({ type: 'pause.ended' }));
  }

  #tellFailure(error: unknown): void {
    const { logger, topic } = this.#deps;
    logger?.warn('A viewer is cut: the store failed too often in a row.', { taskId: topic.taskId, failures: this.#failures, error });
  }

  /** Frees everything at once. */
  #release(): void {
    this.#held = [];
    this.#heartbeats.stop();
    this.#cancelCut?.();
    this.#cancelPause?.();
    const { topic, viewer, diagnostics, onClosed } = this.#deps;
    topic.removeSubscriber(this);
    onClosed(this);
    diagnostics?.onDisconnect?.(viewer.transport, topic.taskId);
  }
}
