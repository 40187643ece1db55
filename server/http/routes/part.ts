import { partTextQuery } from '../../../machines/parts/index.ts';
import { answerInPieces } from '../answer-pieces.ts';
import type { Route, RouteDeps } from '../call.ts';
import { queryFields } from '../query.ts';
import { validate } from '../validation.ts';

/** `GET /tasks/{taskId}/parts/{partNumber}`: the text of a part between two places, whether it is open or closed. */
export function partRoute({ service, unsent }: RouteDeps): Route {
  return async ({ ctx, auth, taskId, partNumber }) => {
    const query = validate(partTextQuery, queryFields(ctx.querystring, ['offset', 'limit']));
    const text = await service.partText(auth, taskId, partNumber, query);
    answerInPieces(ctx, Buffer.from(JSON.stringify(text)), { owner: auth.subject, unsent });
  };
}
