import { cancelTaskRequest } from '../../../machines/wire/index.ts';
import { answerJson, type Route, type RouteDeps } from '../call.ts';
import { readJson } from '../json-body.ts';
import { recorded } from '../route-record.ts';
import { validate } from '../validation.ts';

/** `POST /tasks/{taskId}/cancel`, with `{ reason? }` or no body: always 202. */
export function cancelRoute({ service, options, clock, records }: RouteDeps): Route {
  return recorded('http.task.cancel', records, async ({ ctx, auth, taskId }, note) => {
    const { reason } = validate(cancelTaskRequest, await readJson(ctx, options, clock, { optional: true }));
    const answer = await service.cancel(auth, taskId, reason ?? undefined);
    note({ outcome: answer.status });
    answerJson(ctx, 202, answer);
  });
}
