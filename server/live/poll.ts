import type { PartCursors } from '../../machines/parts/index.ts';
import type { EventId, Gap } from '../../machines/wire/index.ts';
import { storeUnavailable, TaskBridgeError, taskNotFound } from '../errors.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { Clock } from '../ports/clock.ts';
import type { Entry, LogPage } from '../ports/store.ts';
import { timerAfter } from './timer.ts';
import { askedParts, grantedExtensions } from './extensions.ts';
import type { LiveStore } from './live-store.ts';
import { positionOf } from './log-position.ts';
import { readAfter, type LogRun, type ReadLimit } from './log-read.ts';
import type { DeliveryLag } from './delivery-lag.ts';
import type { ViewerSpans } from './viewer-spans.ts';
import type { LiveOptions } from './options.ts';
import type { PartDeliveryDeps } from './part-delivery.ts';
import { PollText } from './poll-text.ts';
import type { TopicSubscriber } from './topic.ts';
import type { Topics } from './topics.ts';

/** One long poll. */
export interface PollRequest {
  /** Who asks. */
  readonly owner: string;
  /** Whom the host knows him as; defaults to no more than the owner's name. */
  readonly auth?: AuthContext | undefined;
  /** The cursor as it was sent, checked. */
  readonly after?: string | undefined;
  /** Where nothing is there, wait that long for a fact, in milliseconds. 0 for not at all. */
  readonly waitMs: number;
  /** When the caller's credentials end, if they do, in milliseconds since the epoch: nobody waits longer. */
  readonly expiresAt?: number | undefined;
  readonly maxEvents: number;
  /** Most bytes that are read at once; what else the answer may have is read on by {@link PollPage.readOn}. Defaults to all of it. */
  readonly pieceBytes?: number | undefined;
  /** The `extensions` of the query, as sent. */
  readonly extensions?: string | undefined;
  /** The part cursors of the query, as sent, checked. */
  readonly parts?: string | undefined;
  /** Aborts when the caller is gone. */
  readonly signal?: AbortSignal | undefined;
}

/** The same, where what the caller may have is known. */
export interface GrantedPoll extends Omit<PollRequest, 'parts'> {
  /** How far the caller has come in parts; undefined where it is shown none. */
  readonly parts: PartCursors | undefined;
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
  /** Frames of parts, which come after the facts; undefined where the caller is shown none. */
  readonly frames?: readonly Entry[];
  /** Where the answer may have more than this piece of it: gives the next one, and undefined where it is better asked for in another poll. Never rejects. */
  readonly readOn?: () => Promise<PollPage | undefined>;
  /** What the store gave, where this is nothing but that: where it gives the very object again, the same request comes to the same answer. */
  readonly source?: LogPage;
}

/** What polls work with. */
export interface PollDeps {
  readonly store: LiveStore;
  readonly clock: Clock;
  readonly options: LiveOptions;
  readonly topics: Topics;
  /** Told what a poll was answered that had to wait. */
  readonly lag?: DeliveryLag | undefined;
  readonly spans?: ViewerSpans | undefined;
  /** Takes what answers the poll at once, and gives the function that ends that; throws `RATE_LIMITED` where too many wait. Undefined when nobody may wait any more. */
  readonly enter: (request: Pick<PollRequest, 'owner' | 'auth'>, answerNow: () => void) => (() => void) | undefined;
}

/** A page that has nothing but text of open parts waits that long for more, in milliseconds: who writes does so many times a second. */
export const POLL_GATHER_MS = 250;

/**
 * Answers one long poll. A waiting one hears from the hub and reads when it is woken; it never asks the store in between. Text of open parts is
 * gathered for {@link POLL_GATHER_MS} where the caller waits; facts are not waited with.
 *
 * Throws `TASK_NOT_FOUND`, `RATE_LIMITED` and `STORE_UNAVAILABLE`.
 */
export async function pollLog(deps: PollDeps, taskId: string, asked: PollRequest): Promise<PollPage> {
  const granted = grantedExtensions(asked.extensions, ['parts'], deps.store.lanes !== undefined);
  const request: GrantedPoll = { ...asked, parts: askedParts(granted, asked.parts) };
  try {
    const page = await readPage(deps, taskId, request);
    return isAnswer(page) || request.waitMs <= 0 ? page : await waitForPage(deps, taskId, request, page);
  } catch (cause) {
    if (cause instanceof TaskBridgeError) throw cause;
    throw storeUnavailable(cause);
  }
}

function isAnswer({ entries, frames = [], hasMore, terminal, gap }: PollPage): boolean {
  return entries.length > 0 || terminal || gap !== undefined || (frames.length > 0 && hasMore);
}

function readPage(deps: PollDeps, taskId: string, request: GrantedPoll, asked?: PartDeliveryDeps['topic']): Promise<PollPage> {
  const { store, options } = deps;
  const topic = asked ?? { taskId, once: (_what, ask) => ask() };
  if (request.parts && store.lanes)
    return new PollText({ store, lanes: store.lanes, topic, bytesMax: options.pollBytesMax }, request).piece();
  return readPiece(deps, taskId, request, { facts: request.maxEvents, bytes: deps.options.pollBytesMax });
}

async function readPiece(deps: PollDeps, taskId: string, request: GrantedPoll, rest: ReadLimit): Promise<PollPage> {
  const { after } = request;
  const limit = { facts: rest.facts, bytes: Math.min(rest.bytes, request.pieceBytes ?? rest.bytes) };
  const run = await readAfter(deps.store, taskId, positionOf(after), limit);
  if (!run) throw taskNotFound(taskId);
  const made = pages.get(run);
  if (made && made.after === after) return made.page;
  const { entries, gap, last, ended, source } = run;
  const lastGiven: EventId | undefined = entries.at(-1)?.eventId;
  const reached = run.after + entries.length;
  const left: ReadLimit = { facts: rest.facts - entries.length, bytes: rest.bytes - bytesOf(entries) };
  const goesOn = lastGiven !== undefined && limit.bytes < rest.bytes && reached < last.n && left.facts > 0 && left.bytes > 0;
  const readOn = async (): Promise<PollPage | undefined> => {
    const next = await readPiece(deps, taskId, { ...request, after: lastGiven }, left).catch(() => undefined);
    // What comes after a gap, and a fact that is too large for the rest, are for a poll of their own.
    return next && !next.gap && next.entries.length > 0 && bytesOf(next.entries) <= left.bytes ? next : undefined;
  };
  const page: PollPage = {
    entries,
    nextAfterEventId: lastGiven ?? (gap ? null : after || null),
    hasMore: reached < last.n,
    terminal: ended && reached >= last.n,
    ...(gap && { gap }),
    ...(goesOn ? { readOn } : source && { source }),
  };
  if (page.source) pages.set(run, { after, page });
  return page;
}

/** What runs that a store may give again came to, and for which cursor, as it was sent. */
const pages = new WeakMap<LogRun, { readonly after: string | undefined; readonly page: PollPage }>();

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

async function waitForPage(deps: PollDeps, taskId: string, request: GrantedPoll, first: PollPage): Promise<PollPage> {
  const news = autoResetEvent();
  let over = false;
  const answerNow = (): void => {
    over = true;
    news.set();
  };
  const leaveHub = deps.enter(request, answerNow);
  if (!leaveHub || request.signal?.aborted) {
    leaveHub?.();
    return first;
  }
  const credentialsMs = request.expiresAt === undefined ? Number.POSITIVE_INFINITY : request.expiresAt - deps.clock.now();
  const cancelTimeout = timerAfter(deps.clock, Math.min(request.waitMs, credentialsMs), answerNow);
  request.signal?.addEventListener('abort', answerNow, { once: true });
  const topic = deps.topics.of(taskId);
  const listener = topic.listen(news.set);
  const text = request.parts && gatheredText(deps.clock, request.parts, news.set);
  if (text) {
    topic.addSubscriber(text);
    topic.wantParts();
  }
  try {
    let failure: { readonly error: unknown } | undefined;
    // Set once when the tail is open: the first read is after it, so that the seam loses nothing.
    topic.open().then(news.set, (error: unknown) => {
      failure = { error };
      news.set();
    });
    for (;;) {
      await news.wait();
      if (request.signal?.aborted) return first;
      if (failure) throw failure.error;
      const page = await readPage(deps, taskId, request, topic);
      if (!isAnswer(page) && !over && !(page.frames?.length && text?.isGathered())) continue;
      const last = page.entries.at(-1);
      if (last) deps.lag?.note('poll', page.entries);
      if (last && page.terminal) deps.spans?.ended(taskId, 'poll', last.eventId);
      return page;
    }
  } finally {
    listener.leave();
    if (text) topic.removeSubscriber(text);
    text?.stop();
    leaveHub();
    cancelTimeout();
    request.signal?.removeEventListener('abort', answerNow);
  }
}

/** Hears of the text of open parts, and is ready {@link POLL_GATHER_MS} after the first of it. */
interface GatheredText extends TopicSubscriber {
  /** There is text: true once it was gathered for long enough. */
  isGathered(): boolean;
  stop(): void;
}

function gatheredText(clock: Clock, cursors: PartCursors, onReady: () => void): GatheredText {
  let cancel: (() => void) | undefined;
  let isReady = false;
  const gather = (): void => {
    cancel ??= timerAfter(clock, POLL_GATHER_MS, () => {
      isReady = true;
      onReady();
    });
  };
  return {
    take: () => undefined,
    mark: () => undefined,
    compare: () => undefined,
    takePart: gather,
    compareParts(lanes) {
      const isNew = lanes.some(({ lane, epoch, length }) => {
        const known = cursors.get(lane);
        return length > (known?.offset ?? 0) || (known && known.offset > 0 && known.epoch !== epoch.mark);
      });
      if (isNew) gather();
    },
    isGathered() {
      gather();
      return isReady;
    },
    stop: () => cancel?.(),
  };
}

/** Something to wait for that may happen before, and many times. A wait that ends resets it. */
function autoResetEvent(): { readonly set: () => void; readonly wait: () => Promise<void> } {
  let waiting: (() => void) | undefined;
  let isSet = false;
  return {
    set() {
      isSet = true;
      waiting?.();
    },
    async wait() {
      if (!isSet) await new Promise<void>((resolve) => (waiting = resolve));
      waiting = undefined;
      isSet = false;
    },
  };
}
