import type { Json } from '../../machines/wire/index.ts';
import { monotonicMs, type OpenedPart } from '../../server/ports/index.ts';
import { RefusedReport } from './failure.ts';
import type { PartWriterDeps } from './part-writer.ts';
import { valueJson } from './value-json.ts';

/** From the start of a flush until the next one, in milliseconds: twenty a second. */
const REST_MS = 50;

const turn = Promise.resolve();

interface Waiter {
  /** Until so many of the values that were written are in the store, or were replaced by one that is. */
  readonly until: number;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Takes the values of a part that is replaced, and has one flush under way: of those that come meanwhile only the newest is kept, so that a slow store
 * gets fewer values, and never makes a slower writer.
 */
export class ValueWriter {
  readonly #deps: PartWriterDeps;
  readonly #name: string;
  #opened: OpenedPart | undefined;
  /** The lane's, as far as it is known here. */
  #version = 0;
  /** The newest value that is not in the store, and how many were written up to it. */
  #next: { readonly bytes: Buffer; readonly nth: number } | undefined;
  #written = 0;
  #sent = 0;
  #waiters: Waiter[] = [];
  #phase: 'writing' | 'ended' | 'over' = 'writing';
  #isSending = false;
  #timer: unknown;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(deps: PartWriterDeps, name: string) {
    this.#deps = deps;
    this.#name = name;
  }

  /** The number by which the part is named, once it is open. */
  get part(): number | undefined {
    return this.#opened?.part;
  }

  /** The part is open: what was written meanwhile is sent. */
  begin(opened: OpenedPart): void {
    this.#continue(opened);
    this.#schedule();
  }

  /** Takes the next value, in place of one that still waits. Rejects for what is no value, and keeps the one before; what comes behind the end of the run is dropped. */
  write(value: Json): Promise<void> | undefined {
    if (this.#phase === 'over') return undefined;
    if (this.#phase === 'ended') return Promise.reject(new RefusedReport('PART_ENDED', 'A part was written to that was ended before.'));
    try {
      const bytes = valueJson(this.#name, value);
      this.#deps.unsent.count += bytes.byteLength - (this.#next?.bytes.byteLength ?? 0);
      this.#next = { bytes, nth: (this.#written += 1) };
    } catch (error) {
      return Promise.reject(error as Error);
    }
    this.#schedule();
    return undefined;
  }

  /** Nothing is written any more. */
  end(): void {
    if (this.#phase === 'writing') this.#phase = 'ended';
  }

  /** Resolves when the value that was written last by now, or a newer one, is in the store; undefined where it is, or will never be. */
  flushed(): Promise<void> | undefined {
    const until = this.#written;
    if (until === this.#sent || this.#phase === 'over') return undefined;
    return new Promise((resolve, reject) => void this.#waiters.push({ until, resolve, reject }));
  }

  /** Drops what waits, and whatever comes: the part was not opened, or is not this run's any more. */
  fail(error: unknown): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#deps.clock.clearTimeout(this.#timer);
    this.#deps.unsent.count -= this.#next?.bytes.byteLength ?? 0;
    this.#next = undefined;
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }

  #schedule(): void {
    const { clock } = this.#deps;
    const opened = this.#opened;
    if (!opened || !this.#next || this.#isSending || this.#timer !== undefined || this.#phase === 'over') return;
    const restMs = this.#sentAt + REST_MS - monotonicMs(clock);
    if (restMs > 0) {
      this.#timer = clock.setTimeout(() => {
        this.#timer = undefined;
        this.#schedule();
      }, restMs);
      return;
    }
    this.#isSending = true;
    this.#sentAt = monotonicMs(clock);
    // What is written in the same turn takes its place.
    void turn.then(() => this.#send(opened));
  }

  async #send(opened: OpenedPart): Promise<void> {
    const sending = this.#next;
    try {
      if (sending) await this.#flush(opened, sending);
    } catch (error) {
      this.#deps.refused(error);
      this.fail(error);
    }
    this.#isSending = false;
    this.#schedule();
  }

  async #flush(opened: OpenedPart, sending: { readonly bytes: Buffer; readonly nth: number }): Promise<void> {
    const outcome = await this.#deps.flush({ fence: opened.fence, at: this.#version, bytes: sending.bytes });
    if (this.#phase === 'over') return;
    if (outcome === undefined) return this.fail(this.#deps.reason());
    if (outcome !== 'ok') return this.#regain(opened);
    this.#version += 1;
    this.#sent = sending.nth;
    // A newer one has taken its place meanwhile.
    if (this.#next === sending) {
      this.#deps.unsent.count -= sending.bytes.byteLength;
      this.#next = undefined;
    }
    const reached = this.#waiters.filter(({ until }) => until <= this.#sent);
    this.#waiters = this.#waiters.filter(({ until }) => until > this.#sent);
    for (const { resolve } of reached) resolve();
  }

  /**
   * Somebody sealed the lane and did not come to close the part, or the store has lost its newest versions: their numbers come again for other values, and a new epoch
   * has those who saw them begin anew. What was not answered is sent once more, in it: it may be there already.
   */
  async #regain(opened: OpenedPart): Promise<void> {
    const next = await this.#deps.regain(opened);
    if (this.#phase === 'over') return;
    if (next) this.#continue(next);
    else this.fail(this.#deps.reason());
  }

  #continue(opened: OpenedPart): void {
    this.#opened = opened;
    this.#version = opened.fence.epoch.from;
  }
}
