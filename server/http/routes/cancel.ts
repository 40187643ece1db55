import { cancelTaskRequest } from '../../../machines/wire/index.ts';
import { answerJson, type Route, type RouteDeps } from '../call.ts';
import { readJson } from '../json-body.ts';
import { validate } from '../validation.ts';

/** `POST /tasks/{taskId}/cancel`, with `{ reason? }` or no body: always 202. */
export function cancelRoute({ service, options, clock }: RouteDeps): Route {
  return async ({ ctx, auth, taskId }) => {
    const { reason } = validate(cancelTaskRequest, await readJson(ctx.req, options, clock, { optional: true }));
    answerJson(ctx, 202, await service.cancel(auth, taskId, reason ?? undefined));
  };
}
