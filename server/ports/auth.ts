import type { IncomingMessage } from 'node:http';
import type { JsonObject } from '../../machines/wire/index.ts';
import type { TaskAbout } from '../task/about.ts';
import type { AttachmentReference } from './attachments.ts';

/**
 * What stands in the path of a request where its route or the prefix has names, by name and decoded; the task's id is none of them. A caller
 * wrote it: any text but the empty one, with `/`, `..` and control characters. It has no prototype, and is as long as Node lets a request's
 * head be (16 KiB by default).
 */
export type PathParams = Readonly<Record<string, string>>;

/** Who is asking. */
export interface AuthContext {
  /** The owner of the tasks that this caller creates. */
  readonly subject: string;
  /** What the credentials were given for, such as `tasks:read`; see `requireScopes` of `taskbridge/server/access`. A list: a text is a fault. */
  readonly scopes?: readonly string[];
  /** The application that asks for the subject, where the credentials name one. */
  readonly appId?: string;
  /** Whatever else the host's policies decide by. */
  readonly attributes?: JsonObject;
  /**
   * When the credentials end, in milliseconds since the epoch; live streams are cut then, so that clients come back with new ones. Anything but
   * a finite number is a fault of the resolver's, and answered 500.
   */
  readonly expiresAt?: number;
  /** Put here by the router when the resolver has answered; of a WebSocket, those of its upgrade. What a resolver says is written over. */
  readonly params?: PathParams;
}

/**
 * Finds out who is asking: for HTTP, SSE and upgrades alike. Undefined or a throw of `TaskBridgeError('AUTHENTICATION_ERROR')` is
 * answered 401, one of `TaskBridgeError('STORE_UNAVAILABLE')`, where that cannot be known now, 503; any other throw is 500
 * and logged. `route.params` are those of the path; where it is no route, as far as it is known.
 */
export type AuthContextResolver = (
  request: IncomingMessage,
  route: { readonly params: PathParams },
) => Promise<AuthContext | undefined> | AuthContext | undefined;

/** What a caller wants of a task: to see it (snapshot, poll, stream, socket), or to change it (answer, cancel, remove). */
export type TaskAccess = 'read' | 'write';

/**
 * Who may do what. The default lets anybody create, and only the owner see and change; ready ones are in `taskbridge/server/access`. A stream
 * or socket is asked about once, when it is opened.
 */
export interface OwnershipPolicy {
  /** Gives the text of the 403 (`TASK_OWNERSHIP_ERROR`), or undefined to allow. Defaults to allowing. */
  refuseCreate?(
    auth: AuthContext,
    task: { readonly taskType: string; readonly metadata: JsonObject },
  ): Promise<string | undefined> | string | undefined;
  /** False is answered like a task that does not exist, whatever is wanted of it. Defaults to the owner alone. */
  allowAccess?(auth: AuthContext, about: TaskAbout, access: TaskAccess): Promise<boolean> | boolean;
}

/** Which files may be uploaded, beyond sizes and types. Called before each task is created, with an empty list where there are no files. */
export interface UploadPolicy {
  /** Gives the text of the 400 (`UPLOAD_VALIDATION_ERROR`), or undefined to allow. */
  refuseUpload(auth: AuthContext, attachments: readonly AttachmentReference[]): Promise<string | undefined> | string | undefined;
}

/** Which answers may be given. Called before anything is written. */
export interface ActionValidationPolicy {
  /** Gives the text of the 400 (`INVALID_REQUEST`), or undefined to allow. */
  refuseAction(
    auth: AuthContext,
    about: TaskAbout,
    action: { readonly suspendId: string; readonly actionType: string; readonly payload: JsonObject; readonly metadata: JsonObject },
  ): Promise<string | undefined> | string | undefined;
}
