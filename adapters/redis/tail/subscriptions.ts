import { retryDelayMs, type RetryPolicy } from '../../../machines/index.ts';
import type { ServerChance, Clock, Logger } from '../../../server/ports/index.ts';
import { tagOfKey } from '../keys.ts';
import { commandFailure, isAnswer } from '../command-failure.ts';
import { openSubscriberConnection, type SubscriberConnection } from './subscriber-connection.ts';
import type { Place, Router } from './router.ts';

/** What the subscriptions work with. */
export interface SubscriptionsDeps {
  readonly router: Router;
  readonly isSharded: boolean;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly logger: Logger;
  /** A connection is asked that often whether its server is there, and taken for dead when it does not answer for as long. */
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
 * Keeps a set of channels subscribed: over one connection on a single server, over one for each master on a cluster. What is wanted and where it is
 * heard are two sets; whatever happens, the difference is settled, by one loop.
 */
export class Subscriptions {
  readonly #deps: SubscriptionsDeps;
  readonly #wanted = new Set<string>();
  /** Where a channel is heard, or will be when what was sent is confirmed. */
  readonly #heardOn = new Map<string, { readonly connection: SubscriberConnection; readonly confirmed: Promise<void> }>();
  readonly #connections = new Map<string, SubscriberConnection>();
  readonly #waiters = new Map<string, Waiter[]>();
  #leaving = new Map<SubscriberConnection, string[]>();
  #settling = false;
  #again = false;
  /** Something was not heard for a while. */
  #isRenewalPending = false;
  #failures = 0;
  #timer: unknown;
  #closed = false;

  constructor(deps: SubscriptionsDeps) {
    this.#deps = deps;
  }

  /** Resolves when the channel is heard. Rejects where that failed; it is tried again all the same, until it is removed. */
  add(channel: string): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('The tail of the Redis store is closed.'));
    this.#wanted.add(channel);
    const heard = this.#heardOn.get(channel);
    if (heard) return heard.confirmed;
    return new Promise((resolve, reject) => {
      const waiting = this.#waiters.get(channel);
      // Not a copy: the channel of notices is asked for with every watch.
      if (waiting) waiting.push({ resolve, reject });
      else this.#waiters.set(channel, [{ resolve, reject }]);
      this.#settleSoon();
    });
  }

  remove(channel: string): void {
    this.#wanted.delete(channel);
    const heard = this.#heardOn.get(channel);
    if (!heard) return;
    this.#heardOn.delete(channel);
    const leaving = this.#leaving.get(heard.connection);
    if (leaving) leaving.push(channel);
    else this.#leaving.set(heard.connection, [channel]);
    this.#settleSoon();
  }

  close(): void {
    this.#closed = true;
    this.#deps.clock.clearTimeout(this.#timer);
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    this.#heardOn.clear();
    this.#wanted.clear();
    this.#rejectWaiters([...this.#waiters.keys()], new Error('The tail of the Redis store is closed.'));
  }

  /** Leaves every connection for a new one: the client beside them found another server. */
  renew(): void {
    for (const [name, connection] of [...this.#connections]) this.#drop(name, connection, undefined);
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
    if (!this.#isRenewalPending) return;
    this.#isRenewalPending = false;
    this.#deps.renewed();
  }

  /** False where something could not be subscribed. */
  async #settleOnce(): Promise<boolean> {
    let placeOf: (bucket: string) => Place | undefined;
    try {
      placeOf = await this.#deps.router.places();
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
    if (failed && heard.includes(true) && this.#isRenewalPending) this.#deps.renewed();
    return !failed;
  }

  #leave(): void {
    const leaving = this.#leaving;
    this.#leaving = new Map();
    for (const [connection, channels] of leaving) {
      for (const group of grouped(channels, (channel) => (this.#deps.isSharded ? tagOfKey(channel) : '')))
        connection.unsubscribe(group).catch((error: unknown) => this.#notLeft(connection, error));
    }
  }

  /** Where the connection is lost, so are its channels. A server that refuses goes on telling of them, to nobody. */
  #notLeft(connection: SubscriberConnection, error: unknown): void {
    if (![...this.#connections.values()].includes(connection) || !isAnswer(error)) return;
    this.#deps.logger.warn('Redis did not let the live tail leave channels; it goes on telling of their tasks.', {
      error: commandFailure('unsubscribe', error),
    });
  }

  #missing(placeOf: (bucket: string) => Place | undefined): { readonly place: Place | undefined; readonly channels: readonly string[] }[] {
    const missing = [...this.#wanted].filter((channel) => !this.#heardOn.has(channel));
    return grouped(missing, (channel) => (this.#deps.isSharded ? tagOfKey(channel) : '')).map((channels) => ({
      place: placeOf(tagOfKey(channels[0] ?? '')),
      channels,
    }));
  }

  async #subscribe(place: Place | undefined, channels: readonly string[]): Promise<boolean> {
    try {
      if (!place) throw new Error('No server of the Redis cluster has the slot.');
      const connection = this.#connectionTo(place);
      const confirmed = connection.subscribe(channels);
      for (const channel of channels) this.#heardOn.set(channel, { connection, confirmed });
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

  #connectionTo({ name, client }: Place): SubscriberConnection {
    const known = this.#connections.get(name);
    if (known) return known;
    const connection: SubscriberConnection = openSubscriberConnection(client, this.#deps.isSharded, {
      message: this.#deps.message,
      moved: () => this.#forgetChannels(connection),
      ended: (error) => this.#drop(name, connection, error),
    });
    this.#connections.set(name, connection);
    this.#keepAlive(name, connection);
    return connection;
  }

  /** A connection hears nothing for hours where nothing is said; one that is cut without a word sounds the same. */
  #keepAlive(name: string, connection: SubscriberConnection): void {
    const { clock, aliveMs } = this.#deps;
    const isOpen = (): boolean => this.#connections.get(name) === connection;
    clock.setTimeout(() => {
      if (!isOpen()) return;
      const late = clock.setTimeout(
        () => this.#drop(name, connection, new Error(`Redis did not answer for ${aliveMs} milliseconds.`)),
        aliveMs,
      );
      connection.ping().then(
        () => {
          clock.clearTimeout(late);
          if (isOpen()) this.#keepAlive(name, connection);
        },
        // The connection is gone, and has said so.
        () => clock.clearTimeout(late),
      );
    }, aliveMs);
  }

  #drop(name: string, connection: SubscriberConnection, error: Error | undefined): void {
    if (this.#connections.get(name) === connection) this.#connections.delete(name);
    this.#leaving.delete(connection);
    connection.close();
    this.#forgetChannels(connection, error);
  }

  /** Nothing is known any more of what that connection hears. */
  #forgetChannels(connection: SubscriberConnection, error?: Error): void {
    let lost = false;
    for (const [channel, heard] of this.#heardOn) {
      if (heard.connection !== connection) continue;
      this.#heardOn.delete(channel);
      lost = true;
    }
    if (!lost || this.#closed) return;
    this.#deps.router.forget();
    if (!this.#isRenewalPending && error)
      this.#deps.logger.warn('The live tail lost its connection to Redis; it is opened again.', { error });
    this.#isRenewalPending = true;
    this.#settleSoon();
  }

  #fail(channels: readonly string[], error: unknown): void {
    // Once for each time that it does not work, however often it is tried; what was lost has said so.
    if (this.#failures === 0 && !this.#isRenewalPending)
      this.#deps.logger.warn('Redis did not let the live tail hear of tasks; it is tried again until it does.', {
        error: commandFailure('subscribe', error),
      });
    this.#deps.router.forget();
    this.#isRenewalPending = true;
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
    const ms = retryDelayMs(subscribeRetry, this.#failures, this.#deps.chance.fraction());
    this.#failures += 1;
    this.#timer = this.#deps.clock.setTimeout(() => {
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
