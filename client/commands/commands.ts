import type {
  ActionStatus,
  CancelTaskResponse,
  CreateTaskResponse,
  JsonObject,
  SubmitActionResponse,
  TaskSnapshotResponse,
} from '../../machines/index.ts';
import { freshId } from '../clock.ts';
import { TaskBridgeClientError } from '../errors.ts';
import type { ClientSettings } from '../options.ts';
import { assertTaskId } from '../routes.ts';
import type { Requester } from './requester.ts';

/** A file that goes with a new task. It is sent again at every try, so bytes or a `Blob`, not a stream. */
export interface Attachment {
  readonly fileName: string;
  /** Defaults to `application/octet-stream`. */
  readonly contentType?: string;
  readonly content: Uint8Array | Blob;
}
/** What to start. */
export interface StartRequest {
  readonly taskType: string;
  /** Defaults to `{}`. */
  readonly input?: JsonObject;
  readonly metadata?: JsonObject;
  /** The same id, type, input and attachments never start a second task. Defaults to a fresh one. */
  readonly clientRequestId?: string;
  readonly attachments?: readonly Attachment[];
}
/** An answer to a question. */
export interface ActRequest {
  readonly suspendId: string;
  readonly actionType: string;
  /** Defaults to `{}`. */
  readonly payload?: JsonObject;
  readonly metadata?: JsonObject;
  /** Defaults to a fresh one, kept for the same answer until there is a receipt. */
  readonly clientActionId?: string;
}
/** What every command takes besides. */
export interface CommandOptions {
  readonly signal?: AbortSignal;
}

/** The calls that are no observation. All reject with a `TaskBridgeClientError` only. */
export interface Commands {
  start(request: StartRequest, options?: CommandOptions): Promise<CreateTaskResponse>;
  act(taskId: string, request: ActRequest, options?: CommandOptions): Promise<SubmitActionResponse>;
  cancel(taskId: string, reason?: string, options?: CommandOptions): Promise<CancelTaskResponse>;
  get(taskId: string, options?: CommandOptions): Promise<TaskSnapshotResponse>;
}

/** The commands, and what observations ask for beside them. */
export interface InnerCommands extends Commands {
  /** {@link Commands.get} without another try or a refresh. */
  probe(taskId: string, signal: AbortSignal): Promise<TaskSnapshotResponse>;
}

/** Called with every receipt, so that observations know what was answered here. */
export type ReceiptListener = (taskId: string, suspendId: string, status: ActionStatus) => void;

/** Puts commands into the shape of the wire. */
export function createCommands({ routes, chance }: ClientSettings, requester: Requester, onReceipt: ReceiptListener): InnerCommands {
  const unanswered = new Map<string, string>();

  return {
    async start({ taskType, input = {}, metadata, clientRequestId = freshId(chance), attachments = [] }, { signal } = {}) {
      const fields = { clientRequestId, taskType, input, ...(metadata && { metadata }) };
      const body = attachments.length > 0 ? toForm(fields, attachments) : fields;
      return read<CreateTaskResponse>(await requester.send({ method: 'POST', route: routes.tasks(), body, signal }), 'taskId', 'status');
    },

    async act(taskId, { suspendId, actionType, payload = {}, metadata, clientActionId }, { signal } = {}) {
      assertTaskId(taskId);
      const answer = { suspendId, actionType, payload, ...(metadata && { metadata }) };
      // A caller that tries again after a failure means the same answer: the server then takes it once.
      const key = JSON.stringify([taskId, answer]);
      const id = clientActionId ?? unanswered.get(key) ?? freshId(chance);
      if (clientActionId === undefined) remember(unanswered, key, id);
      const body = { clientActionId: id, ...answer };
      const response = read<SubmitActionResponse>(
        await requester.send({ method: 'POST', route: routes.actions(taskId), body, signal }),
        'status',
      );
      unanswered.delete(key);
      onReceipt(taskId, suspendId, response.status);
      return response;
    },

    async cancel(taskId, reason, { signal } = {}) {
      assertTaskId(taskId);
      const body = reason === undefined ? {} : { reason };
      return read<CancelTaskResponse>(await requester.send({ method: 'POST', route: routes.cancel(taskId), body, signal }), 'status');
    },

    async get(taskId, { signal } = {}) {
      assertTaskId(taskId);
      return readSnapshot(await requester.send({ method: 'GET', route: routes.task(taskId), signal }));
    },

    async probe(taskId, signal) {
      return readSnapshot(await requester.send({ method: 'GET', route: routes.task(taskId), signal, isProbe: true }));
    },
  };
}

const readSnapshot = (body: { readonly [key: string]: unknown }): TaskSnapshotResponse =>
  read<TaskSnapshotResponse>(body, 'taskId', 'status', 'state');

const UNANSWERED_MAX = 1000;

function remember(unanswered: Map<string, string>, key: string, id: string): void {
  unanswered.set(key, id);
  if (unanswered.size <= UNANSWERED_MAX) return;
  for (const oldest of unanswered.keys()) {
    unanswered.delete(oldest);
    return;
  }
}

/** Sees that the fields that make the answer usable are text; other servers may leave out the rest. */
function read<T>(body: { readonly [key: string]: unknown }, ...texts: readonly (keyof T & string)[]): T {
  for (const name of texts)
    if (typeof body[name] !== 'string') throw new TaskBridgeClientError('INVALID_RESPONSE', `The answer has no text field "${name}".`);
  // Checked above as far as we rely on it; enums stay open, since newer servers may know more values.
  return body as T;
}

function toForm(fields: Readonly<Record<string, string | JsonObject>>, attachments: readonly Attachment[]): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, typeof value === 'string' ? value : JSON.stringify(value));
  for (const { fileName, contentType = 'application/octet-stream', content } of attachments) {
    // A Uint8Array over a shared buffer is no BlobPart by type, but every platform copies it.
    const blob =
      content instanceof Blob ? content.slice(0, content.size, contentType) : new Blob([content as BlobPart], { type: contentType });
    form.append('attachments', blob, fileName);
  }
  return form;
}
