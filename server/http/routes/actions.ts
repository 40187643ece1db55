import { submitActionRequest } from '../../../machines/index.ts';
import { answerJson, type Route, type RouteTools } from '../call.ts';
import { readJson } from '../json-body.ts';
import { validate } from '../validation.ts';

/** `POST /tasks/{taskId}/actions`: 200 for an action that was taken before, else 202, rejections included. */
export function actionsRoute({ service, options, clock }: RouteTools): Route {
  return async ({ ctx, auth, taskId }) => {
    const action = validate(submitActionRequest, await readJson(ctx.req, options, clock));
    const answer = await service.act(auth, taskId, action);
    answerJson(ctx, answer.status === 'DEDUPLICATED' ? 200 : 202, answer);
  };
}
