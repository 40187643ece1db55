import { answerJson, type Route, type RouteDeps } from '../call.ts';

/** `GET /tasks/{taskId}`: the task as its chart stands now. */
export function snapshotRoute({ service }: RouteDeps): Route {
  return async ({ ctx, auth, taskId }) => answerJson(ctx, 200, await service.snapshot(auth, taskId));
}
