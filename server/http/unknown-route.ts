import type Koa from 'koa';
import { TaskBridgeError } from '../errors.ts';

/** Answers an `OPTIONS` with what a path allows, which needs no credentials: preflights carry none. True where it did. */
export function answersOptions(ctx: Koa.Context, allow: readonly string[]): boolean {
  if (ctx.method !== 'OPTIONS' || allow.length === 0) return false;
  ctx.set('Allow', allow.join(', '));
  ctx.status = 204;
  return true;
}

/** Refuses a path below our prefix that is no route, and a method that a route does not take. */
export function refuseUnknown(ctx: Koa.Context, allow: readonly string[]): never {
  const { method } = ctx;
  if (allow.length === 0) throw new TaskBridgeError('NOT_FOUND', 'There is no such route.');
  ctx.set('Allow', allow.join(', '));
  throw new TaskBridgeError('METHOD_NOT_ALLOWED', `This route does not take ${method}; it takes ${allow.join(', ')}.`, {
    details: { allow },
  });
}
