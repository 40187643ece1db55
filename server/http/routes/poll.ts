import { pollQuery } from '../../../machines/wire/index.ts';
import type { PollPage } from '../../live/poll.ts';
import { pollOutcome } from '../../live/observed-poll.ts';
import { answerJson, type Route, type RouteDeps } from '../call.ts';
import { onSocketEnd } from '../socket-end.ts';
import { queryFields } from '../query.ts';
import { recorded } from '../route-record.ts';
import { validate } from '../validation.ts';

/** `GET /tasks/{taskId}/events`: a page of facts after a cursor, waiting for the first one if asked to. A HEAD does not wait. */
export function pollRoute({ service, live, records }: RouteDeps): Route {
  return recorded('http.task.poll', records, async ({ ctx, auth, taskId }, note) => {
    const query = validate(pollQuery, queryFields(ctx.querystring, ['afterEventId', 'waitTimeoutMs', 'maxEvents', 'extensions']));
    const gone = new AbortController();
    const forgetClose = onSocketEnd(ctx.req.socket, 'close', () => gone.abort());
    try {
      await service.authorize(auth, taskId);
      const waitMs = ctx.method === 'HEAD' ? 0 : query.waitTimeoutMs;
      const { afterEventId: after, maxEvents, extensions } = query;
      const page = await live.poll(taskId, {
        owner: auth.subject,
        auth,
        expiresAt: auth.expiresAt,
        after,
        waitMs,
        maxEvents,
        extensions,
        signal: gone.signal,
      });
      const eventId = page.entries.at(-1)?.eventId;
      note({ ...(eventId && { eventId }), outcome: gone.signal.aborted ? 'gone' : pollOutcome(page) });
      answerJson(ctx, 200, pageBytes(taskId, page));
    } catch (thrown) {
      // Nobody is left to be told.
      if (!gone.signal.aborted) throw thrown;
      note({ outcome: 'gone' });
      ctx.respond = false;
    } finally {
      forgetClose();
    }
  });
}

const COMMA = Buffer.from(',');

/** The page as JSON. Facts go out as the bytes that were committed: they are never parsed on the way. */
function pageBytes(taskId: string, { entries, nextAfterEventId, hasMore, terminal, gap }: PollPage): Buffer {
  const tail = JSON.stringify({ nextAfterEventId, hasMore, terminal, ...(gap ? { gap } : {}) });
  return Buffer.concat([
    Buffer.from(`{"taskId":${JSON.stringify(taskId)},"events":[`),
    ...entries.flatMap(({ bytes }, index) => (index === 0 ? [bytes] : [COMMA, bytes])),
    Buffer.from(`],${tail.slice(1)}`),
  ]);
}
