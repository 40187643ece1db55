import type { EventId } from '../../machines/wire/index.ts';
import type { Logger } from '../ports/observability.ts';
import type { Entry, Tail } from '../ports/store.ts';
import { batchOf, joined, type Batch } from './batch.ts';
import type { NewestOfTask } from '../ports/lanes.ts';
import { joinedChunk, type PartChunk } from './part-frames.ts';
import { positionOf, isStale, startPosition, type LogPosition } from './log-position.ts';
import type { LogRun } from './log-read.ts';

/** Somebody who gets a log fact by fact. */
export interface TopicSubscriber {
  /** New facts; they may overlap with what was read, or leave a hole before them. */
  take(batch: Batch): void;
  /** The store is about to be asked for its newest fact. */
  mark(): void;
  /** The newest fact that the store has. */
  compare(newest: EventId | null): void;
  /** New bytes of a part, after the facts that came before them. Undefined where it is not shown parts. */
  takePart?(chunk: PartChunk): void;
  /** How long the open lanes of the store are. */
  compareParts?(lanes: NewestOfTask['lanes']): void;
}

/** Somebody who only wants to know that there is something to read. */
export interface TopicListener {
  /** Calls back now, as where nobody knows what was missed; does nothing after `leave`, and never throws. */
  readonly call: () => void;
  readonly leave: () => void;
}

/** A read of the log that serves all who stand at the same place while it is under way: a thousand viewers that come back cost one. */
export interface SharedRead {
  readonly run: Promise<LogRun | undefined>;
  /** Whether the tail told of commits before the read began. */
  readonly wasTailOpen: boolean;
  /** The newest number that the tail told of while the read was under way; 0 for none. Whoever joined late may not have heard it. */
  readonly told: number;
}

/** What a topic works with. */
export interface TopicDeps {
  readonly taskId: string;
  readonly tail: Tail;
  readonly logger: Logger | undefined;
  /** Nobody subscribes or listens any more. */
  readonly onDeserted: () => void;
}

type GrowingRead = { -readonly [K in keyof SharedRead]: SharedRead[K] };

const open = Promise.resolve();
const none: readonly never[] = [];

/** One task that somebody in this process watches: the seam between the store's tail and any number of subscribers and listeners. */
export class Topic {
  readonly taskId: string;
  readonly #deps: TopicDeps;
  // A node has one topic for each task that runs here, mostly with one listener and nothing else: what it does not need it does not have.
  #subscribers: Set<TopicSubscriber> | undefined;
  readonly #listeners = new Set<(newest?: LogPosition) => void>();
  #reads: Map<string, GrowingRead> | undefined;
  #once: Map<string, Promise<unknown>> | undefined;
  #fresh: (Batch | PartChunk)[] | undefined;
  #wantsParts = false;
  #passing = false;
  /** Whether the tail tells of this task; a promise while it is asked to. */
  #tailState: 'closed' | Promise<void> | 'open' = 'closed';
  #seen: LogPosition = startPosition;
  #asked: LogPosition = startPosition;

  constructor(deps: TopicDeps) {
    this.taskId = deps.taskId;
    this.#deps = deps;
  }

  /** From when this resolves, the tail tells of commits. Rejects where it cannot; the next call tries again. */
  open(): Promise<void> {
    if (this.#tailState === 'open') return open;
    if (this.#tailState !== 'closed') return this.#tailState;
    const { tail } = this.#deps;
    // Facts first: what opens a lane is told before its bytes.
    const watching = this.#wantsParts ? tail.watch(this.taskId).then(() => tail.watchParts?.(this.taskId)) : tail.watch(this.taskId);
    this.#tailState = watching.then(
      () => void (this.#tailState = 'open'),
      (error: unknown) => {
        this.#tailState = 'closed';
        throw error;
      },
    );
    return this.#tailState;
  }

  /** True where somebody is shown parts, or was. */
  get isShowingParts(): boolean {
    return this.#wantsParts;
  }

  /** Somebody is shown parts: the tail tells of them too, from when the next `open` resolves. */
  wantParts(): void {
    if (this.#wantsParts) return;
    this.#wantsParts = true;
    this.#tailState = 'closed';
  }

  /** Asks something of the store, or joins who asks the same now. */
  once<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const asking = (this.#once ??= new Map<string, Promise<unknown>>());
    // Whoever asks by the same name asks for the same.
    const known = asking.get(what) as Promise<T> | undefined;
    if (known) return known;
    const answer = ask().finally(() => asking.delete(what));
    asking.set(what, answer);
    return answer;
  }

  /** Reads, or joins a read of the same place that is under way. */
  read(place: string, start: () => Promise<LogRun | undefined>): SharedRead {
    const reads = (this.#reads ??= new Map<string, GrowingRead>());
    const known = reads.get(place);
    if (known) return known;
    const run = start().finally(() => reads.delete(place));
    const read = { run, wasTailOpen: this.#tailState === 'open', told: 0 };
    reads.set(place, read);
    return read;
  }

  /** From now on it is given every batch. */
  addSubscriber(subscriber: TopicSubscriber): void {
    (this.#subscribers ??= new Set()).add(subscriber);
  }

  /** It is given nothing any more. */
  removeSubscriber(subscriber: TopicSubscriber): void {
    if (this.#subscribers?.delete(subscriber)) this.#leave();
  }

  /** Calls back after every commit, until it leaves, with the newest fact where the tail told of it. */
  listen(callback: (newest?: LogPosition) => void): TopicListener {
    const call = (newest?: LogPosition): void => {
      if (this.#listeners.has(call)) this.#guard(() => callback(newest));
    };
    this.#listeners.add(call);
    return {
      call: () => call(),
      leave: () => {
        if (this.#listeners.delete(call)) this.#leave();
      },
    };
  }

  /** The tail tells of a commit. All that one turn of the event loop brings is passed on together. */
  committed(entries: readonly Entry[], ended: boolean, before: EventId | null): void {
    this.#passSoon();
    // A commit without facts is news for listeners only.
    const batch = batchOf(entries, ended, before);
    if (!batch) return;
    const fresh = (this.#fresh ??= []);
    const last = fresh.at(-1);
    const whole = last && 'entries' in last ? joined(last, batch) : undefined;
    if (whole) fresh[fresh.length - 1] = whole;
    else fresh.push(batch);
  }

  /** The tail tells of bytes of a part; passed on as facts are, in one order with them. */
  part(chunk: PartChunk): void {
    this.#passSoon();
    const fresh = (this.#fresh ??= []);
    const last = fresh.at(-1);
    const whole = last && 'lane' in last ? joinedChunk(last, chunk) : undefined;
    if (whole) fresh[fresh.length - 1] = whole;
    else fresh.push(chunk);
  }

  /** The store is about to be asked for the newest fact. */
  mark(): void {
    this.#asked = this.#seen;
    for (const subscriber of this.#subscribers ?? none) subscriber.mark();
  }

  /** The store's newest fact: whoever has missed something reads it. */
  compare(newest: EventId | null, lanes?: NewestOfTask['lanes']): void {
    this.open().catch((error: unknown) =>
      this.#deps.logger?.warn('The tail of a task could not be opened.', { taskId: this.taskId, error }),
    );
    for (const subscriber of this.#subscribers ?? none) this.#guard(() => subscriber.compare(newest));
    if (lanes) for (const subscriber of this.#subscribers ?? none) this.#guard(() => subscriber.compareParts?.(lanes));
    if (!isStale(this.#seen, this.#asked, newest)) return;
    this.#seen = positionOf(newest);
    this.#callListeners();
  }

  #passSoon(): void {
    if (this.#passing) return;
    this.#passing = true;
    // `queueMicrotask` makes a resource each time.
    void open.then(() => this.#passOn());
  }

  #passOn(): void {
    const fresh = this.#fresh ?? none;
    this.#fresh = undefined;
    this.#passing = false;
    let news: LogPosition | undefined;
    let hasFacts = fresh.length === 0;
    for (const batch of fresh) {
      if ('lane' in batch) {
        this.#passPart(batch);
        continue;
      }
      hasFacts = true;
      news = batch.last;
      this.#seen = batch.last;
      for (const read of this.#reads?.values() ?? none) read.told = Math.max(read.told, batch.last.n);
      for (const subscriber of this.#subscribers ?? none) this.#guard(() => subscriber.take(batch));
    }
    // Bytes alone are no news for who reads facts.
    if (hasFacts) this.#callListeners(news);
  }

  /** Without a function for each of thousands of subscribers. */
  #passPart(chunk: PartChunk): void {
    for (const subscriber of this.#subscribers ?? none) {
      try {
        subscriber.takePart?.(chunk);
      } catch (error) {
        this.#tellFailed(error);
      }
    }
  }

  #callListeners(newest?: LogPosition): void {
    for (const call of this.#listeners) call(newest);
  }

  #leave(): void {
    if (!this.#subscribers?.size && this.#listeners.size === 0) this.#deps.onDeserted();
  }

  /** One that fails never touches the others. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#tellFailed(error);
    }
  }

  #tellFailed(error: unknown): void {
    this.#deps.logger?.error('A subscriber or listener of a task failed.', { taskId: this.taskId, error });
  }
}
