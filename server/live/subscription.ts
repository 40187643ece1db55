import { retryDelayMs, type EventId } from '../../machines/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger, TransportDiagnosticsSink, TransportName } from '../ports/observability.ts';
import type { Entry, EventStore } from '../ports/store.ts';
import { alarm } from './alarm.ts';
import type { Batch } from './batch.ts';
import { cursorOf, isOther, isStale, type Cursor } from './cursor.ts';
import { readAfter, type LogRun } from './log-read.ts';
import { storeRetry, type LiveOptions } from './options.ts';
import { Pulse } from './pulse.ts';
import type { Sharing, Viewer } from './viewer.ts';
import type { Reader, SharedRead, Watch } from './watch.ts';

/** One viewer's place in one log. */
export interface Subscription {
  /** Frees everything at once; the connection itself is the transport's. Does nothing the second time. */
  close(): void;
}

/** What a subscription needs. */
export interface SubscriptionContext {
  readonly watch: Watch;
  readonly viewer: Viewer;
  readonly cursor: Cursor;
  /** When the viewer's credentials end, in milliseconds since the epoch. */
  readonly cutAt: number | undefined;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly options: LiveOptions;
  readonly logger: Logger | undefined;
  readonly diagnostics: TransportDiagnosticsSink | undefined;
  readonly onClosed: (subscription: LogSubscription) => void;
}

/**
 * - `reading`: a page of the log is on its way; new facts are held as long as the viewer has room for them
 * - `opening`: has the history, and reads once more when the tail is open
 * - `draining`: keeps nothing, reads on when the viewer has taken what it was given
 * - `retrying`: the store failed, and is asked again after a pause
 * - `level`: has every fact, takes new ones as they come
 * - `ending`: has the last fact, and closes when the viewer has taken it
 */
type Phase = 'reading' | 'opening' | 'draining' | 'retrying' | 'level' | 'ending' | 'closed';

/** Of a viewer's room, the part that is read: what a transport wraps around small facts needs the rest. */
const pageShare: Readonly<Record<TransportName, number>> = { ws: 15 / 16, sse: 3 / 4, poll: 1 };

/**
 * `{ cursor, level | behind }`: reads the log until it is level, then follows the hub. Costs at most `viewerBytesMax` and one fact; viewers
 * that share a connection together that much and a fact for each that reads.
 */
export class LogSubscription implements Subscription, Reader {
  private readonly context: SubscriptionContext;
  private readonly pulse: Pulse;
  private readonly cancelCut: (() => void) | undefined;
  private cancelRetry: (() => void) | undefined;
  private phase: Phase = 'reading';
  private cursor: Cursor;
  private asked: Cursor;
  private held: Batch[] = [];
  private heldBytes = 0;
  /** The newest number that somebody told of. */
  private newest = 0;
  private failures = 0;

  constructor(context: SubscriptionContext) {
    const { viewer, clock, options, watch, diagnostics } = context;
    this.context = context;
    this.cursor = this.asked = context.cursor;
    this.pulse = new Pulse({
      viewer,
      clock,
      heartbeatMs: viewer.transport === 'sse' ? options.sseHeartbeatMs : options.heartbeatMs,
      stalledMs: options.stalledMs,
      onHeartbeat: () => diagnostics?.onHeartbeat?.(viewer.transport, watch.taskId),
      onStalled: () => this.cut(),
    });
    this.cancelCut = context.cutAt === undefined ? undefined : alarm(clock, context.cutAt, () => this.cut());
  }

  /** Viewers that have the same one are of one connection. */
  get connection(): object {
    const { viewer } = this.context;
    return viewer.sharing ?? viewer;
  }

  /** Follows first, then reads: the seam loses nothing. */
  start(): void {
    this.context.watch.addReader(this);
    this.read();
  }

  take(batch: Batch): void {
    this.newest = Math.max(this.newest, batch.last.n);
    if (this.phase === 'level') this.attempt(() => this.follow(batch));
    else if (this.phase === 'reading') this.hold(batch);
  }

  mark(): void {
    this.asked = this.cursor;
  }

  compare(newest: EventId | null): void {
    if (!isStale(this.cursor, this.asked, newest)) return;
    this.newest = Math.max(this.newest, cursorOf(newest).n);
    if (this.phase === 'level') this.read();
  }

  close(): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.held = [];
    this.pulse.stop();
    this.cancelCut?.();
    this.cancelRetry?.();
    const { watch, viewer, diagnostics, onClosed } = this.context;
    watch.removeReader(this);
    onClosed(this);
    diagnostics?.onDisconnect?.(viewer.transport, watch.taskId);
  }

  /** Breaks the connection, so that the client comes back. */
  cut(): void {
    if (this.phase === 'closed') return;
    this.close();
    this.context.viewer.cut();
  }

  /** The same for a fault of this log, which is no fault of a shared connection. */
  private lose(): void {
    if (this.phase === 'closed') return;
    this.close();
    this.context.viewer.lose();
  }

  private isPhase(phase: Phase): boolean {
    return this.phase === phase;
  }

  private room(): number {
    return this.context.options.viewerBytesMax - this.context.viewer.pendingBytes();
  }

  private follow(batch: Batch): void {
    const skipped = this.cursor.n + 1 - batch.first;
    if (skipped < 0) return this.read();
    const here = skipped === 0 ? batch.after : cursorOf(batch.entries[skipped - 1]?.eventId);
    // What comes is of a history that has replaced the one that was read.
    if (isOther(this.cursor, here)) return this.read();
    if (batch.last.n <= this.cursor.n) return;
    const fresh = skipped === 0 ? batch.entries : batch.entries.slice(skipped);
    const room = this.room();
    const fitting = batch.bytes <= room ? fresh : fresh.slice(0, countFitting(fresh, room));
    this.send(fitting);
    if (fitting.length < fresh.length) this.drain();
    else if (batch.ended) this.finish();
  }

  private hold(batch: Batch): void {
    this.heldBytes += batch.bytes;
    if (this.heldBytes <= this.room() / (this.context.viewer.sharing?.viewers ?? 1)) this.held.push(batch);
    else this.held = [];
  }

  private send(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (!last) return;
    const { viewer, watch, diagnostics } = this.context;
    viewer.facts(entries);
    this.cursor = cursorOf(last.eventId);
    this.pulse.sent();
    if (diagnostics?.onDelivery) for (const { eventId } of entries) diagnostics.onDelivery(viewer.transport, watch.taskId, eventId);
  }

  private drain(): void {
    if (this.phase === 'closed') return;
    this.phase = 'draining';
    this.context.viewer.onDrain(() => {
      if (this.phase === 'draining') this.read();
    });
  }

  private read(): void {
    if (!this.begin()) return;
    const { sharing } = this.context.viewer;
    if (sharing) void this.readInTurn(sharing);
    else void this.readPage(1);
  }

  private begin(): boolean {
    if (this.phase === 'closed') return false;
    this.phase = 'reading';
    this.held = [];
    this.heldBytes = 0;
    return true;
  }

  /** Those who read at once have half of the connection's room to themselves at least. */
  private async readInTurn({ turns }: Sharing): Promise<void> {
    const { watch, options } = this.context;
    try {
      await watch.open();
    } catch (error) {
      return this.retry(error);
    }
    if (this.phase === 'closed') return;
    const end = await turns.take();
    try {
      if (this.room() < options.viewerBytesMax / 2) this.drain();
      else if (!this.isPhase('closed')) await this.readPage(1 / turns.most);
    } finally {
      end();
    }
  }

  /** Gives history while the tail may still be opening; level is only who has read after it was open. */
  private async readPage(share: number): Promise<void> {
    const { watch, store, options, viewer } = this.context;
    const { cursor } = this;
    const opening = watch.open();
    opening.catch(() => undefined);
    try {
      const limit = { facts: options.pageFactsMax, bytes: Math.max(1, Math.floor(this.room() * share * pageShare[viewer.transport])) };
      const place = [cursor.n, cursor.ms, limit.bytes].join();
      const read = watch.read(place, () => readAfter(store, watch.taskId, cursor, limit));
      const run = await read.run;
      if (this.isPhase('closed')) return;
      // A task that is gone: the client comes back and is told so.
      if (!run) return this.lose();
      this.attempt(() => this.goOn(run, read));
      if (!this.isPhase('opening')) return;
      await opening;
      if (this.isPhase('opening')) this.read();
    } catch (error) {
      this.retry(error);
    }
  }

  private goOn(run: LogRun, { wasFollowed, told }: SharedRead): void {
    if (run.gap) this.context.viewer.gap(run.gap);
    if (run.gap || run.after !== this.cursor.n) this.cursor = { n: run.after, ms: null };
    if (run.gap?.reason === 'reset') this.newest = run.last.n;
    this.newest = Math.max(this.newest, told);
    this.send(run.entries);
    if (this.cursor.n < run.last.n) return this.drain();
    if (run.ended) return this.finish();
    if (this.isPhase('closed')) return;
    if (!wasFollowed) {
      this.phase = 'opening';
      return;
    }
    const { held } = this;
    this.phase = 'level';
    this.held = [];
    for (const batch of held) {
      this.follow(batch);
      if (!this.isPhase('level')) return;
    }
    if (this.newest <= this.cursor.n) this.failures = 0;
    else if (run.entries.length > 0) this.drain();
    else this.retry(new Error(`The store shows fact ${this.cursor.n} as the newest, but told of fact ${this.newest}.`));
  }

  private finish(): void {
    if (this.phase === 'closed') return;
    this.phase = 'ending';
    this.context.viewer.onDrain(() => {
      if (this.phase !== 'ending') return;
      this.close();
      this.context.viewer.end();
    });
  }

  private retry(error: unknown): void {
    if (this.phase === 'closed') return;
    const { clock, options, logger, watch } = this.context;
    this.failures += 1;
    if (this.failures >= options.storeTriesMax) {
      logger?.warn('A viewer is cut: the store failed too often in a row.', { taskId: watch.taskId, failures: this.failures, error });
      this.lose();
      return;
    }
    this.phase = 'retrying';
    this.held = [];
    this.cancelRetry = alarm(clock, clock.now() + retryDelayMs(storeRetry(options), this.failures - 1), () => this.readAgain());
  }

  /** Who shares a connection takes no turn from the others while its store fails, and as little room as can be. */
  private readAgain(): void {
    if (!this.context.viewer.sharing) this.read();
    else if (this.begin()) void this.readPage(0);
  }

  /** A viewer that throws is a fault of its transport; it ends this viewer and nothing else. */
  private attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.context.logger?.error('A viewer failed.', { taskId: this.context.watch.taskId, error });
      this.lose();
    }
  }
}

/** How many facts fit; at least one where there is any room. */
function countFitting(entries: readonly Entry[], room: number): number {
  if (room <= 0) return 0;
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    bytes += entry.bytes.byteLength;
    if (bytes > room) return Math.max(1, index);
  }
  return entries.length;
}
