import * as z from 'zod/mini';
import { label, queryNumber, type TaskSnapshotResponse } from '../wire/commands.ts';
import { textId } from '../wire/json.ts';
import { limits } from '../wire/limits.ts';

/** The states of tasks, as snapshots have them. */
export const taskStates = ['accepted', 'running', 'suspended', 'cancelling', 'completed', 'failed', 'cancelled'] as const;

/** Where a list goes on, as a server takes it: a time, with a fraction where two are to be told apart, and a request key. */
export const listCursor = z.string().check(z.regex(/^\d{1,15}(\.\d{1,17})?-[0-9a-f]{64}$/, 'must be what a page before gave as nextAfter'));

/** Tasks of a page where nobody says how many. */
const LIST_TASKS = 50;

const filters = {
  type: z.optional(textId),
  state: z.optional(z.enum(taskStates)),
  label: z.optional(label),
  after: z.optional(listCursor),
};

/** Query of `GET /tasks`; unlike those of other routes, its unknown fields are refused: a filter that is misspelt would show everything. */
export const taskListQuery = z.strictObject({
  ...filters,
  limit: z._default(queryNumber(1, limits.listTasksMax), LIST_TASKS),
});
/** The same where it comes as an object. */
export const taskListRequest = z.strictObject({
  ...filters,
  limit: z._default(z.int().check(z.minimum(1), z.maximum(limits.listTasksMax)), LIST_TASKS),
});
/** What is listed. */
export type TaskListQuery = z.output<typeof taskListQuery>;
/** What to list; all of it may be left out. */
export interface TaskListRequest {
  /** Tasks of this type only. */
  readonly type?: string | undefined;
  /** Tasks that are in this state only. */
  readonly state?: (typeof taskStates)[number] | undefined;
  /** Tasks that have this label only. */
  readonly label?: string | undefined;
  /** `nextAfter` of the page before. Defaults to the newest. */
  readonly after?: string | undefined;
  /** Most tasks of the page: 1 to 100. Defaults to 50. */
  readonly limit?: number | undefined;
}

/** Answer of `GET /tasks`: a page of the caller's tasks, newest first. */
export interface TaskListResponse {
  readonly tasks: readonly TaskSnapshotResponse[];
  /** Where to go on; null where nothing is left. A page may have fewer tasks than it may, or none, and one to go on all the same. */
  readonly nextAfter: string | null;
}
