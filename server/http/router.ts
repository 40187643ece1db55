import type Koa from 'koa';
import Router from 'koa-router';
import { TaskBridgeError } from '../errors.ts';
import type { AttachmentStore } from '../ports/attachments.ts';
import type { AuthContextResolver, UploadPolicy } from '../ports/auth.ts';
import type { ServerChance } from '../ports/chance.ts';
import type { Clock } from '../ports/clock.ts';
import { recordWriter } from '../observability/record-writer.ts';
import type { Logger, ReadinessProbe } from '../ports/observability.ts';
import type { TaskService } from '../task/service.ts';
import type { Route, RouteDeps } from './call.ts';
import { authenticate } from './credentials.ts';
import { errorBoundary } from './error-boundary.ts';
import { healthRoutes } from './health.ts';
import type { LiveService } from './live-service.ts';
import { originSet, refuseForeignOrigin } from './origin.ts';
import { httpOptions, type HttpOptions } from './options.ts';
import { routePrefix } from './prefix.ts';
import { actionsRoute } from './routes/actions.ts';
import { cancelRoute } from './routes/cancel.ts';
import { createRoute } from './routes/create.ts';
import { pollRoute } from './routes/poll.ts';
import { snapshotRoute } from './routes/snapshot.ts';
import { streamRoute } from './routes/stream.ts';
import { answersOptions, refuseUnknown } from './unknown-route.ts';

/** What the HTTP router works with. */
export interface HttpRouterDeps {
  readonly service: TaskService;
  readonly live: LiveService;
  readonly auth: AuthContextResolver;
  /** Where uploads go. Without one, multipart creates are refused. */
  readonly attachments?: AttachmentStore | undefined;
  /** Asked once everything of a create has arrived, uploads or not. */
  readonly uploadPolicy?: UploadPolicy | undefined;
  /** Pages of these origins may use cookies, beside those of the host itself. Defaults to none. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** What `GET /ready` asks, by name. None means ready. */
  readonly probes?: Readonly<Record<string, ReadinessProbe>> | undefined;
  readonly options?: Partial<HttpOptions> | undefined;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly logger?: Logger | undefined;
}

/** The HTTP edge of the protocol. */
export interface HttpRouter {
  /**
   * Middleware for a Koa app that answers `/health`, `/ready` and everything below the prefix, unknown routes and methods included; all else
   * goes on to the host. With a prefix of no fixed segment, only `/tasks` and what lies below it is taken. Mount it before any body parser.
   */
  middleware(options: { readonly prefix: string }): Koa.Middleware;
}

/** Makes the HTTP router. Throws a `RangeError` for options that cannot work. */
export function createHttpRouter({ auth, probes = {}, allowedOrigins = [], ...deps }: HttpRouterDeps): HttpRouter {
  const options = httpOptions(deps.options);
  const { clock, logger } = deps;
  const origins = originSet(allowedOrigins);
  const routeDeps: RouteDeps = {
    service: deps.service,
    live: deps.live,
    attachments: deps.attachments,
    uploadPolicy: deps.uploadPolicy,
    options,
    clock,
    chance: deps.chance,
    logger,
    records: recordWriter(logger),
  };
  const boundary = errorBoundary(options, clock, logger);
  const health = healthRoutes({ probes, probeTimeoutMs: options.probeTimeoutMs, clock, logger });

  const answer = (route: Route): Koa.Middleware => {
    return async (ctx) => {
      // Reading is left to the browser's own rules; what changes something may not be sent by foreign pages.
      if (ctx.method === 'POST') refuseForeignOrigin(ctx.req, origins);
      const caller = await authenticate(auth, ctx.req, clock);
      // koa-router puts the path's parameters on the context, decoded where they can be.
      const { taskId = '' } = (ctx as unknown as { params: { taskId?: string } }).params;
      await route({ ctx, auth: caller, taskId });
    };
  };

  return {
    middleware(mount) {
      const prefix = routePrefix(mount.prefix);
      const router = new Router({ sensitive: true });
      const tasks = `${prefix}/tasks`;
      router.post(tasks, boundary, answer(createRoute(routeDeps)));
      router.get(`${tasks}/ws`, boundary, answer(upgradeOnly));
      router.get(`${tasks}/:taskId`, boundary, answer(snapshotRoute(routeDeps)));
      router.get(`${tasks}/:taskId/events`, boundary, answer(pollRoute(routeDeps)));
      router.get(`${tasks}/:taskId/events/stream`, boundary, answer(streamRoute(routeDeps)));
      router.post(`${tasks}/:taskId/cancel`, boundary, answer(cancelRoute(routeDeps)));
      router.post(`${tasks}/:taskId/actions`, boundary, answer(actionsRoute(routeDeps)));
      // A prefix of names alone would swallow the whole host.
      const ours = `${/^(\/:[^/]+)*$/.test(prefix) ? tasks : prefix}{/*rest}`;
      router.all(ours, boundary, async (ctx) => {
        const matched = (ctx as unknown as { matched: readonly { path: string; methods: readonly string[] }[] }).matched;
        const methods = matched.flatMap((layer) => (layer.path === ours ? [] : layer.methods));
        const allow = methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])];
        if (answersOptions(ctx, allow)) return;
        await authenticate(auth, ctx.req, clock);
        refuseUnknown(ctx, allow);
      });
      const routes = router.routes() as unknown as Koa.Middleware;
      return async (ctx, next) => {
        if (hasPath(ctx)) await health(ctx, async () => void (await routes(ctx, next)));
        else await boundary(ctx, refuseTarget);
      };
    },
  };
}

/** False for a request target that is no URL (`http://[`): Koa throws on every look at such a path, and would answer 500. */
function hasPath(ctx: Koa.Context): boolean {
  try {
    return typeof ctx.path === 'string';
  } catch {
    return false;
  }
}

async function refuseTarget(): Promise<never> {
  throw new TaskBridgeError('INVALID_REQUEST', 'The request target is no URL.');
}

/** A WebSocket that arrives without its upgrade lost it on the way: the client is told to use another transport, not that a task is missing. */
const upgradeOnly: Route = ({ ctx }) => {
  ctx.set('Upgrade', 'websocket');
  throw new TaskBridgeError('INVALID_REQUEST', 'This route takes WebSocket upgrades only, and none arrived; use another transport.');
};
