/**
 * The paths of the protocol. A segment is plain text, or a `:name` that stands for any one segment; `:taskId` is the task's. All but
 * `health` and `ready` stand below the prefix.
 */
export interface RoutePaths {
  /** `POST`: a new task, as JSON or with files. Defaults to `/tasks`; `/` is the prefix itself. */
  readonly create: string;
  /** `GET`: the caller's tasks. Defaults to the path of `create`. */
  readonly list: string;
  /** `GET`: the types of tasks that the caller may create. Defaults to `/tasks/types`. */
  readonly types: string;
  /** `GET`: the task as it stands. Defaults to `/tasks/:taskId`. */
  readonly task: string;
  /** `DELETE`: a task that has ended. Defaults to the path of `task`. */
  readonly remove: string;
  /** `GET`: a file that the task's work has made. Defaults to `/tasks/:taskId/attachments/:attachmentName`; has both names. */
  readonly attachment: string;
  /** `GET`: the text of a part. Defaults to `/tasks/:taskId/parts/:partNumber`; has both names. */
  readonly part: string;
  /** `GET`: a page of facts, or a wait for one. Defaults to `/tasks/:taskId/events`. */
  readonly events: string;
  /** `GET`: server-sent events. Defaults to `/tasks/:taskId/events/stream`. */
  readonly stream: string;
  /** `GET`: server-sent events of many tasks. Defaults to `/tasks/events/stream`. */
  readonly sharedStream: string;
  /** `POST`. Defaults to `/tasks/:taskId/cancel`. */
  readonly cancel: string;
  /** `POST`: answers to questions. Defaults to `/tasks/:taskId/actions`. */
  readonly actions: string;
  /** Where WebSockets are opened, for any task. Defaults to `/tasks/ws`. */
  readonly webSocket: string;
  /** `GET`: these requests as OpenAPI. Defaults to `/openapi.json`. */
  readonly openapi: string;
  /** `GET`, at the root: the prefix is not put before it. Defaults to `/health`. */
  readonly health: string;
  /** `GET`, at the root: the prefix is not put before it. Defaults to `/ready`. */
  readonly ready: string;
}

/** Where a server has its routes: what a host tells both sides. */
export interface RouteSettings {
  /** That of the server's `middleware({ prefix })`, with what stands before it. Defaults to `/api/v1`. */
  readonly prefix?: string | undefined;
  /** Those of `createTaskBridge({ routes })`. */
  readonly routes?: Partial<RoutePaths> | undefined;
}

/** The protocol's own paths. */
export const defaultRoutePaths: RoutePaths = {
  create: '/tasks',
  list: '/tasks',
  types: '/tasks/types',
  task: '/tasks/:taskId',
  remove: '/tasks/:taskId',
  attachment: '/tasks/:taskId/attachments/:attachmentName',
  part: '/tasks/:taskId/parts/:partNumber',
  events: '/tasks/:taskId/events',
  stream: '/tasks/:taskId/events/stream',
  sharedStream: '/tasks/events/stream',
  cancel: '/tasks/:taskId/cancel',
  actions: '/tasks/:taskId/actions',
  webSocket: '/tasks/ws',
  openapi: '/openapi.json',
  health: '/health',
  ready: '/ready',
};

/** All paths, where some are set. */
export function wholeRoutePaths(given: Partial<RoutePaths> = {}): RoutePaths {
  const { create = defaultRoutePaths.create, list = create, task = defaultRoutePaths.task, remove = task } = given;
  return { ...defaultRoutePaths, ...given, create, list, task, remove };
}

/** What the paths of the published clients begin with. */
export const DEFAULT_PREFIX = '/api/v1';

/** Puts a path below a prefix, without doubled slashes and without one at the end; `/` where nothing is left. */
export function pathBelow(prefix: string, path: string): string {
  return `${prefix}${path}`.replace(/\/(?=\/|$)/g, '') || '/';
}
