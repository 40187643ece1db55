import { submitActionRequest } from '../../../machines/wire/index.ts';
import { answerJson, type Route, type RouteDeps } from '../call.ts';
import { readJson } from '../json-body.ts';
import { recorded } from '../route-record.ts';
import { validate } from '../validation.ts';

/** `POST /tasks/{taskId}/actions`: 200 for an action that was taken before, else 202, rejections included. */
export function actionsRoute({ service, options, clock, records }: RouteDeps): Route {
  return recorded('http.task.action', records, async ({ ctx, auth, taskId }, note) => {
    const action = validate(submitActionRequest, await readJson(ctx, options, clock));
    const answer = await service.act(auth, taskId, action);
    note({ outcome: answer.status });
    answerJson(ctx, answer.status === 'DEDUPLICATED' ? 200 : 202, answer);
  });
}
