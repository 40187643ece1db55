import { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type Koa from 'koa';
import type { WebSocket } from 'ws';
import { FrameRate } from '../../server/live/frame-rate.ts';
import { OwnerCount } from '../../server/live/owner-count.ts';
import { askedParts, grantedExtensions, socketExtensions, streamExtensions } from '../../server/live/extensions.ts';
import type { LiveHub } from '../../server/live/hub.ts';
import type { AuthContextResolver, ServerChance, Clock, Logger } from '../../server/ports/index.ts';
import type { TaskService } from '../../server/task/service.ts';
import type { Route, RouteDeps } from '../../server/http/call.ts';
import { authenticate } from '../../server/http/credentials.ts';
import { callerError, errorResponse, type ErrorResponse } from '../../server/http/error-response.ts';
import { httpDefaults } from '../../server/http/options.ts';
import { actionsRoute } from '../../server/http/routes/actions.ts';
import { cancelRoute } from '../../server/http/routes/cancel.ts';
import { createRoute } from '../../server/http/routes/create.ts';
import { partRoute } from '../../server/http/routes/part.ts';
import { pollRoute } from '../../server/http/routes/poll.ts';
import { snapshotRoute } from '../../server/http/routes/snapshot.ts';
import { streamRoute } from '../../server/http/routes/stream.ts';
import { createSilentPeers, openSse, sseHeaders } from '../../server/http/sse/index.ts';
import { streamSettings } from '../../server/http/stream-settings.ts';
import { SocketConnection, type SocketConnectionDeps } from '../../server/http/web-socket/socket-connection.ts';
import { openSocketSession } from '../../server/http/web-socket/socket-session.ts';
import { WaitingSockets } from '../../server/http/web-socket/waiting-sockets.ts';
import { moveBearerToken } from '../../server/http/web-socket/handshake.ts';
import { UnsentBytes } from '../../server/http/unsent-bytes.ts';
import { recordWriter } from '../../server/observability/record-writer.ts';
import { RequestStandIn, type ResponseStandIn, type SimulatedRequest } from './http-stand-ins.ts';
import type { SocketStandIn, WebSocketStandIn } from './socket-stand-ins.ts';

/** What a node's door is made of. */
export interface NodeServerDeps {
  readonly service: TaskService;
  readonly hub: LiveHub;
  /** Most facts of one read of a viewer. */
  readonly replayFactsMax: number;
  readonly auth: AuthContextResolver;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly logger: Logger;
}

/** An answer that is no stream. */
export interface SimulatedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An upgrade that is taken. */
export interface AcceptedUpgrade {
  readonly accept: (ws: WebSocketStandIn, socket: SocketStandIn) => void;
}

/** The edge of a node without sockets: the routes, viewers and conversations are the real ones, what carries bytes is not. */
export interface NodeServer {
  /** Undefined where the response became a stream, or nobody waits for an answer. */
  handle(request: SimulatedRequest, response: ResponseStandIn): Promise<SimulatedAnswer | undefined>;
  /** Says why an upgrade is refused; undefined where it is not, and `accept` comes next. */
  admit(headers: SimulatedRequest['headers'], extensions: string | null): Promise<SimulatedAnswer | AcceptedUpgrade>;
  /** Breaks sockets that watch nothing; the hub's own `close` cuts the others. */
  close(): void;
}

const TASK = /^\/api\/v1\/tasks\/([^/]+)(\/events\/stream|\/events|\/cancel|\/actions|\/parts|)(?:\/(\d+))?$/;

export function createNodeServer({ service, hub, replayFactsMax, auth, clock, chance, logger }: NodeServerDeps): NodeServer {
  const silentPeers = createSilentPeers({ clock, stalledMs: hub.options.stalledMs, readTables: async () => [] });
  const settings = streamSettings({ sse: { replayFactsMax }, webSocket: { replayFactsMax } });
  const tools: RouteDeps = {
    service,
    live: {
      sseHeaders: sseHeaders(settings.sse),
      poll: (taskId, request) => hub.poll(taskId, request),
      openSse({ req, res, auth: caller, taskId, after, extensions, parts }) {
        const granted = grantedExtensions(extensions, streamExtensions, hub.hasParts);
        openSse(
          { req, res, taskId, auth: caller, cursor: after, extensions: granted, parts: askedParts(granted, parts) },
          { hub, settings: settings.sse, silentPeers, clock, chance },
        );
      },
      // No client of these worlds asks for one.
      openSharedSse: ({ res }) => void res.destroy(),
    },
    attachments: undefined,
    uploadPolicy: undefined,
    options: httpDefaults,
    unsent: new UnsentBytes(httpDefaults),
    clock,
    chance,
    logger,
    records: recordWriter(logger),
  };
  const sockets: SocketConnectionDeps = {
    hub,
    settings: settings.webSocket,
    service,
    clock,
    logger,
    records: recordWriter(logger),
    count: new OwnerCount(),
    // One owner of the simulation sends few.
    frames: new FrameRate({ clock, framesPerSecondMax: Number.MAX_SAFE_INTEGER }),
    waiting: new WaitingSockets(),
  };
  const create = createRoute(tools);
  const routes: Readonly<Record<string, Route>> = {
    'GET ': snapshotRoute(tools),
    'GET /parts': partRoute(tools),
    'GET /events': pollRoute(tools),
    'GET /events/stream': streamRoute(tools),
    'POST /cancel': cancelRoute(tools),
    'POST /actions': actionsRoute(tools),
  };

  return {
    async handle(request, response) {
      const [path = '', querystring = ''] = request.target.split('?');
      const [, taskId = '', rest = '', partNumber = ''] = TASK.exec(path) ?? [];
      const req = new RequestStandIn(request);
      // As much of Koa's context, and of Node's request and response, as our routes look at.
      const ctx = {
        req,
        res: response,
        method: request.method,
        querystring,
        status: 404,
        body: undefined as unknown,
        respond: true,
        set: (name: string, value: string) => response.setHeader(name, value),
      };
      response.once('close', () => req.socket.emit('end'));
      try {
        const caller = await authenticate(auth, req as unknown as IncomingMessage, clock);
        const route = path === '/api/v1/tasks' ? create : routes[`${request.method} ${rest}`];
        if (!route) throw new Error(`No route for ${request.method} ${path}.`);
        await route({ ctx: ctx as unknown as Koa.Context, auth: caller, taskId, attachmentName: '', partNumber });
      } catch (thrown) {
        return answerOf(errorResponse(callerError(thrown, logger), clock));
      }
      if (!ctx.respond) return undefined;
      const body = ctx.body instanceof Readable ? Buffer.concat((await ctx.body.toArray()) as Buffer[]) : ctx.body;
      return { status: ctx.status, headers: response.headers, body: String(body) };
    },

    async admit(given, asked) {
      const req = { headers: { ...given } } as unknown as IncomingMessage;
      try {
        moveBearerToken(req);
        const caller = await authenticate(auth, req, clock);
        hub.assertRoom(caller.subject);
        return {
          accept(ws, socket) {
            const both = { ws: ws as unknown as WebSocket, socket: socket as unknown as Socket };
            const extensions = grantedExtensions(asked, socketExtensions, hub.hasParts);
            openSocketSession(new SocketConnection(sockets, { ...both, auth: caller, extensions }));
          },
        };
      } catch (thrown) {
        return answerOf(errorResponse(callerError(thrown, logger), clock));
      }
    },

    close() {
      sockets.waiting.terminate();
    },
  };
}

function answerOf({ status, headers, body }: ErrorResponse): SimulatedAnswer {
  const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return { status, headers: Object.fromEntries(names) as Record<string, string>, body: body.toString('utf8') };
}
