import type { CallContext } from './auth/credentials.ts';
import { TaskBridgeClientError } from './errors.ts';

/**
 * Where the server's routes are, below the base URL. Each answer begins with `/` and has neither query nor fragment. `context` is that of
 * the call or observation.
 */
export interface Routes {
  /** For new tasks as JSON. */
  tasks(context?: CallContext): string;
  /** For new tasks with attachments. */
  tasksWithAttachments(context?: CallContext): string;
  task(taskId: string, context?: CallContext): string;
  events(taskId: string, context?: CallContext): string;
  stream(taskId: string, context?: CallContext): string;
  cancel(taskId: string, context?: CallContext): string;
  actions(taskId: string, context?: CallContext): string;
  webSocket(context?: CallContext): string;
}

/** The protocol's own routes. */
export const defaultRoutes: Routes = {
  tasks: () => '/api/v1/tasks',
  tasksWithAttachments: () => '/api/v1/tasks',
  task: (taskId) => `/api/v1/tasks/${taskId}`,
  events: (taskId) => `/api/v1/tasks/${taskId}/events`,
  stream: (taskId) => `/api/v1/tasks/${taskId}/events/stream`,
  cancel: (taskId) => `/api/v1/tasks/${taskId}/cancel`,
  actions: (taskId) => `/api/v1/tasks/${taskId}/actions`,
  webSocket: () => '/api/v1/tasks/ws',
};

const TASK_ID = /^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,254}$/;

/** Refuses, before anything is sent, a task id that could mean another path. Code `INVALID_ARGUMENT`. */
export function assertTaskId(taskId: string): void {
  if (typeof taskId === 'string' && TASK_ID.test(taskId) && !taskId.includes('..')) return;
  throw new TaskBridgeClientError(
    'INVALID_ARGUMENT',
    `${JSON.stringify(taskId)} is no task id: 1 to 255 letters, digits and ". _ @ -", beginning with a letter or digit, without "..".`,
  );
}

/** Puts a route below the base URL, whose own path stays, and adds the query. */
export function join(baseUrl: string, route: string, query: Readonly<Record<string, string>> = {}): string {
  if (!route.startsWith('/') || route.startsWith('//') || /[?#\\]/.test(route))
    throw new TaskBridgeClientError(
      'INVALID_ARGUMENT',
      `A route must be a path that begins with one "/", without query or fragment, not ${JSON.stringify(route)}.`,
    );
  const text = new URLSearchParams(query).toString();
  return `${baseUrl}${route}${text && `?${text}`}`;
}

/** The same address for a WebSocket: `http` becomes `ws`, `https` becomes `wss`. */
export function toWebSocketUrl(url: string): string {
  return url.replace(/^http/, 'ws');
}
