import type { JsonLike } from '../../machines/contract/index.ts';
import type { PartTextResponse } from '../../machines/parts/index.ts';
import type { RetryTaskRequest, TaskListRequest, TaskListResponse } from '../../machines/lists/index.ts';
import type {
  ActionStatus,
  CancelTaskResponse,
  CreateTaskResponse,
  JsonObject,
  SubmitActionResponse,
  TaskSnapshotResponse,
} from '../../machines/wire/index.ts';
import type { CallContext } from '../auth/credentials.ts';
import { freshId } from '../clock.ts';
import { callHook, hookFault } from '../hooks.ts';
import { refuseRest } from '../known-options.ts';
import type { ClientSettings } from '../options.ts';
import { assertTaskId } from '../routes.ts';
import type { HttpClient } from './http-client.ts';
import { createUpload, type Attachment, type UploadListener, type UploadProgress } from './upload.ts';

/** What to start. */
export interface StartRequest<I extends object = JsonObject> {
  readonly taskType: string;
  /** Defaults to `{}`. Any object that is JSON, interfaces too. */
  readonly input?: I & JsonLike<I>;
  readonly metadata?: JsonObject;
  /** What people call the task: at most 256 characters. Not compared. */
  readonly title?: string;
  /** Words by which it is found again: at most 16, each once and of at most 64 characters. Not compared. */
  readonly labels?: readonly string[];
  /** The same id, type, input and attachments never start a second task. Defaults to a fresh one. */
  readonly clientRequestId?: string;
  readonly attachments?: readonly Attachment[];
}
/** An answer to a question. */
export interface ActRequest<P extends object = JsonObject> {
  readonly suspendId: string;
  readonly actionType: string;
  /** Defaults to `{}`. Any object that is JSON, interfaces too. */
  readonly payload?: P & JsonLike<P>;
  readonly metadata?: JsonObject;
  /** Defaults to a fresh one, kept for the same answer until there is a receipt. */
  readonly clientActionId?: string;
}
/** What every command takes besides. */
export interface CommandOptions {
  readonly signal?: AbortSignal;
  /** Handed to `auth` and `routes`. */
  readonly context?: CallContext;
}
/** What a start takes besides. */
export interface StartOptions extends CommandOptions {
  /**
   * Told how far the attachments came. The time-out of a try begins anew with every such step. Needs a `fetch` that takes streams (Node), or
   * an `XMLHttpRequest` (browsers, where `fetch` was not replaced); elsewhere it is not called.
   */
  readonly onUpload?: UploadListener;
}

/** What may be other than it was for the first. */
export type RetryRequest = Partial<Omit<RetryTaskRequest, 'retryOf'>>;

/**
 * The calls that are no observation. All reject with a `TaskBridgeClientError` only: with code `INVALID_ARGUMENT` for what is no field of their request and no
 * option, by its name.
 */
export interface Commands {
  start<I extends object = JsonObject>(request: StartRequest<I>, options?: StartOptions): Promise<CreateTaskResponse>;
  /**
   * Starts a task that has ended again, as a new one: of its type, with its input and files. What is left out is that of the first, and the
   * `clientRequestId` a fresh one. Rejects with `TASK_NOT_ENDED` for one that has not.
   */
  retry(taskId: string, request?: RetryRequest, options?: CommandOptions): Promise<CreateTaskResponse>;
  act<P extends object = JsonObject>(taskId: string, request: ActRequest<P>, options?: CommandOptions): Promise<SubmitActionResponse>;
  cancel(taskId: string, reason?: string, options?: CommandOptions): Promise<CancelTaskResponse>;
  get(taskId: string, options?: CommandOptions): Promise<TaskSnapshotResponse>;
  /**
   * Removes a task that has ended, with its files, and forgets what was kept to observe it. Resolves where there is no such task (any more); rejects
   * with `TASK_NOT_ENDED` for one that has not.
   */
  remove(taskId: string, options?: CommandOptions): Promise<void>;
  /**
   * A page of the caller's tasks, newest first, each as {@link Commands.get} gives it. Go on with `nextAfter` until that is null: a page may have fewer
   * tasks than it may, or none, though more follow.
   */
  list(request?: TaskListRequest, options?: CommandOptions): Promise<TaskListResponse>;
}

/** The commands, and what observations ask for beside them. */
export interface InnerCommands extends Commands {
  /** {@link Commands.get} without another try or a refresh. */
  probe(taskId: string, options: CommandOptions): Promise<TaskSnapshotResponse>;
  /** The text of a part from a place on, as much as a server gives at once. What may pass is tried again until the signal aborts. */
  readPart(taskId: string, part: number, offset: number, options: CommandOptions): Promise<PartTextResponse>;
}

/** Called with every receipt, so that observations know what was answered here. */
export type ReceiptListener = (taskId: string, suspendId: string, status: ActionStatus) => void;

/** Puts commands into the shape of the wire. */
export function createCommands(settings: ClientSettings, http: HttpClient, onReceipt?: ReceiptListener): InnerCommands {
  const { routes, chance } = settings;
  const unanswered = new Map<string, string>();
  const snapshotOf = (taskId: string, context: CallContext | undefined) =>
    ({ method: 'GET', route: routes.task(taskId, context), expects: [...started, 'state'], defaults: snapshotDefaults, context }) as const;

  return {
    start: async (request, options = {}) => start(request, options, settings, http),

    async retry(retryOf, { clientRequestId = freshId(chance), metadata, title, labels, ...rest } = {}, { signal, context } = {}) {
      assertTaskId(retryOf);
      refuseRest(rest);
      const body = { clientRequestId, retryOf, metadata, title, labels };
      const [route, defaults] = [routes.tasks(context), { clientRequestId, deduplicated: false }];
      return http.send<CreateTaskResponse>({ method: 'POST', route, body, expects: started, defaults, signal, context });
    },

    async act(taskId, { suspendId, actionType, payload = {}, metadata, clientActionId, ...rest }, { signal, context } = {}) {
      assertTaskId(taskId);
      refuseRest(rest);
      const answer = { suspendId, actionType, payload, ...(metadata && { metadata }) };
      // A caller that tries again after a failure means the same answer: the server then takes it once.
      const key = JSON.stringify([taskId, answer]);
      const id = clientActionId ?? unanswered.get(key) ?? freshId(chance);
      if (clientActionId === undefined) remember(unanswered, key, id);
      const body = { clientActionId: id, ...answer };
      const [route, defaults] = [routes.actions(taskId, context), { taskId, suspendId, clientActionId: id }];
      const response = await http.send<SubmitActionResponse>({ method: 'POST', route, body, expects, defaults, signal, context });
      unanswered.delete(key);
      onReceipt?.(taskId, suspendId, response.status);
      return response;
    },

    async cancel(taskId, reason, { signal, context } = {}) {
      assertTaskId(taskId);
      const [route, body] = [routes.cancel(taskId, context), reason === undefined ? {} : { reason }];
      return http.send<CancelTaskResponse>({ method: 'POST', route, body, expects, defaults: { taskId }, signal, context });
    },

    async get(taskId, { signal, context } = {}) {
      assertTaskId(taskId);
      return http.send<TaskSnapshotResponse>({ ...snapshotOf(taskId, context), signal });
    },

    async remove(taskId, { signal, context } = {}) {
      assertTaskId(taskId);
      await http.send({ method: 'DELETE', route: routes.remove(taskId, context), expects: [], signal, context });
    },

    async list({ type, state, label, after, limit, ...rest } = {}, { signal, context } = {}) {
      refuseRest(rest);
      const query = formOf(givenOf({ type, state, label, after, limit }));
      const [route, defaults] = [routes.list(context), { nextAfter: null }];
      return http.send<TaskListResponse>({ method: 'GET', route, query, expects: [], list: 'tasks', defaults, signal, context });
    },

    async probe(taskId, { signal, context }) {
      return http.send<TaskSnapshotResponse>({ ...snapshotOf(taskId, context), signal, retriesMax: 0 });
    },
    async readPart(taskId, part, offset, { signal, context }) {
      const [route, query] = [routes.part(taskId, part, context), { offset: String(offset) }];
      return http.send<PartTextResponse>({ method: 'GET', route, query, expects: ['text'], signal, context, retriesMax: Infinity });
    },
  };
}

const expects = ['status'] as const;

/** Sends a create: as a form where there are files. */
function start<I extends object>(
  request: StartRequest<I>,
  options: StartOptions,
  settings: ClientSettings,
  http: HttpClient,
): Promise<CreateTaskResponse> {
  const { routes, chance, streamsUploads: streams, attachmentField: field, onReport } = settings;
  const { taskType, input = {}, metadata, title, labels, clientRequestId = freshId(chance), attachments = [], ...rest } = request;
  refuseRest(rest);
  const { signal, context, onUpload } = options;
  const common = { method: 'POST', expects: started, defaults: { clientRequestId, deduplicated: false }, signal, context } as const;
  const given = givenOf({ clientRequestId, taskType, input, metadata, title, labels });
  if (attachments.length === 0) return http.send({ ...common, route: routes.tasks(context), body: Object.fromEntries(given) });
  const onProgress = onUpload && ((progress: UploadProgress) => callHook(() => onUpload(progress), hookFault(onReport, 'onUpload')));
  const upload = createUpload({ fields: formOf(given), field, attachments, onProgress, streams, chance });
  return http.send({ ...common, route: routes.tasksWithAttachments(context), upload });
}

/** What is given of some fields. */
function givenOf(fields: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(fields).filter(([, value]) => value != null);
}

/** Fields as texts, of a form or a query. */
function formOf(given: readonly [string, unknown][]): Record<string, string> {
  return Object.fromEntries(given.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
}
const started = ['taskId', 'status'] as const;
const snapshotDefaults = { progress: null, suspensions: [], firstEventId: null, lastEventId: null } as const;

const UNANSWERED_MAX = 1000;

function remember(unanswered: Map<string, string>, key: string, id: string): void {
  unanswered.set(key, id);
  const [oldest = ''] = unanswered.keys();
  if (unanswered.size > UNANSWERED_MAX) unanswered.delete(oldest);
}
