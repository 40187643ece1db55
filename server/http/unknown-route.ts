import type Koa from 'koa';
import type Router from 'koa-router';
import { pathNames } from '../../machines/routes/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { AuthContext, PathParams } from '../ports/auth.ts';
import { pathValues, routed } from './path-params.ts';

/**
 * Has the router answer everything at and below these paths that it has no route for, and methods that a route does not take. Who is asking
 * is found out first; the parameters are those of the route, or what is known of them where there is none. Comes after the routes.
 */
export function refuseOthers(
  router: Router,
  paths: readonly string[],
  boundary: Koa.Middleware,
  identify: (ctx: Koa.Context, params: PathParams) => Promise<AuthContext>,
): void {
  // Its types know its layers by another shape. A router of the host's around ours has layers of its own.
  const ours: readonly unknown[] = [...router.stack];
  for (const path of paths) {
    const names = pathNames(path);
    router.all(`${path}{/*rest}`, boundary, async (ctx) => {
      const { matched, captures } = routed(ctx);
      const layers = matched.filter((layer) => ours.includes(layer));
      const allow = layers.length === 0 ? [] : [...new Set([...layers.flatMap(({ methods }) => methods), 'OPTIONS'])];
      if (answersOptions(ctx, allow)) return;
      const [route] = layers;
      const { params } = route
        ? pathValues(pathNames(route.path), route.regexp.exec(ctx.path)?.slice(1) ?? [])
        : pathValues(names, captures);
      await identify(ctx, params);
      refuseUnknown(ctx, allow);
    });
  }
}

/** Answers an `OPTIONS` with what a path allows, which needs no credentials: preflights carry none. True where it did. */
function answersOptions(ctx: Koa.Context, allow: readonly string[]): boolean {
  if (ctx.method !== 'OPTIONS' || allow.length === 0) return false;
  ctx.set('Allow', allow.join(', '));
  ctx.status = 204;
  return true;
}

/** Refuses a path below our prefix that is no route, and a method that a route does not take. */
function refuseUnknown(ctx: Koa.Context, allow: readonly string[]): never {
  const { method } = ctx;
  if (allow.length === 0) throw new TaskBridgeError('NOT_FOUND', 'There is no such route.');
  ctx.set('Allow', allow.join(', '));
  throw new TaskBridgeError('METHOD_NOT_ALLOWED', `This route does not take ${method}; it takes ${allow.join(', ')}.`, {
    details: { allow },
  });
}
