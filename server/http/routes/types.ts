import { answerJson, type Route, type RouteDeps } from '../call.ts';

/** `GET /tasks/types`: the types that the caller may create, with the schemas of their contract. */
export function typesRoute({ service }: RouteDeps): Route {
  return async ({ ctx, auth }) => answerJson(ctx, 200, await service.types(auth));
}
