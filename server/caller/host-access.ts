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
import type { LiveHub } from '../live/hub.ts';
import type { TaskBridgeOptions } from '../options.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/observability.ts';
import type { TaskService } from '../task/service.ts';
import { createCallerTasks, type CallerTasks } from './caller-tasks.ts';

/** What a host's access works with. */
export interface HostAccessDeps {
  readonly host: Pick<TaskBridgeOptions, 'attachments' | 'uploads' | 'allowedOrigins' | 'http'>;
  readonly streams: StreamSettings;
  readonly hub: LiveHub;
  readonly live: LiveService;
  readonly service: TaskService;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a host has of a bridge beside its Koa middleware. */
export interface HostAccess {
  /** All WebSockets, whichever route they come by. */
  readonly sockets: SocketSessions;
  handler(middleware: Koa.Middleware): RequestHandler;
  tasks(auth: AuthContext): CallerTasks;
  /** The verbs of a caller by another service than that of the routes. */
  verbsBy(service: TaskService, auth: AuthContext): TaskVerbs;
  answerError(res: ServerResponse, error: unknown): void;
}

/** Makes the access of a host without Koa. Throws a `RangeError` for a wrong origin. */
export function createHostAccess({ host, streams, hub, live, service, clock, logger }: HostAccessDeps): HostAccess {
  const { attachments, uploads, allowedOrigins = [] } = host;
  const options = httpOptions(host.http);
  const sockets = new SocketSessions({ hub, service, settings: streams.webSocket, allowedOrigins, clock, logger });
  const { replayFactsMax } = streams.sse;
  const deps = { service, live, attachments, uploadPolicy: uploads, options, clock, logger, hub, sockets, replayFactsMax };
  return {
    sockets,
    handler: (middleware) => createRequestHandler({ middleware, boundary: errorBoundary(options, clock, logger), logger }),
    tasks: (auth) => createCallerTasks(deps, auth),
    verbsBy: (by, auth) => createCallerTasks({ ...deps, service: by }, auth),
    answerError: (res, error) => writeErrorResponse(res, callerError(error, logger), clock),
  };
}
