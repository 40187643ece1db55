import { streamQuery } from '../../../machines/wire/index.ts';
import type { Route, RouteDeps } from '../call.ts';
import { queryFields } from '../query.ts';
import { validate } from '../validation.ts';

/**
 * `GET /tasks/{taskId}/events/stream`: everything that can be refused is refused here, as JSON; then the response is the live path's. The
 * cursor comes from `Last-Event-ID`, else from the query. A HEAD is answered without a stream.
 */
export function streamRoute({ service, live }: RouteDeps): Route {
  return async ({ ctx, auth, taskId }) => {
    const header = ctx.req.headers['last-event-id'];
    const fields = queryFields(ctx.querystring, ['lastEventId', 'extensions']);
    const query = validate(streamQuery, typeof header === 'string' ? { ...fields, lastEventId: header } : fields);
    await service.authorize(auth, taskId);
    if (ctx.method === 'HEAD') {
      ctx.status = 200;
      for (const [name, value] of Object.entries(live.sseHeaders)) ctx.set(name, value);
      return;
    }
    ctx.respond = false;
    if (ctx.res.destroyed) return;
    await live.openSse({ req: ctx.req, res: ctx.res, auth, taskId, after: query.lastEventId, extensions: query.extensions });
  };
}
