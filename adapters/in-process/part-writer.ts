import { limits } from '../../machines/wire/index.ts';
import { monotonicMs, type Clock, type FlushOutcome, type LaneFlush, type OpenedPart } from '../../server/ports/index.ts';
import { RefusedReport } from './failure.ts';
import type { TaskStopped } from './handler.ts';

/** Bytes that wait to be sent, of all parts of a process. */
export interface WaitingBytes {
  count: number;
}

/** When a part's text is sent. */
export interface FlushPolicy {
  /** From the start of a flush until the next one, in milliseconds. */
  readonly flushMs: number;
  /** Bytes that are sent without a rest. */
  readonly flushBytes: number;
}

/** What a part is written with. */
export interface PartWriterDeps {
  readonly clock: Clock;
  readonly unsent: WaitingBytes;
  /** Sends until it is known what became of it; undefined once the run counts no more. */
  flush(flush: LaneFlush): Promise<FlushOutcome | undefined>;
  /** Asks for another fence where the lane was sealed; undefined where the part is not this run's any more. */
  regain(part: OpenedPart): Promise<OpenedPart | undefined>;
  /** The store has lost more of what was written than is kept here: the run is over. */
  lost(): void;
  /** A flush was refused for good. */
  refused(error: unknown): void;
  /** Why the run stops. */
  reason(): TaskStopped;
}

/** Bytes of one part that wait, beyond which who writes is asked to wait too. */
const UNSENT_MAX = 64 * 1024;
/** The same of all parts of a process. */
const ALL_UNSENT_MAX = 64 * 1024 * 1024;
/** Bytes of one flush, at most. */
const FLUSH_BYTES_MAX = 128 * 1024;

/** Of what was sent last, so much is kept: a store that falls back to a replica has lost the end, and is given that again. */
const KEPT_BYTES_MAX = 64 * 1024;

/** Room for what is kept, at least, once it is more than one flush. */
const KEPT_ROOM_MIN = 256;

const nothing = Buffer.alloc(0);
const turn = Promise.resolve();

interface Waiter {
  /** Until so many bytes of what was written are in the store. */
  readonly until: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** Takes the text of a part as it comes, and has one flush of it under way: a slow store makes larger flushes, and never a slower writer. */
export class PartWriter {
  readonly #deps: PartWriterDeps;
  readonly #policy: FlushPolicy;
  #opened: OpenedPart | undefined;
  /** Of what this run wrote, in bytes. */
  #written = 0;
  #sent = 0;
  /** What was there before. */
  #base = 0;
  #waiting: Buffer[] = [];
  /** What was written last, behind those: one text, since a token each would be as many buffers. */
  #text = '';
  /** Begins with the end of what was sent. Not a buffer for each flush: thousands of them in each part were most of what the collector did. */
  #kept: Buffer = nothing;
  #keptBytes = 0;
  /** The first half of a character whose second is still to come. */
  #half = '';
  #waiters: Waiter[] = [];
  #phase: 'writing' | 'ended' | 'over' = 'writing';
  #isSending = false;
  #timer: unknown;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(deps: PartWriterDeps, policy: FlushPolicy) {
    this.#deps = deps;
    this.#policy = policy;
  }

  /** The number by which the part is named, once it is open. */
  get part(): number | undefined {
    return this.#opened?.part;
  }

  /** The part is open: what was written meanwhile is sent. */
  begin(opened: OpenedPart): void {
    this.#opened = opened;
    this.#base = opened.fence.epoch.from;
    this.#schedule();
  }

  /**
   * Takes a text; gives a promise where too much waits to be sent. Rejects for what would make the part too long, and takes nothing of it; what comes behind
   * the end of the run is dropped.
   */
  write(text: string): Promise<void> | undefined {
    if (this.#phase === 'over') return undefined;
    if (this.#phase === 'ended') return Promise.reject(new RefusedReport('PART_ENDED', 'A part was written to that was ended before.'));
    const whole = this.#half === '' ? text : this.#half + text;
    const isHalf = endsInHalf(whole);
    const piece = isHalf ? whole.slice(0, -1) : whole;
    const bytes = Buffer.byteLength(piece);
    const length = this.#base + this.#written + bytes;
    if (length > limits.partBytesMax)
      return Promise.reject(
        new RefusedReport('PAYLOAD_TOO_LARGE', `A part of ${length} bytes was not written: one may have ${limits.partBytesMax}.`),
      );
    this.#half = isHalf ? whole.slice(-1) : '';
    this.#add(piece, bytes);
    if (this.#deps.unsent.count > ALL_UNSENT_MAX) return this.flushed();
    return this.#written - this.#sent > UNSENT_MAX ? this.#reached(this.#written - UNSENT_MAX) : undefined;
  }

  /** Nothing is written any more. */
  end(): void {
    if (this.#phase !== 'writing') return;
    this.#phase = 'ended';
    // Its second half never came.
    if (this.#half !== '') this.#add(this.#half, Buffer.byteLength(this.#half));
  }

  /** Resolves when all that was written by now is in the store; undefined where it is, or will never be. */
  flushed(): Promise<void> | undefined {
    return this.#written === this.#sent || this.#phase === 'over' ? undefined : this.#reached(this.#written);
  }

  /** Drops what waits, and whatever comes: the part was not opened, or is not this run's any more. */
  fail(error: unknown): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#deps.clock.clearTimeout(this.#timer);
    this.#deps.unsent.count -= this.#written - this.#sent;
    this.#waiting = [];
    this.#text = '';
    this.#kept = nothing;
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }

  #add(text: string, bytes: number): void {
    if (bytes === 0) return;
    this.#text += text;
    this.#written += bytes;
    this.#deps.unsent.count += bytes;
    this.#schedule();
  }

  #reached(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ until, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    const { clock } = this.#deps;
    const { flushMs, flushBytes } = this.#policy;
    if (!this.#opened || this.#isSending || this.#phase === 'over' || this.#written === this.#sent) return;
    const isAwaited = this.#waiters.length > 0 || this.#written - this.#sent >= flushBytes;
    // It rests, as it did for the token before.
    if (this.#timer !== undefined && !isAwaited) return;
    const restMs = isAwaited ? 0 : this.#sentAt + flushMs - monotonicMs(clock);
    if (restMs > 0) {
      this.#timer = clock.setTimeout(() => {
        this.#timer = undefined;
        this.#schedule();
      }, restMs);
      return;
    }
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isSending = true;
    this.#sentAt = monotonicMs(clock);
    const opened = this.#opened;
    // What is written in the same turn goes with it.
    void turn.then(() => this.#send(opened));
  }

  async #send(opened: OpenedPart): Promise<void> {
    const bytes = this.#take();
    try {
      const outcome = await this.#deps.flush({ fence: opened.fence, at: this.#base + this.#sent, bytes });
      if (this.#phase === 'over') return;
      if (outcome === 'ok') this.#noteSent(bytes);
      else if (outcome === 'fenced') await this.#regain(opened, bytes);
      else if (outcome === undefined) this.fail(this.#deps.reason());
      else this.#goBack(outcome.at, bytes);
    } catch (error) {
      this.#deps.refused(error);
      this.fail(error);
    }
    this.#isSending = false;
    this.#schedule();
  }

  /** Somebody sealed the lane and did not come to close the part, or it is another run's. */
  async #regain(opened: OpenedPart, bytes: Buffer): Promise<void> {
    const next = await this.#deps.regain(opened);
    if (this.#phase === 'over') return;
    if (!next) return this.fail(this.#deps.reason());
    this.#opened = next;
    const { from } = next.fence.epoch;
    const before = this.#base + this.#sent;
    if (from === before + bytes.length) this.#noteSent(bytes);
    else this.#goBack(from, bytes);
  }

  /** The lane is that long, and what was to follow is not in it: goes on from there, where what is behind is known here. */
  #goBack(length: number, bytes: Buffer): void {
    const lost = this.#base + this.#sent - length;
    if (lost < 0 || lost > this.#keptBytes) return this.#lose();
    const again = this.#kept.subarray(this.#keptBytes - lost, this.#keptBytes);
    this.#keptBytes -= lost;
    this.#sent -= lost;
    this.#deps.unsent.count += lost;
    this.#waiting.unshift(...[again, bytes].filter((piece) => piece.length > 0));
  }

  #lose(): void {
    this.#deps.lost();
    this.fail(this.#deps.reason());
  }

  #noteSent(bytes: Buffer): void {
    const { length } = bytes;
    this.#keep(bytes);
    this.#sent += length;
    this.#deps.unsent.count -= length;
    const reached = this.#waiters.filter(({ until }) => until <= this.#sent);
    this.#waiters = this.#waiters.filter(({ until }) => until > this.#sent);
    for (const { resolve } of reached) resolve();
  }

  #keep(bytes: Buffer): void {
    // Most parts that are open have said little.
    if (this.#keptBytes === 0) this.#kept = bytes;
    else {
      if (this.#keptBytes + bytes.length > this.#kept.length) this.#makeRoom(bytes.length);
      bytes.copy(this.#kept, this.#keptBytes);
    }
    this.#keptBytes += bytes.length;
  }

  /** Lets go of what need not be kept, and makes room for so many bytes behind the rest. */
  #makeRoom(length: number): void {
    const end = this.#keptBytes;
    const rest = Math.min(end, Math.max(0, KEPT_BYTES_MAX - length));
    const whole = rest + length;
    const next = Buffer.allocUnsafe(Math.max(KEPT_ROOM_MIN, whole + Math.min(whole, KEPT_BYTES_MAX / 2)));
    this.#kept.copy(next, 0, end - rest, end);
    this.#kept = next;
    this.#keptBytes = rest;
  }

  /** What waits, as much as one flush takes; cut between two characters. */
  #take(): Buffer {
    if (this.#text !== '') this.#waiting.push(Buffer.from(this.#text));
    this.#text = '';
    const all = this.#waiting.length === 1 ? this.#waiting[0] : undefined;
    const whole = all ?? Buffer.concat(this.#waiting);
    let cut = Math.min(whole.length, FLUSH_BYTES_MAX);
    while (cut < whole.length && ((whole[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
    this.#waiting = cut < whole.length ? [whole.subarray(cut)] : [];
    return whole.subarray(0, cut);
  }
}

function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
