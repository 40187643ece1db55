import type { Readable } from 'node:stream';
import type { TaskAttachment, TaskListQuery } from '../../machines/lists/index.ts';
import type { PartTextResponse } from '../../machines/parts/index.ts';
import type { TaskTypesResponse } from '../../machines/contract/index.ts';
import type {
  ActionStatus,
  CancelTaskResponse,
  CreateTaskResponse,
  JsonObject,
  SubmitActionRequest,
  SubmitActionResponse,
  TaskSnapshotResponse,
} from '../../machines/wire/index.ts';
import type { AttachmentReference } from '../ports/attachments.ts';
import type { AuthContext, UploadPolicy } from '../ports/auth.ts';
import type { PartRange } from '../parts/part-text.ts';
import type { TraceContext } from '../ports/tracing.ts';
import type { TaskAbout } from './about.ts';

export type { ActionStatus };

/** A request to create a task, checked. Attachments are already in the attachment store, under keys that begin with `taskId`. */
export interface NewTaskRequest {
  readonly taskId: string;
  readonly clientRequestId: string;
  readonly taskType: string;
  readonly input: JsonObject;
  readonly metadata: JsonObject;
  readonly title?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  /** Where the request stands in its caller's trace. */
  readonly trace?: TraceContext | undefined;
  readonly attachments: readonly AttachmentReference[];
}

/** A request to start a task that has ended again, checked. What is left out is that of the first. */
export interface TaskRetryRequest {
  /** Of the new one. */
  readonly taskId: string;
  readonly clientRequestId: string;
  /** The task that has ended. */
  readonly retryOf: string;
  readonly metadata?: JsonObject | undefined;
  readonly title?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  /** Where the request stands in its caller's trace. */
  readonly trace?: TraceContext | undefined;
}

/** A task as its chart stands now. What people and work wrote is the JSON that was committed: it may be large, and is mostly passed on as it is. */
export interface CommittedSnapshot extends Omit<TaskSnapshotResponse, keyof CommittedJson> {
  readonly json: CommittedJson;
}

/** The fields of a snapshot that are kept as JSON. */
export interface CommittedJson {
  readonly result?: Buffer;
  readonly input?: Buffer;
  readonly metadata?: Buffer;
}

/** A file that work has made, to be read. */
export interface OpenableAttachment extends TaskAttachment {
  /** Rejects with `TASK_NOT_FOUND` where it is gone by then, with `STORE_UNAVAILABLE` where it cannot be had. */
  open(): Promise<Readable>;
}

/** One step through a list. */
export interface ListStep {
  /** A task of the page, as {@link CommittedSnapshot} is answered; absent in the step that ends the list, or the look. */
  readonly json?: Buffer;
  /** Where to go on after this step; null where nothing is left. */
  readonly nextAfter: string | null;
}

/** What callers may do with tasks; every route and socket goes through here. All throw `TaskBridgeError` only. */
export interface TaskService {
  /** Makes the id of a task that this caller is about to create: bucket first. */
  newTaskId(auth: AuthContext, clientRequestId: string): string;
  /** Refuses (422) a type that no executor handles, before the rest of its create has come. */
  assertHandled(auth: AuthContext, taskType: string, clientRequestId: string | undefined): void;
  /**
   * Refuses (422) a type that no executor handles and an input that its type does not take, unless it is a repeat of a create that was taken.
   * `uploads`, where there is one, is asked about the files first; what it refuses is a denied create as any other.
   */
  create(auth: AuthContext, request: NewTaskRequest, uploads?: UploadPolicy): Promise<CreateTaskResponse>;
  /**
   * Starts a task that has ended again, as a new one of its type, with its input and copies of its files; the policies of a create are asked. Throws
   * `TASK_NOT_FOUND` for one that this caller may not change, and `TASK_NOT_ENDED`, unless it is a repeat of one that was taken.
   */
  retry(auth: AuthContext, request: TaskRetryRequest, uploads?: UploadPolicy): Promise<CreateTaskResponse>;
  /** The types that this caller may create, as far as the host's policy says so without a task's metadata. */
  types(auth: AuthContext): Promise<TaskTypesResponse>;
  /**
   * For whoever wants to see a task. Throws `TASK_NOT_FOUND` for an unknown task and for a foreign one. `isReadNext` is for who reads its log then, and
   * finds out there where it is gone: whose it was never changes, and is asked for once.
   */
  authorize(auth: AuthContext, taskId: string, isReadNext?: boolean): Promise<TaskAbout>;
  /** Its log could not be shown on: whoever comes next is told what the store says of it. */
  forget(taskId: string): void;
  snapshot(auth: AuthContext, taskId: string): Promise<CommittedSnapshot>;
  /**
   * The tasks of this caller, newest first, as a page, one after the other: a task that cannot be read is not on it, nor is one that the host's policy
   * does not show him.
   */
  list(auth: AuthContext, query: TaskListQuery): AsyncIterator<ListStep, void, undefined>;
  /**
   * The text of a part between two places. Throws `TASK_NOT_FOUND`, also for a part that is not there, and `REQUEST_VALIDATION_ERROR` for an offset that is
   * beyond it or within a character.
   */
  partText(auth: AuthContext, taskId: string, partNumber: string, range: PartRange): Promise<PartTextResponse>;
  /** A file that the task's work has made. Throws `TASK_NOT_FOUND`, also for a file that is not there. */
  attachment(auth: AuthContext, taskId: string, name: string): Promise<OpenableAttachment>;
  cancel(auth: AuthContext, taskId: string, reason: string | undefined): Promise<CancelTaskResponse>;
  /**
   * Removes a task that has ended, with its files, its name and its request key. Resolves where this caller sees no such task; throws `TASK_NOT_ENDED`, and
   * `TASK_NOT_FOUND` where he may see it and not change it.
   */
  remove(auth: AuthContext, taskId: string): Promise<void>;
  act(auth: AuthContext, taskId: string, action: SubmitActionRequest): Promise<SubmitActionResponse>;
}
