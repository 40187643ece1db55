import type Koa from 'koa';
import { readPlainPath } from '../../machines/routes/index.ts';
import type { Logger } from '../ports/observability.ts';

/**
 * Sees, once, where koa-mount, Express or Connect took more off the path of a request than the host said: WebSockets come with the whole path, and would not be
 * taken there. Throws a `RangeError` for a path with names.
 */
export function mountPathCheck(given: string, logger: Logger | undefined): (ctx: Koa.Context) => void {
  const mountPath = readPlainPath('mountPath', given);
  let isTold = false;
  return (ctx) => {
    const taken = takenFrom(ctx);
    if (isTold || taken === undefined || mountPath.endsWith(taken.replace(/\/$/, ''))) return;
    isTold = true;
    logger?.warn('WebSockets are not taken where this is mounted: give middleware() the same mountPath.', { taken, mountPath });
  };
}

/** What was taken off the path; undefined where nobody says. Express and Connect keep the whole of it beside what is left. */
function takenFrom(ctx: Koa.Context): string | undefined {
  const { mountPath } = ctx as { readonly mountPath?: unknown };
  if (typeof mountPath === 'string') return mountPath;
  const { originalUrl } = ctx.req as { readonly originalUrl?: unknown };
  const whole = typeof originalUrl === 'string' ? originalUrl.split('?', 1)[0] : undefined;
  return whole?.endsWith(ctx.path) ? whole.slice(0, -ctx.path.length) : undefined;
}
