import type { Fact, GapFrame } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { LiveConnection } from '../live/connections.ts';
import { FactQueue } from '../live/fact-queue.ts';
import type { LiveHub } from '../live/hub.ts';
import type { LogRun } from '../live/log-read.ts';
import type { Subscription } from '../live/subscription.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { Clock } from '../ports/clock.ts';

/** How facts are followed. */
export interface FollowOptions {
  /** Ends the iteration, without an error, when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** What is followed: a fact, or, before the fact that follows, the word that facts are missing. `type` tells them apart. */
export type FactOrGap = Fact | GapFrame;

/** What a stream of facts works with. */
export interface FactStreamDeps extends FollowOptions {
  readonly taskId: string;
  readonly auth: AuthContext;
  readonly after: string | undefined;
  /** Checks who asks, and reads the first page; or gives the one that was read. Rejects with a `TaskBridgeError`. */
  readonly readFirst: () => Promise<LogRun>;
  readonly hub: LiveHub;
  readonly clock: Clock;
}

/** One iteration over the facts of a log, gaps among them: from its cursor to the terminal fact. Watches from the first `next` on. */
export class FactStream implements AsyncIterator<FactOrGap, undefined> {
  readonly #deps: FactStreamDeps;
  readonly #queue: FactQueue;
  readonly #connection: LiveConnection;
  readonly #onAbort = (): void => this.#leave();
  #begun: Promise<void> | undefined;
  #subscription: Subscription | undefined;
  #isDisconnected = false;
  #isOver = false;

  constructor(deps: FactStreamDeps) {
    this.#deps = deps;
    this.#queue = new FactQueue(deps.auth.subject, deps.clock);
    this.#connection = { auth: deps.auth, end: () => this.#disconnect() };
  }

  async next(): Promise<IteratorResult<FactOrGap, undefined>> {
    try {
      await (this.#begun ??= this.#begin());
      return await this.#takeNext();
    } catch (error) {
      // Nobody returns an iterator that has thrown: its place as a viewer would be taken for good.
      this.#leave();
      throw error;
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#leave();
    return { done: true, value: undefined };
  }

  async #takeNext(): Promise<IteratorResult<FactOrGap, undefined>> {
    const taken = await this.#queue.take();
    if (this.#isOver) return { done: true, value: undefined };
    if (taken === 'ended') return this.return();
    if (taken === 'cut') throw this.#failure();
    if ('bytes' in taken) return { done: false, value: JSON.parse(Buffer.from(taken.bytes).toString('utf8')) as Fact };
    return { done: false, value: { type: 'GAP', taskId: this.#deps.taskId, ...taken } };
  }

  async #begin(): Promise<void> {
    const { hub, taskId, auth, after, readFirst, signal } = this.#deps;
    if (signal?.aborted) return this.#leave();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    const first = await readFirst();
    if (this.#isOver) return;
    hub.assertRoom(auth.subject);
    hub.enter(this.#connection);
    this.#subscription = hub.subscribe(taskId, this.#queue, after, { cutAt: auth.expiresAt, first });
  }

  #disconnect(): void {
    this.#isDisconnected = true;
    this.#subscription?.close();
    this.#queue.cut();
  }

  #leave(): void {
    this.#isOver = true;
    this.#deps.signal?.removeEventListener('abort', this.#onAbort);
    this.#subscription?.close();
    this.#deps.hub.leave(this.#connection);
    this.#queue.drop();
  }

  /** What cut it is known to the hub alone; the caller comes back with its cursor in any case, and is told the rest then. */
  #failure(): TaskBridgeError {
    const { auth, clock } = this.#deps;
    if (this.#isDisconnected)
      return new TaskBridgeError(
        'AUTHENTICATION_ERROR',
        'The caller was disconnected; look at the credentials again and go on after the last fact.',
      );
    if (auth.expiresAt !== undefined && auth.expiresAt <= clock.now())
      return new TaskBridgeError('AUTHENTICATION_ERROR', 'The credentials have ended; refresh them and go on after the last fact.');
    return new TaskBridgeError('STORE_UNAVAILABLE', 'The log cannot be followed now; go on after the last fact later.', {
      retryAfterSeconds: 1,
    });
  }
}
