import { DEFAULT_PREFIX, pathBelow, wholeRoutePaths, type RoutePaths, type RouteSettings } from '../machines/routes/index.ts';
import type { CallContext } from './auth/credentials.ts';
import { invalidArgument, TaskBridgeClientError } from './errors.ts';

/**
 * Where the server's routes are, below the base URL. Each answer begins with `/` and has neither query nor fragment. `context` is that of
 * the call or observation.
 */
export interface Routes {
  /** For new tasks as JSON. */
  tasks(context?: CallContext): string;
  /** For new tasks with attachments. */
  tasksWithAttachments(context?: CallContext): string;
  /** For the list of tasks. Of routes that are given one by one, that of `tasks` where it is not among them. */
  list(context?: CallContext): string;
  task(taskId: string, context?: CallContext): string;
  /** For removing it. Of routes that are given one by one, that of `task` where it is not among them. */
  remove(taskId: string, context?: CallContext): string;
  /** For a file that its work has made. */
  attachment(taskId: string, name: string, context?: CallContext): string;
  /** For the text of a part, by its number. */
  part(taskId: string, part: number, context?: CallContext): string;
  events(taskId: string, context?: CallContext): string;
  stream(taskId: string, context?: CallContext): string;
  /** For many tasks. */
  sharedStream(context?: CallContext): string;
  cancel(taskId: string, context?: CallContext): string;
  actions(taskId: string, context?: CallContext): string;
  webSocket(context?: CallContext): string;
}

/**
 * The routes of a server that was set up with these settings; without any, the protocol's own. `params` are the values of the names in its
 * paths, or give them for a call's context. Each is sent as one segment, whatever stands in it. A route throws with code
 * `INVALID_ARGUMENT` where a name has no value, or one that a path cannot carry: `''`, `.`, `..`, half a character.
 */
export function routesOf({
  prefix = DEFAULT_PREFIX,
  routes,
  params = {},
}: RouteSettings & {
  readonly params?: Readonly<Record<string, string>> | ((context?: CallContext) => Readonly<Record<string, string>>);
} = {}): Routes {
  const paths = wholeRoutePaths(routes);
  const at = (route: keyof RoutePaths, own?: string) => (taskId: string, context?: CallContext) =>
    pathBelow(prefix, paths[route]).replace(/:(\w+)/g, (name, key: string) => {
      if (key === 'taskId') return taskId;
      const value = key === 'attachmentName' || key === 'partNumber' ? own : (typeof params === 'function' ? params(context) : params)[key];
      if (typeof value === 'string' && !/^\.{0,2}$|[\uD800-\uDFFF]/u.test(value)) return encodeURIComponent(value);
      throw invalidArgument(`${name} in a route must be a value, not ${JSON.stringify(value)}.`);
    });
  const ofNone = (route: keyof RoutePaths) => (context?: CallContext) => at(route)('', context);
  return {
    tasks: ofNone('create'),
    tasksWithAttachments: ofNone('create'),
    list: ofNone('list'),
    task: at('task'),
    remove: at('remove'),
    attachment: (taskId, name, context) => at('attachment', name)(taskId, context),
    part: (taskId, part, context) => at('part', String(part))(taskId, context),
    events: at('events'),
    stream: at('stream'),
    sharedStream: ofNone('sharedStream'),
    cancel: at('cancel'),
    actions: at('actions'),
    webSocket: ofNone('webSocket'),
  };
}

/** The same routes. One that throws is an argument that cannot be sent, whatever it throws: code `INVALID_ARGUMENT`, with its error as cause. */
export function checkedRoutes(routes: Routes): Routes {
  const checked = Object.entries(routes).map(([name, route]: [string, (...given: unknown[]) => string]) => [
    name,
    (...given: unknown[]) => {
      try {
        return route.apply(routes, given);
      } catch (cause) {
        if (cause instanceof TaskBridgeClientError) throw cause;
        const text = String((cause as Error | undefined)?.message ?? cause);
        throw invalidArgument(`The route "${name}" failed: ${text}`, cause);
      }
    },
  ]);
  // The same names, each with a function that takes the same.
  return Object.fromEntries(checked) as Routes;
}

const TASK_ID = /^(?!.*\.\.)[^\W_][\w.@-]{0,254}$/;

/** Refuses, before anything is sent, a task id that could mean another path. Code `INVALID_ARGUMENT`. */
export function assertTaskId(taskId: string): void {
  if (typeof taskId === 'string' && TASK_ID.test(taskId)) return;
  throw invalidArgument(
    `${JSON.stringify(taskId)} is no task id: 1 to 255 letters, digits and ". _ @ -", beginning with a letter or digit, without "..".`,
  );
}

/** Puts a route below the base URL, whose own path stays, and adds the query. */
export function join(baseUrl: string, route: string, query: Readonly<Record<string, string>> = {}): string {
  if (!/^\/(?!\/)[^?#\\]*$/.test(route))
    throw invalidArgument(`A route must begin with one "/", without query or fragment, not ${JSON.stringify(route)}.`);
  // `URLSearchParams` are not whole in React Native. Half a character stands for none, as there.
  const text = Object.entries(query)
    .map(([name, value]) => `${name}=${encodeURIComponent(value.replace(/[\uD800-\uDFFF]/gu, '\uFFFD'))}`)
    .join('&');
  return `${baseUrl}${route}${text && `?${text}`}`;
}

/** The same address for a WebSocket: `http` becomes `ws`, `https` becomes `wss`. */
export function toWebSocketUrl(url: string): string {
  return url.replace(/^http/i, 'ws');
}
