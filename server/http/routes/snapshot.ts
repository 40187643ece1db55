import { snapshotJson } from '../../task/snapshot.ts';
import { answerInPieces } from '../answer-pieces.ts';
import type { Route, RouteDeps } from '../call.ts';

/** `GET /tasks/{taskId}`: the task as its chart stands now. */
export function snapshotRoute({ service, unsent }: RouteDeps): Route {
  return async ({ ctx, auth, taskId }) =>
    answerInPieces(ctx, snapshotJson(await service.snapshot(auth, taskId)), { owner: auth.subject, unsent });
}
