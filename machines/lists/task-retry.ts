import * as z from 'zod/mini';
import { labels, title } from '../wire/commands.ts';
import { jsonObject, textId } from '../wire/json.ts';

/** Body of `POST /tasks` that starts a task that has ended again, as a new one: of its type, with its input and files. */
export const retryTaskRequest = z.strictObject({
  clientRequestId: textId,
  retryOf: textId,
  metadata: z.optional(jsonObject),
  title: z.optional(title),
  labels: z.optional(labels),
});
/** Body of `POST /tasks` that starts a task that has ended again: `metadata`, `title` and `labels` are those of the first where they are left out. */
export type RetryTaskRequest = z.infer<typeof retryTaskRequest>;
