import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { PART_READ_BYTES_MIN, type PartTextResponse } from '../../machines/parts/index.ts';
import type { JsonLike, TaskTypesResponse } from '../../machines/contract/index.ts';
import { retryTaskRequest, type RetryTaskRequest, type TaskListRequest, type TaskListResponse } from '../../machines/lists/index.ts';
import {
  cancelTaskRequest,
  createTaskRequest,
  isCursor,
  limits,
  submitActionRequest,
  type CancelTaskResponse,
  type CreateTaskRequest,
  type CreateTaskResponse,
  type Fact,
  type JsonObject,
  type PollResponse,
  type SubmitActionRequest,
  type SubmitActionResponse,
  type TaskSnapshotResponse,
} from '../../machines/wire/index.ts';
import type { RouteDeps } from '../http/call.ts';
import { assertSound } from '../http/credentials.ts';
import { callerError } from '../http/error-response.ts';
import { assertBounds } from '../http/json-body.ts';
import { payloadTooLarge } from '../http/request-body.ts';
import { closeCode } from '../http/status.ts';
import { readStreamRequest } from '../http/stream-request.ts';
import { validate, validationError } from '../http/validation.ts';
import type { SocketSessions } from '../http/web-socket/index.ts';
import type { LiveHub } from '../live/hub.ts';
import type { LogRun } from '../live/log-read.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { PartRange } from '../parts/part-text.ts';
import type { OpenableAttachment } from '../task/service.ts';
import { snapshotResponse } from '../task/snapshot.ts';
import { createWithFiles } from './creation.ts';
import { FactStream, type FactOrGap, type FollowOptions } from './fact-stream.ts';
import { storeAttachments, type NewAttachment } from './new-attachments.ts';
import { taskPage } from './task-page.ts';
import { preparedReplay, type PreparedReplay, type SseOptions } from './prepared-replay.ts';

/** A task to create. Input and metadata default to `{}`; without its files it is at most `bodyBytesMax` as JSON, as for the route. */
export interface TaskCreation<I extends object = JsonObject> extends Omit<CreateTaskRequest, 'input'> {
  /** Any object that is JSON, interfaces too. */
  readonly input?: (I & JsonLike<I>) | undefined;
  /** Files, within the limits of a multipart request. */
  readonly attachments?: readonly NewAttachment[];
}

/** Where to read on. */
export interface ReadOptions {
  /** The id of the last fact that the caller has. Defaults to the start. */
  readonly after?: string | undefined;
}

/** One long poll. */
export interface PollOptions extends ReadOptions {
  /** Where nothing is there, wait that long for a fact, in milliseconds: 0 to 60 000. Defaults to 0. */
  readonly waitMs?: number;
  /** 1 to 500. Defaults to 100. */
  readonly maxEvents?: number;
  /** Ends the wait; the page is then the one that there is. */
  readonly signal?: AbortSignal;
}

/**
 * Tasks as verbs, without HTTP: the same service, policies, limits and shares as the routes. What else a host speaks stands on this.
 *
 * Every verb rejects with a `TaskBridgeError`, with the codes of the wire; what is none inside becomes `INTERNAL_ERROR`, and is logged.
 */
export interface HostTasks {
  /** The types that this caller may start, with the schemas of their contract. */
  types(): Promise<TaskTypesResponse>;
  /** Creates a task, or gives the one that this owner made with the same `clientRequestId`. */
  start<I extends object = JsonObject>(task: TaskCreation<I>): Promise<CreateTaskResponse>;
  /**
   * Starts a task that has ended again, as a new one: of its type, with its input and copies of its files, and what is left out here is that of the first.
   * Idempotent as {@link HostTasks.start} is, whatever has become of the first one meanwhile. Rejects with `TASK_NOT_FOUND`, and with `TASK_NOT_ENDED` for one that
   * has not.
   */
  retry(taskId: string, request: Omit<RetryTaskRequest, 'retryOf'>): Promise<CreateTaskResponse>;
  /** The task as its chart stands now. */
  get(taskId: string): Promise<TaskSnapshotResponse>;
  /**
   * A page of this owner's tasks, newest first, each as {@link HostTasks.get} gives it; go on with `nextAfter` until that is null. A page looks at 500
   * of them and reads 4 MiB at most, so that it may have fewer than asked for, or none.
   */
  list(request?: TaskListRequest): Promise<TaskListResponse>;
  /** A file that the task's work has made, to be opened: `attachments` of the task name them. Rejects with `TASK_NOT_FOUND` where there is none of that name. */
  attachment(taskId: string, name: string): Promise<OpenableAttachment>;
  /**
   * The text of a part, open or closed, from a place on: `parts` of the task name them, as do its facts. There is more where `to` is below `bytes`, and more to come where it is `open`.
   * Rejects with `TASK_NOT_FOUND` where there is no such part, with `REQUEST_VALIDATION_ERROR` for an offset that is beyond it, or within a character.
   */
  readPart(taskId: string, part: number, range?: Partial<PartRange>): Promise<PartTextResponse>;
  cancel(taskId: string, reason?: string): Promise<CancelTaskResponse>;
  /**
   * Removes a task that has ended, with its files; its `clientRequestId` is free then. Resolves where this owner has no such task (any more). Rejects
   * with `TASK_NOT_ENDED` for one that has not, or whose work has still to be told.
   */
  remove(taskId: string): Promise<void>;
  /** Answers a question, with at most `bodyBytesMax` as JSON. Rejections that the protocol knows are answers, not errors. */
  act(taskId: string, action: SubmitActionRequest): Promise<SubmitActionResponse>;
  /** A page of facts after a cursor, waiting for the first one if asked to. */
  poll(taskId: string, options?: PollOptions): Promise<PollResponse<Fact>>;
  /**
   * The facts after a cursor, once and in order: the log, then what comes, to the terminal one. Where the cursor cannot be continued from, a `GAP`
   * comes before the fact that follows it. Each iteration watches from its first `next` on and counts as one of this owner's viewers until
   * it ends; it holds `viewerBytesMax` and one fact at most, and reads on as they are taken. Ends without an error when `signal` aborts. Fails
   * where the log cannot be followed: come back with the last fact's id.
   */
  watch(taskId: string, options?: ReadOptions & FollowOptions): AsyncIterable<FactOrGap>;
  /** Checks and reads what a stream begins with, so that what is refused is refused before anything is written. */
  prepare(taskId: string, options?: ReadOptions): Promise<PreparedReplay>;
}

/**
 * Tasks as one caller may see and change them, as verbs and as streams on routes of the host's own. Every verb rejects with
 * `AUTHENTICATION_ERROR` once the credentials have ended.
 */
export interface CallerTasks extends HostTasks {
  /**
   * Answers a plain request with the task's stream. The cursor is that of the request (`Last-Event-ID`, else the query's `lastEventId`) where
   * none is given. A HEAD is answered without a stream. What it rejects with was thrown before anything was written: answer it, with `bridge.answerError` for one.
   */
  openSse(req: IncomingMessage, res: ServerResponse, taskId: string, options?: ReadOptions & SseOptions): Promise<void>;
  /**
   * Talks over a WebSocket that the host has accepted, as our route does: the client subscribes to tasks of this caller, and `extensions` come
   * from the request's query. To be called in the turn in which the socket was accepted, with the request that it came by. Throws nothing: a
   * socket that has no room, or is not open any more, is cut, one whose credentials have ended is closed with 1008. The host's server sets `maxPayload`.
   */
  openWebSocket(ws: WebSocket, req: IncomingMessage): void;
  /** Takes an upgrade on a route of the host's own, and talks over it. Throws nothing: what is refused gets an HTTP answer with the envelope, what was taken already is left alone. */
  acceptUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** What the access of every caller works with. */
export interface CallerTasksDeps extends Omit<RouteDeps, 'chance' | 'records' | 'unsent'> {
  readonly hub: LiveHub;
  readonly sockets: SocketSessions;
  /** Most facts of a page that is read beforehand. */
  readonly replayFactsMax: number;
}

/** Opens the tasks of one caller. Throws what `assertSound` does. */
export function createCallerTasks(deps: CallerTasksDeps, auth: AuthContext): CallerTasks {
  const { service, live, sockets, clock, logger } = deps;
  const tasks = createHostTasks(deps, auth);

  /** As on our route: all that is checked for a stream but the room for it. */
  async function openHead(req: IncomingMessage, res: ServerResponse, taskId: string, after: string | undefined): Promise<void> {
    assertCursor(after);
    await service.authorize(auth, taskId);
    await live.openSse({ req, res, auth, taskId, after, extensions: undefined });
  }

  return {
    ...tasks,
    openSse: (req, res, taskId, options = {}) =>
      guarded(deps, auth, async () => {
        const { after = readStreamRequest(req, req.url?.split('?')[1] ?? '').lastEventId, ...rest } = options;
        if (req.method === 'HEAD') return openHead(req, res, taskId, after);
        (await tasks.prepare(taskId, { after })).openSse(req, res, rest);
      }),
    openWebSocket(ws, req) {
      // From here on it is ours: what a refused peer still sends may be no frame, and an error that nobody hears would end the host's process.
      ws.on('error', () => undefined);
      try {
        assertSound(auth, clock);
        sockets.accept(ws, req, auth);
      } catch (thrown) {
        const { code } = callerError(thrown, logger);
        // As in a session: after a refusal for good a close, otherwise a cut, after which clients come back to this transport.
        if (closeCode[code] === 1008) ws.close(1008, code);
        else ws.terminate();
      }
    },
    acceptUpgrade(req, socket, head) {
      try {
        assertSound(auth, clock);
        sockets.checkOrigin(req, true);
        sockets.upgrade(req, socket, head, auth);
      } catch (thrown) {
        sockets.refuse(socket, thrown);
      }
    },
  };
}

/** What the verbs work with. */
export type HostTasksDeps = Omit<CallerTasksDeps, 'sockets'>;

/** Opens tasks as verbs. Throws what `assertSound` does. */
export function createHostTasks(deps: HostTasksDeps, auth: AuthContext): HostTasks {
  const { service, hub, live, replayFactsMax, clock } = deps;
  const assertCurrent = (): void => assertSound(auth, clock);
  assertCurrent();
  const verb = <T>(run: () => Promise<T>): Promise<T> => guarded(deps, auth, run);

  async function readFirst(taskId: string, after: string | undefined): Promise<LogRun> {
    assertCursor(after);
    await service.authorize(auth, taskId);
    hub.assertRoom(auth.subject);
    return hub.readFirst(taskId, after, replayFactsMax);
  }

  return {
    types: () => verb(() => service.types(auth)),
    start: (task) => verb(() => startTask(deps, auth, task)),
    retry: (retryOf, request) =>
      verb(async () => {
        const given = assertSize('The request', validate(retryTaskRequest, { ...request, retryOf }), deps);
        return service.retry(auth, { ...given, taskId: service.newTaskId(auth, given.clientRequestId) }, deps.uploadPolicy);
      }),
    get: (taskId) => verb(async () => snapshotResponse(await service.snapshot(auth, taskId))),
    attachment: (taskId, name) => verb(() => service.attachment(auth, taskId, name)),
    readPart: (taskId, part, range) => verb(async () => service.partText(auth, taskId, String(part), wholeRange(range))),
    list: (request) => verb(() => taskPage(service, auth, request)),
    cancel: (taskId, reason) => verb(async () => service.cancel(auth, taskId, validate(cancelTaskRequest, { reason }).reason ?? undefined)),
    remove: (taskId) => verb(() => service.remove(auth, taskId)),
    act: (taskId, action) =>
      verb(async () => service.act(auth, taskId, assertSize('The action', validate(submitActionRequest, action), deps))),
    poll: (taskId, options = {}) => verb(() => poll(deps, auth, taskId, options)),
    watch: (taskId, { after, ...options } = {}) => ({
      [Symbol.asyncIterator]: () =>
        new FactStream({ ...options, taskId, auth, after, hub, clock, readFirst: () => verb(() => readFirst(taskId, after)) }),
    }),
    prepare: (taskId, { after } = {}) =>
      verb(async () => preparedReplay({ taskId, auth, after, first: await readFirst(taskId, after), hub, live, clock, assertCurrent })),
  };
}

/** A verb of somebody whose credentials are good, and whose failures may be seen by anybody. */
async function guarded<T>({ clock, logger }: HostTasksDeps, auth: AuthContext, verb: () => Promise<T>): Promise<T> {
  try {
    assertSound(auth, clock);
    return await verb();
  } catch (thrown) {
    throw callerError(thrown, logger);
  }
}

async function startTask(
  deps: HostTasksDeps,
  auth: AuthContext,
  { attachments = [], ...body }: Omit<TaskCreation, 'input'> & { readonly input?: unknown },
): Promise<CreateTaskResponse> {
  const { input = {}, metadata = {}, ...texts } = assertSize('The task', validate(createTaskRequest, body), deps);
  // Before its files are read; else a repeat is told from a refusal first.
  if (attachments.length > 0) deps.service.assertHandled(auth, texts.taskType, texts.clientRequestId);
  const taskId = deps.service.newTaskId(auth, texts.clientRequestId);
  const { references, discard } = await storeAttachments(taskId, attachments, deps);
  return createWithFiles({ taskId, discard }, () =>
    deps.service.create(auth, { ...texts, taskId, input, metadata, attachments: references }, deps.uploadPolicy),
  );
}

async function poll(
  { service, live }: HostTasksDeps,
  auth: AuthContext,
  taskId: string,
  options: PollOptions,
): Promise<PollResponse<Fact>> {
  const { after, waitMs = 0, maxEvents = 100, signal } = options;
  assertCursor(after);
  assertWithin('waitMs', waitMs, 0, limits.pollWaitMsMax);
  assertWithin('maxEvents', maxEvents, 1, limits.pollEventsMax);
  await service.authorize(auth, taskId, true);
  const {
    entries,
    source: _,
    ...page
  } = await live.poll(taskId, {
    owner: auth.subject,
    auth,
    expiresAt: auth.expiresAt,
    after,
    waitMs,
    maxEvents,
    signal,
  });
  return { taskId, events: entries.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString('utf8')) as Fact), ...page };
}

/** What a route would not have taken as its body: stores and every reader of the task would have to carry it. */
function assertSize<T extends object>(what: string, request: T, { options }: HostTasksDeps): T {
  const bytes = Buffer.from(JSON.stringify(request));
  if (bytes.length > options.bodyBytesMax) throw payloadTooLarge(what, options.bodyBytesMax);
  assertBounds(bytes, { valuesMax: options.bodyValuesMax, nestingMax: limits.nestingMax + 1 });
  return request;
}

function wholeRange({ offset = 0, limit = limits.partReadBytesMax / 2 }: Partial<PartRange> = {}): PartRange {
  assertWithin('offset', offset, 0, limits.partBytesMax);
  assertWithin('limit', limit, PART_READ_BYTES_MIN, limits.partReadBytesMax);
  return { offset, limit };
}

function assertCursor(after: string | undefined): void {
  if (after === undefined || isCursor(after)) return;
  throw validationError([{ path: 'after', reason: 'must be an event id like "12-1790000000000", "" or "0-0"' }]);
}

function assertWithin(path: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw validationError([{ path, reason: `must be a whole number from ${least} to ${most}` }]);
}
