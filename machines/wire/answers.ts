import * as z from 'zod/mini';
import { labels, title } from './commands.ts';
import type {
  CancelTaskResponse,
  CreateTaskResponse,
  Gap,
  PartTextResponse,
  PollResponse,
  SubmitActionResponse,
  TaskPart,
  TaskSnapshotResponse,
  TaskTypesResponse,
} from './commands.ts';
import { errorCodes, type ErrorCode, type ErrorEnvelope } from './errors.ts';
import type { UnknownFact } from './facts.ts';
import type {
  ExtensionsGrantedFrame,
  GapFrame,
  HeartbeatFrame,
  PartFrame,
  SseGapFrame,
  SseHeartbeatFrame,
  SubscriptionConfirmedFrame,
  SubscriptionEndedFrame,
} from './frames.ts';
import { jsonObject, jsonValue, textId } from './json.ts';
import { listCursor, taskStates, type TaskListResponse } from '../lists/task-list.ts';
import { partKinds } from './parts.ts';
import { payloads, timestamp } from './payloads.ts';

/**
 * What this version answers, to the field: for the JSON Schemas in `docs/schemas` and for tests of the wire. Clients read answers leniently
 * instead, and a bundle that uses none of these leaves this file out.
 */

/** An object with exactly the fields of `T`; the compiler refuses a field that is missing or has another type. */
const answer =
  <T>() =>
  <S extends { readonly [K in keyof T]-?: z.ZodMiniType<T[K] | undefined> }>(shape: S) =>
    z.strictObject(shape);

const statuses = z.enum(['ACCEPTED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED']);
const eventIdOrNull = z.nullable(z.string());
const bytes = z.int().check(z.minimum(0));

/** Answer of `POST /tasks`. */
export const createTaskResponse = answer<CreateTaskResponse>()({
  taskId: textId,
  status: statuses,
  clientRequestId: textId,
  deduplicated: z.boolean(),
  ignoredFields: z.optional(z.array(z.string())),
});

/** Answer of `POST /tasks/{taskId}/cancel`. */
export const cancelTaskResponse = answer<CancelTaskResponse>()({
  taskId: textId,
  status: z.enum(['CANCELLATION_REQUESTED', 'ALREADY_TERMINAL']),
});

/** Answer of `POST /tasks/{taskId}/actions`. */
export const submitActionResponse = answer<SubmitActionResponse>()({
  taskId: textId,
  suspendId: textId,
  clientActionId: textId,
  status: z.enum(['ACCEPTED', 'DEDUPLICATED', 'REJECTED_ALREADY_RESOLVED', 'REJECTED_EXPIRED']),
});

/** Answer of `GET /tasks/types`. */
export const taskTypesResponse = answer<TaskTypesResponse>()({
  types: z.array(
    z.strictObject({
      taskType: textId,
      input: z.optional(jsonObject),
      result: z.optional(jsonObject),
      questions: z.optional(
        z.record(
          z.string(),
          z.strictObject({ reasonCode: textId, interaction: z.optional(jsonObject), actions: z.record(textId, jsonObject) }),
        ),
      ),
      parts: z.optional(z.record(textId, z.enum(partKinds))),
    }),
  ),
});

/** Why a cursor cannot be continued from. */
export const gap = answer<Gap>()({ reason: z.enum(['trimmed', 'reset']), firstEventId: eventIdOrNull });

/** Text of an open part, for a client that was granted `parts`. */
export const partFrame = answer<PartFrame>()({
  type: z.literal('PART'),
  taskId: textId,
  part: z.int().check(z.minimum(1)),
  at: bytes,
  to: bytes,
  text: z.string(),
  eventId: z.exactOptional(textId),
  name: z.exactOptional(textId),
  kind: z.exactOptional(z.enum(partKinds)),
  snapshot: z.exactOptional(z.literal(true)),
  reset: z.exactOptional(z.literal(true)),
  epoch: z.exactOptional(z.string()),
});

/** The five fields of any fact, its type and payload unlooked at. */
const envelope = z.strictObject({ type: textId, taskId: textId, eventId: textId, createdAt: timestamp, payload: jsonObject });

/** Answer of `GET /tasks/{taskId}/events`. */
export const pollResponse = answer<PollResponse<Omit<UnknownFact, 'eventId' | 'type'> & { readonly type: string }>>()({
  taskId: textId,
  events: z.array(envelope),
  nextAfterEventId: eventIdOrNull,
  hasMore: z.boolean(),
  terminal: z.boolean(),
  gap: z.exactOptional(gap),
  parts: z.exactOptional(z.array(partFrame)),
});

const partShape = {
  part: z.int().check(z.minimum(1)),
  eventId: textId,
  bytes,
  open: z.boolean(),
  outcome: z.exactOptional(z.enum(['DONE', 'ABANDONED'])),
  epoch: z.exactOptional(z.string()),
};
const taskPart = answer<TaskPart>()({ ...partShape, name: textId, kind: z.enum(partKinds), text: z.exactOptional(z.string()) });

/** Answer of `GET /tasks/{taskId}/parts/{partNumber}`. */
export const partTextResponse = answer<PartTextResponse>()({
  ...partShape,
  taskId: textId,
  name: z.exactOptional(textId),
  kind: z.exactOptional(z.enum(partKinds)),
  at: bytes,
  to: bytes,
  text: z.string(),
});

/** Answer of `GET /tasks/{taskId}`. */
export const taskSnapshotResponse = answer<TaskSnapshotResponse>()({
  taskId: textId,
  taskType: textId,
  clientRequestId: textId,
  status: statuses,
  state: z.enum(taskStates),
  progress: z.nullable(payloads.TASK_PROGRESS),
  suspensions: z.array(payloads.TASK_SUSPENDED),
  result: z.exactOptional(jsonValue),
  failure: z.exactOptional(payloads.TASK_FAILED),
  cancellation: z.exactOptional(payloads.TASK_CANCELLED),
  title: z.exactOptional(title),
  labels: z.exactOptional(labels),
  input: z.exactOptional(jsonObject),
  inputBytes: z.exactOptional(bytes),
  metadata: z.exactOptional(jsonObject),
  metadataBytes: z.exactOptional(bytes),
  attachments: z.exactOptional(z.array(z.strictObject({ name: textId, contentType: z.string(), bytes, sha256: z.string() }))),
  parts: z.exactOptional(z.array(taskPart)),
  firstEventId: eventIdOrNull,
  lastEventId: eventIdOrNull,
  createdAt: timestamp,
  updatedAt: timestamp,
});

/** Answer of `GET /tasks`. */
export const taskListResponse = answer<TaskListResponse>()({
  tasks: z.array(taskSnapshotResponse),
  nextAfter: z.nullable(listCursor),
});

/** Every answer that is no success. */
export const errorEnvelope = answer<ErrorEnvelope>()({
  code: z.enum(Object.keys(errorCodes) as ErrorCode[]),
  message: z.string(),
  details: jsonObject,
  timestamp,
});

const extensions = z.exactOptional(z.array(z.string()));

/** First frame that a WebSocket sends. */
export const subscriptionConfirmedFrame = answer<SubscriptionConfirmedFrame>()({
  type: z.literal('SUBSCRIPTION_CONFIRMED'),
  taskId: textId,
  replayStartedAfterEventId: eventIdOrNull,
  live: z.literal(true),
  extensions,
});

/** First frame of a WebSocket that was granted `multiplex`. */
export const extensionsGrantedFrame = answer<ExtensionsGrantedFrame>()({
  type: z.literal('EXTENSIONS_GRANTED'),
  extensions: z.array(z.string()),
});

/** Ends one subscription of a WebSocket that was granted `multiplex`. */
export const subscriptionEndedFrame = answer<SubscriptionEndedFrame>()({
  type: z.literal('SUBSCRIPTION_ENDED'),
  taskId: z.string(),
  code: z.int().check(z.minimum(1000), z.maximum(4999)),
  reason: z.string(),
});

/** What an idle WebSocket sends. */
export const heartbeatFrame = answer<HeartbeatFrame>()({ type: z.literal('HEARTBEAT'), taskId: textId, live: z.literal(true) });

/** What an idle SSE stream sends. */
export const sseHeartbeatFrame = answer<SseHeartbeatFrame>()({
  type: z.literal('HEARTBEAT'),
  taskId: textId,
  eventId: textId,
  createdAt: timestamp,
  payload: z.strictObject({ live: z.literal(true), extensions }),
});

/** Tells a WebSocket client that its cursor could not be continued from. */
export const gapFrame = answer<GapFrame>()({
  type: z.literal('GAP'),
  taskId: textId,
  reason: gap.shape.reason,
  firstEventId: eventIdOrNull,
});

/** The same on SSE. */
export const sseGapFrame = answer<SseGapFrame>()({
  type: z.literal('GAP'),
  taskId: textId,
  eventId: textId,
  createdAt: timestamp,
  payload: gap,
});
