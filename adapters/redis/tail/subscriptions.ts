import { retryDelayMs, type RetryPolicy } from '../../../machines/index.ts';
import type { Chance, Clock, Logger } from '../../../server/ports/index.ts';
import { bucketOf, taskOfChannel } from '../keys.ts';
import { openLine, type Line } from './line.ts';
import type { Place, Router } from './router.ts';

/** What the subscriptions work with. */
export interface SubscriptionsContext {
  readonly router: Router;
  readonly isSharded: boolean;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
  /** A line is asked that often whether its server is there, and taken for dead when it does not answer for as long. */
  readonly aliveMs: number;
  message(channel: string, message: Buffer): void;
  /** All channels are heard again after some were not. */
  renewed(): void;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** Channels of one SUBSCRIBE, at most. */
const CHANNELS_MAX = 500;
/** How often channels that could not be subscribed are subscribed again: for as long as they are wanted. */
const subscribeRetry: RetryPolicy = { baseMs: 50, maxMs: 2000, triesMax: Infinity, jitter: 0.2 };

/**
 * Keeps a set of channels subscribed: over one line on a single server, over one for each master on a cluster. What is wanted and where it is
 * heard are two sets; whatever happens, the difference is settled, by one loop.
 */
export class Subscriptions {
  readonly #context: SubscriptionsContext;
  readonly #wanted = new Set<string>();
  /** Where a channel is heard, or will be when what was sent is confirmed. */
  readonly #heardOn = new Map<string, { readonly line: Line; readonly confirmed: Promise<void> }>();
  readonly #lines = new Map<string, Line>();
  readonly #waiters = new Map<string, Waiter[]>();
  #leaving = new Map<Line, string[]>();
  #settling = false;
  #again = false;
  /** Something was not heard for a while. */
  #owesRenewal = false;
  #failures = 0;
  #timer: unknown;
  #closed = false;

  constructor(context: SubscriptionsContext) {
    this.#context = context;
  }

  /** Resolves when the channel is heard. Rejects where that failed; it is tried again all the same, until it is removed. */
  add(channel: string): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('The tail of the Redis store is closed.'));
    this.#wanted.add(channel);
    const heard = this.#heardOn.get(channel);
    if (heard) return heard.confirmed;
    return new Promise((resolve, reject) => {
      this.#waiters.set(channel, [...(this.#waiters.get(channel) ?? []), { resolve, reject }]);
      this.#settleSoon();
    });
  }

  remove(channel: string): void {
    this.#wanted.delete(channel);
    const heard = this.#heardOn.get(channel);
    if (!heard) return;
    this.#heardOn.delete(channel);
    const leaving = this.#leaving.get(heard.line);
    if (leaving) leaving.push(channel);
    else this.#leaving.set(heard.line, [channel]);
    this.#settleSoon();
  }

  close(): void {
    this.#closed = true;
    this.#context.clock.clearTimeout(this.#timer);
    for (const line of this.#lines.values()) line.close();
    this.#lines.clear();
    this.#heardOn.clear();
    this.#wanted.clear();
    this.#rejectWaiters([...this.#waiters.keys()], new Error('The tail of the Redis store is closed.'));
  }

  /** Everything that is said in one turn is sent together. */
  #settleSoon(): void {
    this.#again = true;
    if (this.#settling || this.#timer !== undefined) return;
    this.#settling = true;
    queueMicrotask(() => void this.#settle());
  }

  async #settle(): Promise<void> {
    let failed = false;
    while (this.#again && !failed && !this.#closed) {
      this.#again = false;
      failed = !(await this.#settleOnce());
    }
    this.#settling = false;
    if (this.#closed) return;
    if (failed) return this.#retryLater();
    this.#failures = 0;
    if (this.#again) return this.#settleSoon();
    if (!this.#owesRenewal) return;
    this.#owesRenewal = false;
    this.#context.renewed();
  }

  /** False where something could not be subscribed. */
  async #settleOnce(): Promise<boolean> {
    let placeOf: (bucket: string) => Place | undefined;
    try {
      placeOf = await this.#context.router.places();
    } catch (error) {
      this.#fail(
        [...this.#wanted].filter((channel) => !this.#heardOn.has(channel)),
        error,
      );
      return false;
    }
    if (this.#closed) return true;
    this.#leave();
    const groups = this.#missing(placeOf);
    const heard = await Promise.all(groups.map(({ place, channels }) => this.#subscribe(place, channels)));
    const failed = heard.includes(false);
    // Those that are heard again need not wait for a server that stays away.
    if (failed && heard.includes(true) && this.#owesRenewal) this.#context.renewed();
    return !failed;
  }

  #leave(): void {
    const leaving = this.#leaving;
    this.#leaving = new Map();
    for (const [line, channels] of leaving) {
      for (const group of grouped(channels, (channel) => (this.#context.isSharded ? bucketOf(taskOfChannel(channel)) : '')))
        line.unsubscribe(group);
    }
  }

  #missing(placeOf: (bucket: string) => Place | undefined): { readonly place: Place | undefined; readonly channels: readonly string[] }[] {
    const missing = [...this.#wanted].filter((channel) => !this.#heardOn.has(channel));
    return grouped(missing, (channel) => (this.#context.isSharded ? bucketOf(taskOfChannel(channel)) : '')).map((channels) => ({
      place: placeOf(bucketOf(taskOfChannel(channels[0] ?? ''))),
      channels,
    }));
  }

  async #subscribe(place: Place | undefined, channels: readonly string[]): Promise<boolean> {
    try {
      if (!place) throw new Error('No server of the Redis cluster has the slot.');
      const line = this.#lineTo(place);
      const confirmed = line.subscribe(channels);
      for (const channel of channels) this.#heardOn.set(channel, { line, confirmed });
      await confirmed;
      for (const channel of channels) {
        for (const { resolve } of this.#waiters.get(channel) ?? []) resolve();
        this.#waiters.delete(channel);
      }
      return true;
    } catch (error) {
      this.#fail(channels, error);
      return false;
    }
  }

  #lineTo({ name, client }: Place): Line {
    const known = this.#lines.get(name);
    if (known) return known;
    const line: Line = openLine(client, this.#context.isSharded, {
      message: this.#context.message,
      moved: () => this.#lose(line),
      ended: (error) => this.#drop(name, line, error),
    });
    this.#lines.set(name, line);
    this.#keepAlive(name, line);
    return line;
  }

  /** A line hears nothing for hours where nothing is said; one that is cut without a word sounds the same. */
  #keepAlive(name: string, line: Line): void {
    const { clock, aliveMs } = this.#context;
    const isOpen = (): boolean => this.#lines.get(name) === line;
    clock.setTimeout(() => {
      if (!isOpen()) return;
      const late = clock.setTimeout(() => this.#drop(name, line, new Error(`Redis did not answer for ${aliveMs} milliseconds.`)), aliveMs);
      line.ping().then(
        () => {
          clock.clearTimeout(late);
          if (isOpen()) this.#keepAlive(name, line);
        },
        // The line is gone, and has said so.
        () => clock.clearTimeout(late),
      );
    }, aliveMs);
  }

  #drop(name: string, line: Line, error: Error | undefined): void {
    if (this.#lines.get(name) === line) this.#lines.delete(name);
    this.#leaving.delete(line);
    line.close();
    this.#lose(line, error);
  }

  /** Nothing is known any more of what that line hears. */
  #lose(line: Line, error?: Error): void {
    let lost = false;
    for (const [channel, heard] of this.#heardOn) {
      if (heard.line !== line) continue;
      this.#heardOn.delete(channel);
      lost = true;
    }
    if (!lost || this.#closed) return;
    this.#context.router.forget();
    if (!this.#owesRenewal && error)
      this.#context.logger.warn('The live tail lost its connection to Redis; it is opened again.', { error });
    this.#owesRenewal = true;
    this.#settleSoon();
  }

  #fail(channels: readonly string[], error: unknown): void {
    this.#context.router.forget();
    this.#owesRenewal = true;
    for (const channel of channels) this.#heardOn.delete(channel);
    this.#rejectWaiters(channels, error);
  }

  #rejectWaiters(channels: readonly string[], error: unknown): void {
    for (const channel of channels) {
      for (const { reject } of this.#waiters.get(channel) ?? []) reject(error);
      this.#waiters.delete(channel);
    }
  }

  #retryLater(): void {
    const ms = retryDelayMs(subscribeRetry, this.#failures, this.#context.chance.fraction());
    this.#failures += 1;
    this.#timer = this.#context.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#settleSoon();
    }, ms);
  }
}

/** Groups of one kind, none too large. */
function grouped(channels: readonly string[], kindOf: (channel: string) => string): string[][] {
  const open = new Map<string, string[]>();
  const all: string[][] = [];
  for (const channel of channels) {
    const kind = kindOf(channel);
    const group = open.get(kind);
    if (group && group.length < CHANNELS_MAX) {
      group.push(channel);
      continue;
    }
    const fresh = [channel];
    open.set(kind, fresh);
    all.push(fresh);
  }
  return all;
}
