import type Koa from 'koa';
import { pollQuery } from '../../../machines/wire/index.ts';
import type { PollPage } from '../../live/poll.ts';
import { pollOutcome } from '../../live/observed-poll.ts';
import type { LogPage } from '../../ports/store.ts';
import { answerInPieces, type AnswerRoom } from '../answer-pieces.ts';
import { answerJson, type Route, type RouteDeps } from '../call.ts';
import { goneSignal } from '../socket-end.ts';
import { queryFields } from '../query.ts';
import { recorded } from '../route-record.ts';
import { SMALL_ANSWER_BYTES } from '../unsent-bytes.ts';
import { validate } from '../validation.ts';

/** `GET /tasks/{taskId}/events`: a page of facts after a cursor, waiting for the first one if asked to. A HEAD does not wait. */
export function pollRoute({ service, live, records, unsent }: RouteDeps): Route {
  const queries = new QueryCache();
  const answers = new AnswerCache();
  return recorded('http.task.poll', records, async ({ ctx, auth, taskId }, note) => {
    const query = queries.of(ctx.querystring);
    const gone = goneSignal(ctx.req.socket);
    try {
      await service.authorize(auth, taskId, true);
      const waitMs = ctx.method === 'HEAD' ? 0 : query.waitTimeoutMs;
      const { afterEventId: after, maxEvents, extensions, parts } = query;
      const page = await live.poll(taskId, {
        owner: auth.subject,
        auth,
        expiresAt: auth.expiresAt,
        after,
        waitMs,
        maxEvents,
        pieceBytes: PIECE_BYTES,
        extensions,
        parts,
        signal: gone,
      });
      const eventId = page.entries.at(-1)?.eventId;
      note({ ...(eventId && { eventId }), outcome: gone.aborted ? 'gone' : pollOutcome(page) });
      const kept = answers.of(page, ctx.querystring);
      if (kept) answerJson(ctx, 200, kept);
      else answerPage(ctx, taskId, page, { owner: auth.subject, unsent }, answers);
    } catch (thrown) {
      // Nobody is left to be told.
      if (!gone.aborted) throw thrown;
      note({ outcome: 'gone' });
      ctx.respond = false;
    }
  });
}

/** Checked queries, at most, and characters of one. */
const QUERIES_MAX = 256;
const QUERY_CHARACTERS_MAX = 256;

/** The queries that came last, checked: who waits for the next fact asks the same again and again. */
class QueryCache {
  readonly #checked = new Map<string, ReturnType<typeof checked>>();

  /** Throws `REQUEST_VALIDATION_ERROR`. */
  of(queryString: string): ReturnType<typeof checked> {
    const known = this.#checked.get(queryString);
    if (known) return known;
    const query = checked(queryString);
    if (queryString.length > QUERY_CHARACTERS_MAX) return query;
    // All at once: which of them come again nobody knows.
    if (this.#checked.size >= QUERIES_MAX) this.#checked.clear();
    this.#checked.set(queryString, query);
    return query;
  }
}

function checked(queryString: string) {
  return validate(pollQuery, queryFields(queryString, FIELDS));
}

/** The answers that were made of a store's pages, each as long as its page is kept: a store may give that again while nothing has changed. */
class AnswerCache {
  readonly #kept = new WeakMap<LogPage, { readonly queryString: string; readonly json: string | Buffer }>();

  of({ source }: PollPage, queryString: string): string | Buffer | undefined {
    const kept = source && this.#kept.get(source);
    return kept?.queryString === queryString ? kept.json : undefined;
  }

  keep<Json extends string | Buffer>({ source, frames }: PollPage, queryString: string, json: Json): Json {
    if (source && !frames && json.length <= SMALL_ANSWER_BYTES) this.#kept.set(source, { queryString, json });
    return json;
  }
}

const FIELDS = ['afterEventId', 'waitTimeoutMs', 'maxEvents', 'extensions', 'parts'];
const COMMA = Buffer.from(',');
const TO_PARTS = Buffer.from('],"parts":[');
/** What of a log is read, and in memory, at once. */
const PIECE_BYTES = 256 * 1024;

/** Answers with a page as JSON. Facts go out as the bytes that were committed: they are never parsed on the way. */
function answerPage(ctx: Koa.Context, taskId: string, first: PollPage, room: AnswerRoom, answers: AnswerCache): void {
  const text = new PageText(taskId, first);
  // Most polls find nothing: a text goes out with its head in one piece.
  if (first.entries.length === 0 && !first.frames?.length)
    return answerJson(ctx, 200, answers.keep(first, ctx.querystring, text.head + text.tailOf(first)));
  const begin = [Buffer.from(text.head), ...text.piece(first)];
  if (!first.readOn)
    return answerInPieces(ctx, answers.keep(first, ctx.querystring, Buffer.concat([...begin, Buffer.from(text.tailOf(first))])), room);
  let page: PollPage | undefined = first;
  answerInPieces(ctx, Buffer.concat(begin), room, async () => {
    if (!page) return undefined;
    // Where there is no room for more, the page ends, and says that there is more.
    const next: PollPage | undefined = room.unsent.hasRoom(room.owner, PIECE_BYTES) ? await page.readOn?.() : undefined;
    // A last piece may have nothing but what it says of the page.
    const piece = next ? text.piece(next) : [];
    const isLast = piece.length === 0;
    const end = isLast ? [Buffer.from(text.tailOf(next ?? page))] : piece;
    page = isLast ? undefined : next;
    return Buffer.concat(end);
  });
}

/** A page as JSON: its facts, then its frames of parts, then what it says of itself. */
class PageText {
  readonly head: string;
  readonly #gap: PollPage['gap'];
  /** Where the page is, and whether something stands there. */
  #list: 'events' | 'parts' = 'events';
  #isEmpty = true;

  constructor(taskId: string, { gap }: PollPage) {
    this.head = `{"taskId":${JSON.stringify(taskId)},"events":[`;
    this.#gap = gap;
  }

  piece({ entries, frames = [] }: PollPage): Uint8Array[] {
    const facts = this.#joined(entries);
    if (frames.length === 0) return facts;
    const turn = this.#list === 'events' ? [TO_PARTS] : [];
    if (this.#list === 'events') [this.#list, this.#isEmpty] = ['parts', true];
    return [...facts, ...turn, ...this.#joined(frames)];
  }

  tailOf({ nextAfterEventId, hasMore, terminal, frames }: PollPage): string {
    const noParts = frames && this.#list === 'events' ? '],"parts":[' : '';
    const rest = { nextAfterEventId, hasMore, terminal, ...(this.#gap && { gap: this.#gap }) };
    return `${noParts}],${JSON.stringify(rest).slice(1)}`;
  }

  #joined(entries: readonly { readonly bytes: Uint8Array }[]): Uint8Array[] {
    return entries.flatMap(({ bytes }) => {
      const isFirst = this.#isEmpty;
      this.#isEmpty = false;
      return isFirst ? [bytes] : [COMMA, bytes];
    });
  }
}
