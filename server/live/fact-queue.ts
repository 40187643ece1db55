import type { Gap } from '../../machines/wire/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { Entry } from '../ports/store.ts';
import { batchDefaults } from './batch-sizes.ts';
import type { Viewer } from './viewer.ts';

/**
 * A viewer inside the host's own process: what it is given waits here until somebody takes it. Above `viewerBytesMax` it falls behind like any
 * other, so that it never holds more than that and one fact, however slow its taker is.
 */
export class FactQueue implements Viewer {
  readonly transport = 'internal';
  readonly owner: string;
  readonly batches = batchDefaults;
  readonly #clock: Clock;
  #items: (Entry | Gap)[] = [];
  #bytes = 0;
  #looks = 0;
  #end: 'ended' | 'cut' | undefined;
  readonly #waiting: (() => void)[] = [];
  #drained: (() => void) | undefined;

  constructor(owner: string, clock: Clock) {
    this.owner = owner;
    this.#clock = clock;
  }

  /** The next fact or gap, in their order; then how it ended. Waits for it. */
  async take(): Promise<Entry | Gap | 'ended' | 'cut'> {
    for (;;) {
      const item = this.#items.shift();
      if (item) {
        if ('bytes' in item) this.#bytes -= item.bytes.byteLength;
        if (this.#items.length === 0) this.#tellDrained();
        return item;
      }
      if (this.#end) return this.#end;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Nobody takes anything any more. */
  drop(): void {
    this.#items = [];
    this.end();
  }

  facts(entries: readonly Entry[]): void {
    for (const entry of entries) this.#bytes += entry.bytes.byteLength;
    this.#add(...entries);
  }

  gap(gap: Gap): void {
    this.#add(gap);
  }

  heartbeat(): boolean {
    return false;
  }

  pendingBytes(): number {
    return this.#bytes;
  }

  /** Each look finds it further on: a taker that takes its time is no connection that stands still, and costs a bounded amount. */
  takenBytes(): number {
    return (this.#looks += 1);
  }

  onDrain(callback: () => void): void {
    this.#drained = callback;
    if (this.#items.length === 0) this.#tellDrained();
  }

  end(): void {
    this.#end ??= 'ended';
    this.#wake();
  }

  cut(): void {
    this.#end ??= 'cut';
    this.#wake();
  }

  cutTask(): void {
    this.cut();
  }

  #add(...items: (Entry | Gap)[]): void {
    this.#items.push(...items);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #tellDrained(): void {
    const callback = this.#drained;
    this.#drained = undefined;
    if (callback) this.#clock.setTimeout(callback, 0);
  }
}
