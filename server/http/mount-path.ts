import type Koa from 'koa';
import { readPlainPath } from '../../machines/routes/index.ts';
import type { Logger } from '../ports/observability.ts';

/**
 * Sees, once, where koa-mount took more off the path of a request than the host said: WebSockets come with the whole path, and would not be
 * taken there. Throws a `RangeError` for a path with names.
 */
export function mountPathCheck(given: string, logger: Logger | undefined): (ctx: Koa.Context) => void {
  const mountPath = readPlainPath('mountPath', given);
  let isTold = false;
  return (ctx) => {
    const { mountPath: taken } = ctx as { readonly mountPath?: unknown };
    if (isTold || typeof taken !== 'string' || mountPath.endsWith(taken.replace(/\/$/, ''))) return;
    isTold = true;
    logger?.warn('WebSockets are not taken where this is mounted: give middleware() the same mountPath.', { taken, mountPath });
  };
}
