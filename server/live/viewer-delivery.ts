import type { EventId, Gap } from '../../machines/wire/index.ts';
import type { Entry } from '../ports/store.ts';
import { fittingOf, freshOf, headOf, type Batch } from './batch.ts';
import { isStale, positionOf, type LogPosition } from './log-position.ts';
import type { LogRun } from './log-read.ts';
import type { PartDelivery, PartsRead } from './part-delivery.ts';
import type { PartChunk } from './part-frames.ts';
import type { SubscriptionDeps, Watching } from './subscription.ts';
import type { PageRead, ViewerEvent } from './viewer-event.ts';

/** What a delivery works with. */
export type ViewerDeliveryDeps = Pick<SubscriptionDeps, 'options' | 'diagnostics' | 'lag' | 'spans' | 'metrics'>;

/** Told by a delivery. */
export interface DeliveryListener extends Pick<Watching, 'topic' | 'viewer'> {
  /** Something was sent. */
  sent(): void;
}

/** How what was shown leaves the viewer. */
export type DeliveryStanding = 'log.level' | 'log.more' | 'log.torn' | 'log.ended';

/** What one viewer was given of a log: its cursor, the room that it has, and the batches that are held while a page is on its way. */
export class ViewerDelivery {
  /** What it was given of parts; undefined where it is shown none. */
  readonly parts: PartDelivery | undefined;
  readonly #deps: ViewerDeliveryDeps;
  readonly #listener: DeliveryListener;
  #cursor: LogPosition;
  #cursorAtMark: LogPosition;
  #held: Batch[] = [];
  #heldBytes = 0;
  /** The newest number that somebody told of. */
  #newest = 0;
  /** It had all that there was, once: what comes since is no replay. */
  #wasLevel = false;

  constructor(deps: ViewerDeliveryDeps, listener: DeliveryListener, cursor: LogPosition, parts: PartDelivery | undefined) {
    this.#deps = deps;
    this.#listener = listener;
    this.parts = parts;
    this.#cursor = this.#cursorAtMark = cursor;
  }

  /** How far the viewer has come. */
  get cursor(): LogPosition {
    return this.#cursor;
  }

  /** A page without facts, where more is known of parts and nothing newer was told; else undefined. */
  get partsRun(): LogRun | undefined {
    if (this.#newest > this.#cursor.n || !this.parts?.hasRest) return undefined;
    return { after: this.#cursor.n, entries: [], last: this.#cursor, ended: false };
  }

  /** How many batches are held. */
  get heldCount(): number {
    return this.#held.length;
  }

  /** Unsent bytes that the viewer's connection still has room for. */
  get room(): number {
    return this.#deps.options.viewerBytesMax - this.#listener.viewer.pendingBytes();
  }

  /** There is a fact of that number. */
  noteNewest(n: number): void {
    this.#newest = Math.max(this.#newest, n);
  }

  /** The store is about to be asked for its newest fact. */
  mark(): void {
    this.#cursorAtMark = this.#cursor;
  }

  /** True where the store's newest fact shows that the viewer has missed something. */
  hasMissed(newest: EventId | null): boolean {
    if (!isStale(this.#cursor, this.#cursorAtMark, newest)) return false;
    this.noteNewest(positionOf(newest).n);
    return true;
  }

  /** Holds a batch until the page is there, as far as there is room. */
  hold(batch: Batch): void {
    this.#heldBytes += batch.bytes;
    if (this.#heldBytes <= this.room / (this.#listener.viewer.sharing?.viewers ?? 1)) this.#held.push(batch);
    else this.#held = [];
  }

  /** Holds nothing any more. */
  dropHeld(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** Shows of a batch what is new and fits. Says how that leaves the viewer. */
  showBatch(batch: Batch): DeliveryStanding {
    const fresh = freshOf(batch, this.#cursor);
    if (!fresh) return 'log.torn';
    if (fresh.length === 0) return 'log.level';
    this.#wasLevel = true;
    const { room } = this;
    const shown = this.parts ? fresh.slice(0, this.parts.fitting(fresh)) : fresh;
    const most = headOf(shown.length < fresh.length ? shown : fresh, this.#listener.viewer.batches.liveFactsMax);
    const fitting = batch.bytes <= room ? most : fittingOf(most, room);
    this.#send(fitting);
    if (fitting.length < fresh.length) return 'log.more';
    if (batch.ended) this.#tellEnded();
    return batch.ended ? 'log.ended' : 'log.level';
  }

  /** Shows bytes of a part, where they continue what the viewer has of it and fit. Says how that leaves the viewer. */
  showPart(chunk: PartChunk): DeliveryStanding {
    const frames = this.parts?.follow(chunk) ?? 'log.level';
    if (typeof frames === 'string') return frames;
    if (!this.#hasRoomFor(frames)) return 'log.more';
    this.#sendParts(frames, chunk);
    return 'log.level';
  }

  /** Shows a page, then what was held meanwhile. Says how that leaves the viewer; an error where the store contradicts itself. */
  showPage({ run, read, opening, parts }: PageRead): ViewerEvent | Error {
    if (run.gap) this.#tellGap(run.gap);
    if (run.gap || run.after !== this.#cursor.n) this.#cursor = { n: run.after, ms: null };
    if (run.gap?.reason === 'reset') this.#newest = run.last.n;
    this.noteNewest(read.told);
    this.#send(parts ? run.entries.slice(0, parts.facts) : run.entries);
    const isWhole = parts ? this.#showFrames(parts) : true;
    if (this.#cursor.n < run.last.n || parts?.hasMore || !isWhole) return { type: 'log.more' };
    if (run.ended) {
      this.#tellEnded();
      return { type: 'log.ended' };
    }
    if (!read.wasTailOpen) return { type: 'log.early', opening };
    // Empty at once where showing it closed the viewer.
    for (let batch = this.#held.shift(); batch; batch = this.#held.shift()) {
      const standing = this.showBatch(batch);
      if (standing !== 'log.level') return { type: standing };
    }
    if (this.parts?.isBehind(this.#cursor.n)) return { type: 'log.more' };
    if (this.#newest <= this.#cursor.n) {
      this.#wasLevel = true;
      return { type: 'log.level' };
    }
    if (run.entries.length > 0) return { type: 'log.more' };
    return new Error(`The store shows fact ${this.#cursor.n} as the newest, but told of fact ${this.#newest}.`);
  }

  /** Shows the frames of a read as far as there is room, one of them in any case; false where some are left, and are read again. */
  #showFrames(parts: PartsRead): boolean {
    let isFirst = true;
    for (const { entries, chunk } of this.parts?.framesOf(parts) ?? []) {
      if (!isFirst && !this.#hasRoomFor(entries)) return false;
      this.#sendParts(entries, chunk);
      isFirst = false;
    }
    return true;
  }

  #hasRoomFor(frames: readonly Entry[]): boolean {
    const { room } = this;
    for (const { bytes } of frames) if (bytes.byteLength > room) return false;
    return true;
  }

  /** It was handed the task's last fact; who came for a log that had ended is no delivery. */
  #tellEnded(): void {
    const { spans } = this.#deps;
    const { topic, viewer } = this.#listener;
    const { n, ms } = this.#cursor;
    if (spans && this.#wasLevel) spans.ended(topic.taskId, viewer.transport, `${n}-${ms ?? 0}`);
  }

  #tellGap(gap: Gap): void {
    const { viewer } = this.#listener;
    this.#deps.metrics?.incrementCounter('gaps_total', 1, { transport: viewer.transport, reason: gap.reason });
    viewer.gap(gap);
  }

  #send(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (!last) return;
    const { diagnostics, lag } = this.#deps;
    const { topic, viewer } = this.#listener;
    viewer.facts(entries);
    if (lag && this.#wasLevel) lag.note(viewer.transport, entries);
    this.#cursor = positionOf(last.eventId);
    this.parts?.noteFacts(entries);
    this.#listener.sent();
    if (diagnostics?.onDelivery) for (const { eventId } of entries) diagnostics.onDelivery(viewer.transport, topic.taskId, eventId);
  }

  #sendParts(frames: readonly Entry[], chunk: PartChunk): void {
    this.#listener.viewer.parts?.(frames);
    this.parts?.noteShown(chunk);
    this.#listener.sent();
  }
}
