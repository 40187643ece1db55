import type { Route, RouteDeps } from '../call.ts';

/** `DELETE /tasks/{taskId}`: 204 once the caller has no such task, whether he had one or not. */
export function removeRoute({ service }: RouteDeps): Route {
  return async ({ ctx, auth, taskId }) => {
    await service.remove(auth, taskId);
    ctx.status = 204;
    ctx.set('Cache-Control', 'no-store');
  };
}
