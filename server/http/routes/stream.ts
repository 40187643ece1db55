import { isStart } from '../../../machines/wire/index.ts';
import type { Route, RouteDeps } from '../call.ts';
import { readStreamRequest } from '../stream-request.ts';

/**
 * `GET /tasks/{taskId}/events/stream`: everything that can be refused is refused here, as JSON; then the response is the live path's. The
 * cursor comes from `Last-Event-ID`, else from the query. A HEAD is answered without a stream.
 */
export function streamRoute({ service, live }: RouteDeps): Route {
  return async ({ ctx, auth, taskId }) => {
    const query = readStreamRequest(ctx.req, ctx.querystring);
    // With a cursor the first page is read before anything is sent, and says where the task is gone.
    await service.authorize(auth, taskId, ctx.method !== 'HEAD' && !isStart(query.lastEventId));
    if (ctx.method === 'HEAD') {
      ctx.status = 200;
      for (const [name, value] of Object.entries(live.sseHeaders)) ctx.set(name, value);
      return;
    }
    ctx.respond = false;
    if (ctx.res.destroyed) return;
    await live.openSse({
      req: ctx.req,
      res: ctx.res,
      auth,
      taskId,
      after: query.lastEventId,
      extensions: query.extensions,
      parts: query.parts,
    });
  };
}
