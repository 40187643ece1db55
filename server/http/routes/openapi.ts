import { answerJson, type Route } from '../call.ts';
import { openApiDocument, type DocumentSettings } from '../openapi/document.ts';

/** `GET /openapi.json`: the requests of the protocol at this host's paths. Written when it is first asked for. */
export function openApiRoute(settings: DocumentSettings): Route {
  let written: Buffer | undefined;
  return async ({ ctx }) => answerJson(ctx, 200, (written ??= Buffer.from(JSON.stringify(openApiDocument(settings)))));
}
