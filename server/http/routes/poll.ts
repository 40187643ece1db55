import type Koa from 'koa';
import { pollQuery } from '../../../machines/wire/index.ts';
import type { PollPage } from '../../live/poll.ts';
import { pollOutcome } from '../../live/observed-poll.ts';
import { answerInPieces, type AnswerRoom } from '../answer-pieces.ts';
import { answerJson, type Route, type RouteDeps } from '../call.ts';
import { goneSignal } from '../socket-end.ts';
import { queryFields } from '../query.ts';
import { recorded } from '../route-record.ts';
import { validate } from '../validation.ts';

/** `GET /tasks/{taskId}/events`: a page of facts after a cursor, waiting for the first one if asked to. A HEAD does not wait. */
export function pollRoute({ service, live, records, unsent }: RouteDeps): Route {
  return recorded('http.task.poll', records, async ({ ctx, auth, taskId }, note) => {
    const query = validate(pollQuery, queryFields(ctx.querystring, ['afterEventId', 'waitTimeoutMs', 'maxEvents', 'extensions']));
    const gone = goneSignal(ctx.req.socket);
    try {
      await service.authorize(auth, taskId, true);
      const waitMs = ctx.method === 'HEAD' ? 0 : query.waitTimeoutMs;
      const { afterEventId: after, maxEvents, extensions } = query;
      const page = await live.poll(taskId, {
        owner: auth.subject,
        auth,
        expiresAt: auth.expiresAt,
        after,
        waitMs,
        maxEvents,
        pieceBytes: PIECE_BYTES,
        extensions,
        signal: gone,
      });
      const eventId = page.entries.at(-1)?.eventId;
      note({ ...(eventId && { eventId }), outcome: gone.aborted ? 'gone' : pollOutcome(page) });
      answerPage(ctx, taskId, page, { owner: auth.subject, unsent });
    } catch (thrown) {
      // Nobody is left to be told.
      if (!gone.aborted) throw thrown;
      note({ outcome: 'gone' });
      ctx.respond = false;
    }
  });
}

const COMMA = Buffer.from(',');
/** What of a log is read, and in memory, at once. */
const PIECE_BYTES = 256 * 1024;

/** Answers with a page as JSON. Facts go out as the bytes that were committed: they are never parsed on the way. */
function answerPage(ctx: Koa.Context, taskId: string, first: PollPage, room: AnswerRoom): void {
  const begin = `{"taskId":${JSON.stringify(taskId)},"events":[`;
  // Most polls find nothing: a text goes out with its head in one piece.
  if (first.entries.length === 0) return answerJson(ctx, 200, begin + tailOf(first));
  const head = Buffer.from(begin);
  if (!first.readOn) return answerInPieces(ctx, Buffer.concat([head, ...joined(first), Buffer.from(tailOf(first))]), room);
  let page: PollPage | undefined = first;
  answerInPieces(ctx, Buffer.concat([head, ...joined(first)]), room, async () => {
    if (!page) return undefined;
    // Where there is no room for more, the page ends, and says that there is more.
    const next: PollPage | undefined = room.unsent.hasRoom(room.owner, PIECE_BYTES) ? await page.readOn?.() : undefined;
    const piece = next ? [COMMA, ...joined(next)] : [Buffer.from(tailOf(page, first.gap))];
    page = next;
    return Buffer.concat(piece);
  });
}

function joined({ entries }: PollPage): Uint8Array[] {
  return entries.flatMap(({ bytes }, index) => (index === 0 ? [bytes] : [COMMA, bytes]));
}

function tailOf({ nextAfterEventId, hasMore, terminal, gap }: PollPage, met = gap): string {
  return `],${JSON.stringify({ nextAfterEventId, hasMore, terminal, ...(met && { gap: met }) }).slice(1)}`;
}
