import type { EventId, Gap } from '../../machines/wire/index.ts';
import { TaskBridgeError, taskNotFound } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Entry, EventStore } from '../ports/store.ts';
import { timerAt } from './timer.ts';
import { positionOf } from './log-position.ts';
import { readAfter } from './log-read.ts';
import type { LiveOptions } from './options.ts';
import type { Topics } from './topics.ts';

/** One long poll. */
export interface PollRequest {
  /** Who asks. */
  readonly owner: string;
  /** The cursor as it was sent, checked. */
  readonly after?: string | undefined;
  /** Where nothing is there, wait that long for a fact, in milliseconds. 0 for not at all. */
  readonly waitMs: number;
  readonly maxEvents: number;
  /** Aborts when the caller is gone. */
  readonly signal?: AbortSignal | undefined;
}

/** What a long poll answers. */
export interface PollPage {
  readonly entries: readonly Entry[];
  /** The id of the last of `entries`, else the cursor as it was sent; null for none, and after a reset that left nothing. */
  readonly nextAfterEventId: string | null;
  /** True when there were more facts at that moment. */
  readonly hasMore: boolean;
  /** True when this page reaches the end of a finished log. */
  readonly terminal: boolean;
  readonly gap?: Gap;
}

/** What polls need of their hub. */
export interface PollDeps {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly options: LiveOptions;
  readonly topics: Topics;
  /** Keeps what ends the wait at once, until it is called off; throws `RATE_LIMITED` where too many wait. Undefined when nobody may wait any more. */
  readonly enter: (answerNow: () => void) => (() => void) | undefined;
}

/**
 * Answers one long poll. A waiting one hears from the hub and reads when it is woken; it never asks the store in between.
 *
 * Throws `TASK_NOT_FOUND`, `RATE_LIMITED` and `STORE_UNAVAILABLE`.
 */
export async function pollLog(context: PollDeps, taskId: string, request: PollRequest): Promise<PollPage> {
  try {
    const page = await readPage(context, taskId, request);
    return isAnswer(page) || request.waitMs <= 0 ? page : await waitForPage(context, taskId, request, page);
  } catch (cause) {
    if (cause instanceof TaskBridgeError) throw cause;
    throw new TaskBridgeError('STORE_UNAVAILABLE', 'The store did not answer; try again.', { retryAfterSeconds: 1, cause });
  }
}

function isAnswer({ entries, terminal, gap }: PollPage): boolean {
  return entries.length > 0 || terminal || gap !== undefined;
}

async function readPage({ store, options }: PollDeps, taskId: string, { after, maxEvents }: PollRequest): Promise<PollPage> {
  const run = await readAfter(store, taskId, positionOf(after), { facts: maxEvents, bytes: options.pollBytesMax });
  if (!run) throw taskNotFound(taskId);
  const { entries, gap, last, ended } = run;
  const lastGiven: EventId | undefined = entries.at(-1)?.eventId;
  const reached = run.after + entries.length;
  return {
    entries,
    nextAfterEventId: lastGiven ?? (gap ? null : after || null),
    hasMore: reached < last.n,
    terminal: ended && reached >= last.n,
    ...(gap && { gap }),
  };
}

async function waitForPage(context: PollDeps, taskId: string, request: PollRequest, empty: PollPage): Promise<PollPage> {
  const bell = createBell();
  let over = false;
  const answerNow = (): void => {
    over = true;
    bell.ring();
  };
  const leaveHub = context.enter(answerNow);
  if (!leaveHub || request.signal?.aborted) {
    leaveHub?.();
    return empty;
  }
  const cancelTimeout = timerAt(context.clock, context.clock.now() + request.waitMs, answerNow);
  request.signal?.addEventListener('abort', answerNow, { once: true });
  const topic = context.topics.of(taskId);
  const listener = topic.follow(bell.ring);
  try {
    let failure: { readonly error: unknown } | undefined;
    // Rings once when the tail is open: the first look is after it, so that the seam loses nothing.
    topic.open().then(bell.ring, (error: unknown) => {
      failure = { error };
      bell.ring();
    });
    for (;;) {
      await bell.rung();
      if (request.signal?.aborted) return empty;
      if (failure) throw failure.error;
      const page = await readPage(context, taskId, request);
      if (isAnswer(page) || over) return page;
    }
  } finally {
    listener.leave();
    leaveHub();
    cancelTimeout();
    request.signal?.removeEventListener('abort', answerNow);
  }
}

/** Something to wait for that may happen before, and many times. */
function createBell(): { readonly ring: () => void; readonly rung: () => Promise<void> } {
  let waiting: (() => void) | undefined;
  let hasRung = false;
  return {
    ring() {
      hasRung = true;
      waiting?.();
    },
    async rung() {
      if (!hasRung) await new Promise<void>((resolve) => (waiting = resolve));
      waiting = undefined;
      hasRung = false;
    },
  };
}
