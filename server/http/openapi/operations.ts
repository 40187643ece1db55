import type * as z from 'zod/mini';
import { taskListQuery } from '../../../machines/lists/index.ts';
import type { RoutePaths } from '../../../machines/routes/index.ts';
import { partTextQuery } from '../../../machines/parts/index.ts';
import { pollQuery, sharedStreamQuery, streamQuery } from '../../../machines/wire/index.ts';
import type { SchemaName } from './document-schemas.ts';

/** One row of the protocol's table. Source: protocol, "Requests" and "Errors". */
export interface Operation {
  readonly summary: string;
  readonly description?: string;
  /** What its query is checked by. */
  readonly query?: z.ZodMiniObject;
  /** The cursor may come as `Last-Event-ID`, too. */
  readonly takesCursorHeader?: true;
  /** What it makes stands in the trace of its request. */
  readonly takesTrace?: true;
  readonly body?: RequestBody;
  /** Answers that are no errors, by status. */
  readonly answers: Readonly<Record<number, OperationAnswer>>;
  /** Statuses of the envelope, beside those that any route may answer. */
  readonly errors: readonly number[];
  /** Anybody may ask. */
  readonly isOpen?: true;
}

/** What a request has in its body. */
export interface RequestBody {
  readonly schema: SchemaName;
  /** It may be of this one, too. */
  readonly otherSchema?: SchemaName;
  readonly isOptional?: true;
  /** It may be a form with files, too. */
  readonly takesFiles?: true;
}

/** What an answer has in its body, if anything. */
export interface OperationAnswer {
  readonly description: string;
  readonly schema?: SchemaName;
  /** It is a stream of server-sent events, whose data are of the schema. */
  readonly isStream?: true;
  /** It is a file, of any type. */
  readonly isFile?: true;
  /** Its `taskId` is one for the routes of a task. */
  readonly hasTaskId?: true;
}

/** All routes, in the order of the protocol's table. */
export const operations: Readonly<Record<keyof RoutePaths, Operation>> = {
  create: {
    summary: 'Create a task',
    description:
      'Idempotent by `clientRequestId`: the same request again is answered 200. Files come as `attachment` or `attachments` of a form, whose other fields are text (`input`, `metadata` and `labels` as JSON).',
    takesTrace: true,
    body: { schema: 'CreateTaskRequest', otherSchema: 'RetryTaskRequest', takesFiles: true },
    answers: {
      200: { description: 'This request made it before.', schema: 'CreateTaskResponse', hasTaskId: true },
      201: { description: 'A new task.', schema: 'CreateTaskResponse', hasTaskId: true },
    },
    errors: [404, 409, 413, 422],
  },
  list: {
    summary: "List the caller's tasks, newest first",
    query: taskListQuery,
    answers: { 200: { description: 'A page; `nextAfter` says where to go on.', schema: 'TaskListResponse' } },
    errors: [422],
  },
  types: {
    summary: 'List the types of tasks that the caller may create',
    answers: { 200: { description: 'Types, with JSON Schemas where there is a contract.', schema: 'TaskTypesResponse' } },
    errors: [],
  },
  task: {
    summary: 'Get a task as it stands',
    answers: { 200: { description: 'Its snapshot.', schema: 'TaskSnapshot' } },
    errors: [404],
  },
  remove: {
    summary: 'Remove a task that has ended',
    answers: { 204: { description: 'The caller has no such task, whether he had one or not.' } },
    errors: [404, 409],
  },
  events: {
    summary: 'Poll facts after a cursor',
    description: 'Waits up to `waitTimeoutMs` for the first one.',
    query: pollQuery,
    answers: { 200: { description: 'A page of facts.', schema: 'PollResponse' } },
    errors: [404, 422],
  },
  stream: {
    summary: 'Stream facts as server-sent events',
    query: streamQuery,
    takesCursorHeader: true,
    answers: {
      200: { description: 'Facts as they come, with their ids; heartbeats between.', schema: 'StreamFrame', isStream: true },
      204: { description: 'The cursor is at the end of the log already.' },
    },
    errors: [404, 422],
  },
  sharedStream: {
    summary: 'Stream facts of many tasks as server-sent events',
    query: sharedStreamQuery,
    answers: { 200: { description: 'Facts of all of them as they come; no frame has an id.', schema: 'StreamFrame', isStream: true } },
    errors: [422],
  },
  attachment: {
    summary: "Download a file that a task's work has made",
    description: 'Takes one `Range`, with `If-Range`.',
    answers: {
      200: { description: 'The whole file.', isFile: true },
      206: { description: 'A range of it.', isFile: true },
      416: { description: 'The range is beyond its end.' },
    },
    errors: [404],
  },
  part: {
    summary: 'Read the text of a part',
    description: 'Between two places in bytes of UTF-8, of an open or a closed one. There is more where `to` is below `bytes`.',
    query: partTextQuery,
    answers: { 200: { description: 'What it has there, as whole characters.', schema: 'PartTextResponse' } },
    errors: [404, 422],
  },
  cancel: {
    summary: 'Ask that a task is cancelled',
    body: { schema: 'CancelTaskRequest', isOptional: true },
    answers: { 202: { description: 'It was told, or had ended.', schema: 'CancelTaskResponse' } },
    errors: [404, 413, 422],
  },
  actions: {
    summary: 'Answer a question of a task',
    description: 'Idempotent by `clientActionId`.',
    body: { schema: 'SubmitActionRequest' },
    answers: {
      200: { description: 'The same action was taken before.', schema: 'SubmitActionResponse' },
      202: { description: 'What became of it.', schema: 'SubmitActionResponse' },
    },
    errors: [404, 409, 413, 422],
  },
  webSocket: {
    summary: 'Open a WebSocket, for one task or for many',
    description: 'What is said on it is in `asyncapi.json`. Without an upgrade it is 400.',
    answers: { 101: { description: 'The socket is open.' } },
    errors: [],
  },
  openapi: {
    summary: 'Get this document',
    answers: { 200: { description: 'OpenAPI 3.1, with the paths of this host.' } },
    errors: [],
  },
  health: {
    summary: 'Ask whether the process lives',
    answers: { 200: { description: 'It does.', schema: 'Health' } },
    errors: [],
    isOpen: true,
  },
  ready: {
    summary: 'Ask whether it can serve',
    answers: {
      200: { description: 'It can.', schema: 'Readiness' },
      503: { description: 'A probe failed, or it is closing.', schema: 'Readiness' },
    },
    errors: [],
    isOpen: true,
  },
};

/** What any route but the open ones may answer. */
export const commonErrors: readonly number[] = [400, 401, 403, 429, 500, 503];
