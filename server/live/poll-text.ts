import type { Gap } from '../../machines/wire/index.ts';
import { taskNotFound } from '../errors.ts';
import type { Lanes } from '../ports/lanes.ts';
import type { Entry, EventStore } from '../ports/store.ts';
import { positionOf, type LogPosition } from './log-position.ts';
import { readAfter, type LogRun, type ReadLimit } from './log-read.ts';
import { PartDelivery, type PartDeliveryDeps, type PartsRead } from './part-delivery.ts';
import type { GrantedPoll, PollPage } from './poll.ts';

/** What pages with the text of parts are read with. */
export interface PollTextDeps {
  readonly store: EventStore;
  readonly lanes: Lanes;
  /** Who asks the same at once is answered together. */
  readonly topic: PartDeliveryDeps['topic'];
  readonly bytesMax: number;
}

/** A byte of text in JSON, at most: an escape, in bytes. */
const BYTES_OF_A_BYTE_MAX = 6;
/** Of a page's room, what its frames have beside their text. */
const FRAMES_BYTES = 32 * 1024;
/** Less text than that is for another page, unless this one has nothing yet. */
const TEXT_BYTES_MIN = 1024;
/** Behind text, only whether a fact waits for more of it matters. */
const nextFact: ReadLimit = { facts: 1, bytes: 0 };

/** Reads one page that has the text of parts, piece by piece: facts first, then text. What has to follow text begins the next page. */
export class PollText {
  readonly #deps: PollTextDeps;
  readonly #request: GrantedPoll;
  readonly #delivery: PartDelivery;
  #cursor: LogPosition;
  #nextAfter: string | null;
  #factsLeft: number;
  #bytesLeft: number;
  #hasText = false;
  #isEmpty = true;

  constructor(deps: PollTextDeps, request: GrantedPoll) {
    this.#deps = deps;
    this.#request = request;
    this.#delivery = new PartDelivery({ ...deps, cursors: request.parts ?? new Map() });
    this.#cursor = positionOf(request.after);
    this.#nextAfter = request.after || null;
    this.#factsLeft = request.maxEvents;
    this.#bytesLeft = deps.bytesMax;
  }

  /** The next piece of the page, the first one first; the last may have nothing but what is to be said at the end. Throws `TASK_NOT_FOUND`. */
  async piece(): Promise<PollPage> {
    const entries: Entry[] = [];
    const frames: Entry[] = [];
    const pieceBytes = Math.min(this.#bytesLeft, this.#request.pieceBytes ?? this.#bytesLeft);
    const until = this.#bytesLeft - pieceBytes;
    let gap: Gap | undefined;
    for (;;) {
      const { run, read } = await this.#read(this.#bytesLeft - until);
      const facts = run.entries.slice(0, read.facts);
      // What comes after a gap, and facts after text, are for a page of their own.
      const isNext = facts.length > 0 && (this.#hasText || this.#factsLeft === 0);
      if (isNext || (run.gap && !this.#isEmpty)) return this.#pieceOf({ entries, frames, hasMore: true, ...(gap && { gap }) }, false, true);
      gap ??= run.gap;
      if (run.gap) this.#nextAfter = null;
      if (run.gap || run.after !== this.#cursor.n) this.#cursor = { n: run.after, ms: null };
      this.#giveFacts(facts);
      entries.push(...facts);
      frames.push(...this.#giveText(read));
      const hasMore = this.#cursor.n < run.last.n || read.hasMore;
      if (!hasMore || this.#bytesLeft <= until || !this.#hasRoom())
        return this.#pieceOf({ entries, frames, hasMore, ...(gap && { gap }) }, run.ended);
    }
  }

  async #read(pieceBytes: number): Promise<{ readonly run: LogRun; readonly read: PartsRead }> {
    const { store, topic } = this.#deps;
    const limit = this.#hasText ? nextFact : { facts: Math.max(1, this.#factsLeft), bytes: pieceBytes };
    const run = await readAfter(store, topic.taskId, this.#cursor, limit);
    if (!run) throw taskNotFound(topic.taskId);
    const read = await this.#delivery.read(run, Math.max(TEXT_BYTES_MIN, Math.min(pieceBytes, this.#textRoom())));
    return { run, read };
  }

  #textRoom(): number {
    return Math.floor((this.#bytesLeft - FRAMES_BYTES) / BYTES_OF_A_BYTE_MAX);
  }

  #hasRoom(): boolean {
    return this.#isEmpty || (this.#factsLeft > 0 && !this.#hasText && this.#bytesLeft > 0) || this.#textRoom() >= TEXT_BYTES_MIN;
  }

  #giveFacts(facts: readonly Entry[]): void {
    this.#delivery.noteFacts(facts);
    this.#factsLeft -= facts.length;
    this.#take(facts);
    const last = facts.at(-1);
    if (!last) return;
    this.#nextAfter = last.eventId;
    this.#cursor = positionOf(last.eventId);
  }

  #giveText(read: PartsRead): readonly Entry[] {
    const given: Entry[] = [];
    for (const { entries, chunk } of this.#delivery.framesOf(read)) {
      this.#delivery.noteShown(chunk);
      this.#take(entries);
      this.#hasText = true;
      given.push(...entries);
    }
    return given;
  }

  #take(entries: readonly Entry[]): void {
    for (const { bytes } of entries) this.#bytesLeft -= bytes.byteLength;
    if (entries.length > 0) this.#isEmpty = false;
  }

  #pieceOf(piece: Pick<PollPage, 'entries' | 'frames' | 'hasMore' | 'gap'>, hasEnded: boolean, isWhole = false): PollPage {
    const goesOn = piece.hasMore && !isWhole && !this.#isEmpty && this.#request.pieceBytes !== undefined && this.#hasRoom();
    return {
      ...piece,
      nextAfterEventId: this.#nextAfter,
      terminal: hasEnded && !piece.hasMore,
      // A fault of the store ends the page: it says that there is more.
      ...(goesOn && { readOn: () => this.piece().catch(() => undefined) }),
    };
  }
}
