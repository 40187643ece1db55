import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa from 'koa';
import { TaskBridgeError } from '../errors.ts';
import type { Logger } from '../ports/observability.ts';

/**
 * A listener for `createServer`, and a middleware for Express, Connect and what else hands on by calling `next`. Without a `next`, what is not
 * ours is answered 404.
 */
export type RequestHandler = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => void;

/** What a request handler is made of. */
export interface RequestHandlerDeps {
  /** The routes. */
  readonly middleware: Koa.Middleware;
  /** Turns what is thrown into the envelope. */
  readonly boundary: Koa.Middleware;
  readonly logger: Logger | undefined;
}

/** Makes a request handler out of Koa middleware, for hosts that have no Koa app. */
export function createRequestHandler({ middleware, boundary, logger }: RequestHandlerDeps): RequestHandler {
  const app = new Koa();
  /** Requests that somebody else takes where they are not ours, with the status that was set when they came: Koa begins with 404. */
  const passable = new WeakMap<IncomingMessage, number>();
  const passed = new WeakSet<IncomingMessage>();
  app.on('error', (error: unknown) => logger?.warn('A response failed.', { error }));
  app.use(middleware);
  app.use(async (ctx) => {
    const statusBefore = passable.get(ctx.req);
    if (statusBefore === undefined) return void (await boundary(ctx, refuse));
    passed.add(ctx.req);
    // From here on the response is somebody else's, as if we had never seen it.
    ctx.respond = false;
    ctx.res.statusCode = statusBefore;
  });
  const answer = app.callback();
  return (req, res, next) => {
    if (next) passable.set(req, res.statusCode);
    void answer(req, res).then(() => {
      if (passed.has(req)) next?.();
    });
  };
}

async function refuse(): Promise<never> {
  throw new TaskBridgeError('NOT_FOUND', 'There is no such route.');
}
