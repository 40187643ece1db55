import * as z from 'zod/mini';
import { isCursor } from './event-id.ts';
import { limits } from './limits.ts';
import { jsonObject, nonBlankText, text, textId, type JsonObject } from './json.ts';
import type { FactPayload } from './facts.ts';
import type { PartFrame } from './frames.ts';
import { partCursors } from './parts.ts';
import { readTaskParts, readTaskSet, STREAM_TASKS_MAX } from '../routes/task-set.ts';

/** A cursor as a server takes it. */
export const cursor = z.string().check(z.refine(isCursor, 'must be an event id like "12-1790000000000", "" or "0-0"'));

/** What people call a task: 1–256 characters, not blank. */
export const title = nonBlankText(limits.titleCharactersMax);
/** One word by which tasks are found again: 1–64 characters, not blank. */
export const label = nonBlankText(limits.labelCharactersMax);
/** Those of a task: at most 16, each once. */
export const labels = z.array(label).check(
  z.maxLength(limits.labelsMax),
  z.refine((given: readonly string[]) => new Set(given).size === given.length, 'must have each label once'),
);

/** Body of `POST /tasks` as JSON. */
export const createTaskRequest = z.strictObject({
  clientRequestId: textId,
  taskType: textId,
  input: z.optional(jsonObject),
  metadata: z.optional(jsonObject),
  title: z.optional(title),
  labels: z.optional(labels),
});
/** Body of `POST /tasks` as JSON. */
export type CreateTaskRequest = z.infer<typeof createTaskRequest>;

/** Body of `POST /tasks/{taskId}/cancel`; an absent body is an empty one. */
export const cancelTaskRequest = z.strictObject({ reason: z.nullish(text(limits.noteCharactersMax)) });
/** Body of `POST /tasks/{taskId}/cancel`. */
export type CancelTaskRequest = z.infer<typeof cancelTaskRequest>;

/** Body of `POST /tasks/{taskId}/actions`. */
export const submitActionRequest = z.strictObject({
  clientActionId: textId,
  suspendId: textId,
  actionType: textId,
  payload: z.optional(jsonObject),
  metadata: z.optional(jsonObject),
});
/** Body of `POST /tasks/{taskId}/actions`. */
export type SubmitActionRequest = z.infer<typeof submitActionRequest>;

/** First frame of a WebSocket; where `multiplex` was granted also a later one. */
export const subscribeFrame = z.strictObject({
  action: z.literal('subscribe'),
  taskId: z.string(),
  lastEventId: z.nullish(cursor),
  /** Where `parts` was granted. */
  parts: z.nullish(partCursors),
});
/** First frame of a WebSocket; where `multiplex` was granted also a later one. */
export type SubscribeFrame = z.infer<typeof subscribeFrame>;

/** Ends a subscription of a WebSocket where `multiplex` was granted. */
export const unsubscribeFrame = z.strictObject({ action: z.literal('unsubscribe'), taskId: z.string() });
/** Ends a subscription of a WebSocket where `multiplex` was granted. */
export type UnsubscribeFrame = z.infer<typeof unsubscribeFrame>;

/** A number as it stands in a query. */
export const queryNumber = (min: number, max: number) =>
  z.pipe(
    z.pipe(z.string().check(z.regex(/^\d{1,9}$/, 'must be a whole number')), z.transform(Number)),
    z.int().check(z.minimum(min), z.maximum(max)),
  );

/** Query of `GET /tasks/{taskId}/events`; unknown fields are ignored, as query fields are. */
export const pollQuery = z.object({
  afterEventId: z.optional(cursor),
  waitTimeoutMs: z._default(queryNumber(0, limits.pollWaitMsMax), 0),
  maxEvents: z._default(queryNumber(1, limits.pollEventsMax), 100),
  extensions: z.optional(z.string()),
  parts: z.optional(partCursors),
});

/** The fewest bytes of a part that are read at once: any character fits. */
export const PART_READ_BYTES_MIN = 4;

/** Query of `GET /tasks/{taskId}/parts/{partNumber}`: places in bytes of UTF-8. */
export const partTextQuery = z.object({
  offset: z._default(queryNumber(0, limits.partBytesMax), 0),
  limit: z._default(queryNumber(PART_READ_BYTES_MIN, limits.partReadBytesMax), limits.partReadBytesMax / 2),
});

/** Query and header of the two streams. */
export const streamQuery = z.object({
  lastEventId: z.optional(cursor),
  extensions: z.optional(z.string()),
  parts: z.optional(partCursors),
});

/** A set of tasks as a server takes it. */
export const taskSet = z
  .string()
  .check(
    z.refine(
      (set) => readTaskSet(set) !== undefined,
      `must be 1 to ${STREAM_TASKS_MAX} tasks, each once and as "id@cursor" or "id@", with commas between`,
    ),
  );

/** Part cursors of a set of tasks as a server takes them. */
export const taskPartCursors = z
  .string()
  .check(z.refine((given) => readTaskParts(given) !== undefined, 'must be part cursors, each as "id@cursor", with commas between'));

/** Query of `GET /tasks/events/stream`, the stream of many tasks. */
export const sharedStreamQuery = z.object({ tasks: taskSet, extensions: z.optional(z.string()), parts: z.optional(taskPartCursors) });

/** A task's status on the wire. A closed set: published clients fail on a new value. */
export type TaskStatus = 'ACCEPTED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';
/** What became of an action. A closed set too. */
export type ActionStatus = 'ACCEPTED' | 'DEDUPLICATED' | 'REJECTED_ALREADY_RESOLVED' | 'REJECTED_EXPIRED';

/** Answer of `POST /tasks`: 201 for a new task, 200 for one that this request made before. */
export interface CreateTaskResponse {
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly clientRequestId: string;
  readonly deduplicated: boolean;
  /** Fields of a form whose files were not taken, where there are any: files come as `attachment` or `attachments`. */
  readonly ignoredFields?: readonly string[];
}
/** Answer of `POST /tasks/{taskId}/cancel`, always 202. */
export interface CancelTaskResponse {
  readonly taskId: string;
  readonly status: 'CANCELLATION_REQUESTED' | 'ALREADY_TERMINAL';
}
/** Answer of `POST /tasks/{taskId}/actions`: 200 for a deduplicated action, else 202. */
export interface SubmitActionResponse {
  readonly taskId: string;
  readonly suspendId: string;
  readonly clientActionId: string;
  readonly status: ActionStatus;
}
/** A type of task. What its contract leaves open, or what has none, is left out. */
export interface TaskTypeDescription {
  readonly taskType: string;
  /** JSON Schema (draft 2020-12) of what it is created with. */
  readonly input?: JsonObject | undefined;
  /** JSON Schema of what it completes with. */
  readonly result?: JsonObject | undefined;
  /** What it may ask, by name. */
  readonly questions?: Readonly<Record<string, QuestionDescription>> | undefined;
  /** Which parts it may write, by name: of which kind each is. Absent where they may be any. */
  readonly parts?: Readonly<Record<string, PartKind>> | undefined;
}
/** A question that tasks of a type may ask. */
export interface QuestionDescription {
  readonly reasonCode: string;
  /** JSON Schema of what is shown with it. */
  readonly interaction?: JsonObject | undefined;
  /** JSON Schemas of the payloads that answer it, by type of action. */
  readonly actions: Readonly<Record<string, JsonObject>>;
}
/** Answer of `GET /tasks/types`: what the caller may create, by name. */
export interface TaskTypesResponse {
  readonly types: readonly TaskTypeDescription[];
}
/** Why a cursor cannot be continued from. */
export interface Gap {
  /** `trimmed`: the facts after the cursor are no longer kept. `reset`: the history was replaced. */
  readonly reason: 'trimmed' | 'reset';
  /** The first fact that is still kept, from which the stream goes on. */
  readonly firstEventId: string | null;
}
/** Answer of `GET /tasks/{taskId}/events`. */
export interface PollResponse<E> {
  readonly taskId: string;
  readonly events: readonly E[];
  readonly nextAfterEventId: string | null;
  readonly hasMore: boolean;
  /** True when this page reaches the end of a finished log. */
  readonly terminal: boolean;
  /** Only where the cursor could not be continued from. */
  readonly gap?: Gap;
  /** Text of open parts, which comes after the facts; only for who asked for it (`extensions=parts`). */
  readonly parts?: readonly PartFrame[];
}
/** A file that a task's work has made: `GET /tasks/{taskId}/attachments/{name}` gives it. */
export interface TaskAttachment {
  /** Each has its own. */
  readonly name: string;
  readonly contentType: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}
/** A part of a task, as the task's snapshot lists it. */
export interface TaskPart {
  /** The number of the fact that opened it. */
  readonly part: number;
  /** The id of that fact. */
  readonly eventId: string;
  readonly name: string;
  readonly kind: PartKind;
  /** How long it is, in bytes of UTF-8; of `latest` the version, which is how often it was written. */
  readonly bytes: number;
  /** True as long as it may grow. */
  readonly open: boolean;
  /** How it was closed. */
  readonly outcome?: 'DONE' | 'ABANDONED';
  /** Of an open one: with `eventId` and `bytes` it is the cursor from which a stream goes on. */
  readonly epoch?: string;
  /** All of it, of `latest` the value as JSON; absent above 32 KiB, and where the snapshot has no room for more texts. */
  readonly text?: string;
}
/** Answer of `GET /tasks/{taskId}/parts/{partNumber}`: the text of a part between two places. */
export interface PartTextResponse extends Omit<TaskPart, 'name' | 'kind' | 'text'> {
  readonly taskId: string;
  /** Absent, as `kind`, where the log does not have the fact any more that opened it. */
  readonly name?: string;
  readonly kind?: PartKind;
  /** Where `text` begins, in bytes; of `latest` the version that was asked for, as `to` is that of the value in `text`, which comes whole. */
  readonly at: number;
  /** Where it ends: there is more where that is below `bytes`. */
  readonly to: number;
  readonly text: string;
}
type PartKind = FactPayload<'TASK_PART_OPENED'>['kind'];
/** Answer of `GET /tasks/{taskId}`: the task as its chart stands now. */
export interface TaskSnapshotResponse {
  readonly taskId: string;
  readonly taskType: string;
  readonly clientRequestId: string;
  readonly status: TaskStatus;
  /** The chart's state: `accepted`, `running`, `suspended`, `cancelling`, `completed`, `failed` or `cancelled`. */
  readonly state: string;
  readonly progress: FactPayload<'TASK_PROGRESS'> | null;
  readonly suspensions: readonly FactPayload<'TASK_SUSPENDED'>[];
  readonly result?: unknown;
  readonly failure?: FactPayload<'TASK_FAILED'>;
  readonly cancellation?: FactPayload<'TASK_CANCELLED'>;
  /** What people call it; absent where it was created without one. */
  readonly title?: string;
  /** Absent where it was created without any. */
  readonly labels?: readonly string[];
  /** What it was created with, as it is kept: as its type's contract made it. Absent above 16 KiB of JSON. */
  readonly input?: JsonObject;
  /** The size of an input that is larger, in bytes as JSON. */
  readonly inputBytes?: number;
  /** As it was sent with the create; absent above 16 KiB of JSON. */
  readonly metadata?: JsonObject;
  /** The size of metadata that are larger, in bytes as JSON. */
  readonly metadataBytes?: number;
  /** Files that its work has made so far, the oldest first; absent where there are none. */
  readonly attachments?: readonly TaskAttachment[];
  /** Those that are open and the newest that are closed, in the order in which they were opened; absent where there are none. In a list without `text`. */
  readonly parts?: readonly TaskPart[];
  readonly firstEventId: string | null;
  readonly lastEventId: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}
