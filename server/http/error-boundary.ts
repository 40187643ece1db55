import type Koa from 'koa';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import { answerEarly, isReceiving } from './early-answer.ts';
import { callerError, errorResponse, EXPOSED, guardHeaders } from './error-response.ts';
import type { HttpOptions } from './options.ts';

/** Middleware that turns everything thrown below it into the envelope. Where the head is already out, it destroys the response instead. */
export function errorBoundary(options: HttpOptions, clock: Clock, logger: Logger | undefined): Koa.Middleware {
  const spare = sparingLostClients(logger);
  return async (ctx, next) => {
    spare(ctx);
    guard(ctx);
    try {
      await next();
    } catch (thrown) {
      const refused = errorResponse(callerError(thrown, logger), clock);
      if (ctx.res.headersSent) {
        ctx.respond = false;
        ctx.res.destroy();
        return;
      }
      ctx.status = refused.status;
      if (isReceiving(ctx.req)) {
        ctx.respond = false;
        answerEarly(ctx.req, ctx.res, refused, options, clock);
        return;
      }
      ctx.respond = true;
      // What has arrived unread would otherwise stay with the connection, which goes on.
      ctx.req.resume();
      for (const [name, value] of Object.entries(refused.headers))
        if (!(name in guardHeaders || (name === EXPOSED && ctx.res.hasHeader(EXPOSED)))) ctx.set(name, String(value));
      ctx.body = refused.body;
    }
  };
}

/** Keeps what the host has set. */
export function guard({ res }: Koa.Context): void {
  if (res.headersSent) return;
  for (const [name, value] of guards) if (!res.hasHeader(name)) res.setHeader(name, value);
}

const guards = Object.entries(guardHeaders);

// The fourth is what Node says of one that goes in the middle of its body, the last of one that goes in the middle of its answer.
const lostClient: readonly unknown[] = ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'HPE_INVALID_EOF_STATE', 'ERR_STREAM_PREMATURE_CLOSE'];

/** Koa prints a stack for each response whose client has cut it, or its own request: in a storm of reconnects, thousands. */
function sparingLostClients(logger: Logger | undefined): (ctx: Koa.Context) => void {
  const sparing = (ctx: Koa.Context, error: Error, onerror: Koa.Context['onerror']): void => {
    const isLost = (ctx.headerSent || !ctx.writable) && error instanceof Error && 'code' in error && lostClient.includes(error.code);
    if (isLost) return;
    // Ours alone: a session that is saved after it sets its cookie too late, with every stream.
    if (ctx.respond === false && error instanceof Error && 'code' in error && error.code === 'ERR_HTTP_HEADERS_SENT')
      logger?.warn('A middleware before the bridge sets a header when a stream has begun, and it is lost: mount the bridge before it.', {
        error,
      });
    else onerror.call(ctx, error);
  };
  return (ctx) => {
    const { onerror } = ctx;
    ctx.onerror = (error) => sparing(ctx, error, onerror);
  };
}
