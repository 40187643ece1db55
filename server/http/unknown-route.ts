import type Koa from 'koa';
import type Router from 'koa-router';
import { pathNames } from '../../machines/routes/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { AuthContext, PathParams } from '../ports/auth.ts';
import { isShadowed } from './our-paths.ts';
import { pathValues, routed, type RoutedLayer } from './path-params.ts';

/** Finds out who sends a request, by what its path says too. */
export type Identify = (ctx: Koa.Context, params: PathParams) => Promise<AuthContext>;

/**
 * Has the router answer everything at and below these paths that it has no route for, and methods that a route does not take. Who is asking
 * is found out first; the parameters are those of the route, or what is known of them where there is none. Comes after the routes.
 */
export function refuseOthers(router: Router, paths: readonly string[], boundary: Koa.Middleware, identify: Identify): void {
  // Its types know its layers by another shape. A router of the host's around ours has layers of its own.
  const ours: readonly unknown[] = [...router.stack];
  for (const path of paths) {
    const names = pathNames(path);
    router.all(`${path}{/*rest}`, boundary, async (ctx) => {
      const { matched, captures } = routed(ctx);
      const found = matched.filter((layer) => ours.includes(layer));
      const layers = found.filter(({ path: own }) => !found.some((other) => isShadowed(own, other.path)));
      if (layers.length > 0) return refuseMethod(ctx, layers, identify);
      await identify(ctx, pathValues(names, captures).params);
      throw new TaskBridgeError('NOT_FOUND', 'There is no such route.');
    });
  }
}

/** Refuses a method that a path does not take, once it is known who asks; an `OPTIONS` is answered for anybody. */
export async function refuseMethod(ctx: Koa.Context, layers: readonly RoutedLayer[], identify: Identify): Promise<void> {
  const allow = [...new Set([...layers.flatMap(({ methods }) => methods), 'OPTIONS'])];
  if (answersOptions(ctx, allow)) return;
  const [route] = layers;
  await identify(ctx, route ? pathValues(pathNames(route.path), route.regexp.exec(ctx.path)?.slice(1) ?? []).params : {});
  ctx.set('Allow', allow.join(', '));
  throw new TaskBridgeError('METHOD_NOT_ALLOWED', `This route does not take ${ctx.method}; it takes ${allow.join(', ')}.`, {
    details: { allow },
  });
}

/** Answers an `OPTIONS` with what a path allows, which needs no credentials: preflights carry none. True where it did. */
function answersOptions(ctx: Koa.Context, allow: readonly string[]): boolean {
  if (ctx.method !== 'OPTIONS') return false;
  ctx.set('Allow', allow.join(', '));
  ctx.status = 204;
  return true;
}
