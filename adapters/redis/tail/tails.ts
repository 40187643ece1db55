import { parseEventId } from '../../../machines/wire/index.ts';
import type { Entry, LogPage, Logger, Tail, TailListener } from '../../../server/ports/index.ts';
import { isPartsChannel, taskOfChannel } from '../keys.ts';
import { parseMessage, type TailMessage } from './message.ts';
import { parsePartMessage, type PartMessage } from './part-message.ts';
import { Subscriptions, type SubscriptionsDeps } from './subscriptions.ts';

/** What the tails of a store work with. */
export interface TailsDeps extends Pick<SubscriptionsDeps, 'router' | 'isSharded' | 'clock' | 'chance' | 'logger' | 'aliveMs'> {
  readonly logger: Logger;
  channelOf(taskId: string): string;
  /** Where the bytes of a task's lanes are told. */
  partsChannelOf(taskId: string): string;
  /** Where nodes tell each other what is of no task. */
  readonly noticeChannel: string;
  /** Publishes on that channel. */
  publish(notice: string): Promise<void>;
  /** Gives a promise its limit. */
  limited(watching: Promise<void>): Promise<void>;
  read(taskId: string, from: number, facts: number): Promise<LogPage | undefined>;
}

interface OpenTail {
  readonly watched: Set<string>;
  /** Tasks whose lanes are watched. */
  readonly parts: Set<string>;
  readonly listener: TailListener;
}

/** The tails of a store, behind one set of subscriptions. Its connections are made with the first watch. */
export class Tails {
  readonly #deps: TailsDeps;
  readonly #tails = new Set<OpenTail>();
  /** What waits, by task, behind facts that are read because they were only announced. */
  readonly #reading = new Map<string, (TailMessage | PartMessage)[]>();
  #subscriptions: Subscriptions | undefined;

  constructor(deps: TailsDeps) {
    this.#deps = deps;
  }

  open(listener: TailListener): Tail {
    const tail: OpenTail = { watched: new Set(), parts: new Set(), listener };
    this.#tails.add(tail);
    const unwatch = (taskId: string): void => {
      if (tail.watched.delete(taskId) && !this.#isWatched(taskId, 'watched')) this.#subscriptions?.remove(this.#deps.channelOf(taskId));
      if (tail.parts.delete(taskId) && !this.#isWatched(taskId, 'parts')) this.#subscriptions?.remove(this.#deps.partsChannelOf(taskId));
    };
    return {
      watch: async (taskId) => {
        if (!this.#tails.has(tail)) throw new Error('The tail is closed.');
        tail.watched.add(taskId);
        if (listener.announced) this.#hearNotices().catch(() => undefined);
        await this.#deps.limited(this.#open().add(this.#deps.channelOf(taskId)));
      },
      watchParts: async (taskId) => {
        if (!this.#tails.has(tail)) throw new Error('The tail is closed.');
        tail.parts.add(taskId);
        await this.#deps.limited(this.#open().add(this.#deps.partsChannelOf(taskId)));
      },
      unwatch,
      announce: async (notice) => {
        if (!this.#tails.has(tail)) throw new Error('The tail is closed.');
        // Those of this process hear it too, also where none has watched a task yet.
        if (this.#wantsNotices()) await this.#deps.limited(this.#hearNotices());
        await this.#deps.publish(notice);
      },
      close: async () => {
        this.#tails.delete(tail);
        for (const taskId of [...tail.watched, ...tail.parts]) unwatch(taskId);
        if (this.#tails.size === 0) this.close();
        else if (!this.#wantsNotices()) this.#subscriptions?.remove(this.#deps.noticeChannel);
      },
    };
  }

  /** Leaves the connections for new ones: the client beside them found another server. */
  renew(): void {
    this.#subscriptions?.renew();
  }

  /** Whoever listens is to compare what it has: the store is another one. */
  interrupt(): void {
    for (const { listener } of this.#tails) listener.interrupted();
  }

  /** Closes every tail and every connection that was made for them. */
  close(): void {
    for (const { watched, parts } of this.#tails) {
      watched.clear();
      parts.clear();
    }
    this.#tails.clear();
    this.#subscriptions?.close();
    this.#subscriptions = undefined;
  }

  #open(): Subscriptions {
    return (this.#subscriptions ??= this.#subscribe());
  }

  /** Rejects where they are not heard now; it is tried again by itself. */
  #hearNotices(): Promise<void> {
    return this.#open().add(this.#deps.noticeChannel);
  }

  #wantsNotices(): boolean {
    for (const { listener } of this.#tails) if (listener.announced) return true;
    return false;
  }

  #subscribe(): Subscriptions {
    const { router, isSharded, clock, chance, logger, aliveMs } = this.#deps;
    return new Subscriptions({
      router,
      isSharded,
      clock,
      chance,
      logger,
      aliveMs,
      message: (channel, bytes) => {
        if (channel !== this.#deps.noticeChannel) return this.#take(channel, bytes);
        for (const { listener } of this.#tails) listener.announced?.(bytes.toString('utf8'));
      },
      renewed: () => this.interrupt(),
    });
  }

  #isWatched(taskId: string, by: 'watched' | 'parts'): boolean {
    for (const { [by]: tasks } of this.#tails) if (tasks.has(taskId)) return true;
    return false;
  }

  #take(channel: string, bytes: Buffer): void {
    const taskId = taskOfChannel(channel);
    const isPart = isPartsChannel(channel);
    if (!this.#isWatched(taskId, isPart ? 'parts' : 'watched')) return;
    const message = isPart ? parsePartMessage(bytes) : parseMessage(bytes);
    if (!message) return this.#deps.logger.warn('A message on a channel of the Redis store is not one of ours.', { taskId });
    const waiting = this.#reading.get(taskId);
    // Text stays behind the facts that opened its part.
    if (waiting) waiting.push(message);
    else if ('lane' in message) this.#tellPart(taskId, message);
    else if (message.entries) this.#tell(taskId, message.entries, message);
    else void this.#readFor(taskId, message);
  }

  /** Reads what was only announced; what comes meanwhile waits, so that the order stays. */
  async #readFor(taskId: string, announced: TailMessage): Promise<void> {
    const waiting: (TailMessage | PartMessage)[] = [announced];
    this.#reading.set(taskId, waiting);
    try {
      for (let message = waiting.shift(); message; message = waiting.shift()) {
        if ('lane' in message) {
          this.#tellPart(taskId, message);
          continue;
        }
        const entries = message.entries ?? (await this.#readFacts(taskId, message));
        this.#tell(taskId, entries, message);
      }
    } catch (error) {
      this.#deps.logger.warn('Facts that Redis told of could not be read; they are looked for again.', { taskId, error });
      for (const { watched, parts, listener } of this.#tails) if (watched.has(taskId) || parts.has(taskId)) listener.interrupted();
    } finally {
      this.#reading.delete(taskId);
    }
  }

  async #readFacts(taskId: string, { firstId, lastId }: TailMessage): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    const last = numberOf(lastId);
    for (let from = numberOf(firstId); from <= last;) {
      const page = await this.#deps.read(taskId, from, last - from + 1);
      const newest = page?.entries.at(-1);
      // Trimmed, or removed: the ids show it to whoever reads on.
      if (!page || !newest) break;
      entries.push(...page.entries.filter(({ eventId }) => numberOf(eventId) <= last));
      from = numberOf(newest.eventId) + 1;
    }
    return entries;
  }

  #tellPart(taskId: string, { lane, epoch, at, bytes, latest }: PartMessage): void {
    for (const { parts, listener } of this.#tails) if (parts.has(taskId)) listener.part?.(taskId, lane, epoch, at, bytes, latest);
  }

  #tell(taskId: string, entries: readonly Entry[], { ended, before }: TailMessage): void {
    if (entries.length === 0) return;
    for (const { watched, listener } of this.#tails) if (watched.has(taskId)) listener.committed(taskId, entries, ended, before);
  }
}

function numberOf(eventId: string): number {
  return parseEventId(eventId)?.n ?? 0;
}
