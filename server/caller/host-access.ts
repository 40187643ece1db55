import type { ServerResponse } from 'node:http';
import type Koa from 'koa';
import type { TaskVerbs } from '../actors/requests.ts';
import { errorBoundary } from '../http/error-boundary.ts';
import { callerError, writeErrorResponse } from '../http/error-response.ts';
import { createRequestHandler, type RequestHandler } from '../http/handler.ts';
import type { LiveService } from '../http/live-service.ts';
import { httpOptions } from '../http/options.ts';
import type { StreamSettings } from '../http/stream-settings.ts';
import { SocketSessions } from '../http/web-socket/index.ts';
import type { SystemListRequest, SystemLists, SystemTaskPage, TaskCount } from '../lists/system-list.ts';
import type { LiveHub } from '../live/hub.ts';
import type { TaskBridgeOptions } from '../options.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { TaskService } from '../task/service.ts';
import type { EndListener, FactListener, FactListeners } from './fact-listeners.ts';
import { createCallerTasks, createHostTasks, type CallerTasks, type HostTasks } from './caller-tasks.ts';

/** What a host's access works with. */
export interface HostAccessDeps {
  readonly host: Pick<TaskBridgeOptions, 'attachments' | 'uploads' | 'allowedOrigins' | 'http'>;
  readonly streams: StreamSettings;
  readonly hub: LiveHub;
  readonly live: LiveService;
  readonly service: TaskService;
  /** The same service, asked by the host itself. */
  readonly systemService: TaskService;
  readonly systemLists: SystemLists;
  readonly listeners: FactListeners;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The host itself, acting on tasks of any owner. */
export interface SystemTasks {
  /**
   * The tasks of an owner whom the host names. What asks who may do it (`auth`, `ownership`) is not asked: the host may. What asks whether it is
   * sound (schemas, `actions`, `uploads`) is, with `{ subject: owner }`, and so hold the owner's shares and limits. Another
   * owner's task is not found. Throws a plain error for an empty owner.
   */
  tasks(owner: string): HostTasks;
  /**
   * A page of all tasks, by state and type, and in each the one first that came there first; go on with `nextAfter` until that is null. A page looks at
   * 500 tasks and reads 4 MiB at most, so that it may have fewer than asked for, or none. Which tasks are in a state is exact; each is shown as it is when it
   * is read, and one that went on meanwhile is not on the page.
   */
  list(request?: SystemListRequest): Promise<SystemTaskPage>;
  /** How many tasks there are, by state and type, in no order; states without any are left out. */
  counts(): Promise<readonly TaskCount[]>;
}

/** What a host has of a bridge beside its Koa middleware. */
export interface HostAccess {
  /** All WebSockets, whichever route they come by. */
  readonly sockets: SocketSessions;
  handler(middleware: Koa.Middleware): RequestHandler;
  /** Those of the bridge that are about tasks. */
  readonly verbs: HostVerbs;
  /** The verbs of a caller by another service than that of the routes. */
  verbsBy(service: TaskService, auth: AuthContext): TaskVerbs;
}

/** See the bridge's. */
export interface HostVerbs {
  tasks(auth: AuthContext): CallerTasks;
  readonly system: SystemTasks;
  onFact(listener: FactListener): () => void;
  onEnd(listener: EndListener): () => void;
  answerError(res: ServerResponse, error: unknown): void;
}

/** Makes the access of a host without Koa. Throws a `RangeError` for a wrong origin. */
export function createHostAccess({
  host,
  streams,
  hub,
  live,
  service,
  systemService,
  systemLists,
  listeners,
  clock,
  logger,
}: HostAccessDeps): HostAccess {
  const { attachments, uploads, allowedOrigins = [] } = host;
  const options = httpOptions(host.http);
  const sockets = new SocketSessions({ hub, service, settings: streams.webSocket, allowedOrigins, clock, logger });
  const { replayFactsMax } = streams.sse;
  const deps = { service, live, attachments, uploadPolicy: uploads, options, clock, logger, hub, sockets, replayFactsMax };
  const seen = (thrown: unknown): never => {
    throw callerError(thrown, logger);
  };
  return {
    sockets,
    verbsBy: (by, auth) => createHostTasks({ ...deps, service: by }, auth),
    handler: (middleware) => createRequestHandler({ middleware, boundary: errorBoundary(options, clock, logger), logger }),
    verbs: {
      tasks: (auth) => createCallerTasks(deps, auth),
      system: {
        tasks: (owner) => createHostTasks({ ...deps, service: systemService }, { subject: owner }),
        list: (request) => systemLists.list(request).catch(seen),
        counts: () => systemLists.counts().catch(seen),
      },
      onFact: (listener) => listeners.onFact(listener),
      onEnd: (listener) => listeners.onEnd(listener),
      answerError: (res, error) => writeErrorResponse(res, callerError(error, logger), clock),
    },
  };
}
