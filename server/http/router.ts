import type Koa from 'koa';
import Router from 'koa-router';
import { mountedPaths, pathBelow, pathNames, readRoutePaths, routeMethods, type RoutePaths } from '../../machines/routes/index.ts';
import { TaskBridgeError } from '../errors.ts';
import { liveDefaults } from '../live/options.ts';
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
import { mountPathCheck } from './mount-path.ts';
import { isShadowed, ourPaths } from './our-paths.ts';
import { noParams, pathValues, routed, type PathMatch } from './path-params.ts';
import { actionsRoute } from './routes/actions.ts';
import { attachmentRoute } from './routes/attachment.ts';
import { cancelRoute } from './routes/cancel.ts';
import { createRoute } from './routes/create.ts';
import { listRoute } from './routes/list.ts';
import { openApiRoute } from './routes/openapi.ts';
import { partRoute } from './routes/part.ts';
import { pollRoute } from './routes/poll.ts';
import { removeRoute } from './routes/remove.ts';
import { sharedStreamRoute } from './routes/shared-stream.ts';
import { snapshotRoute } from './routes/snapshot.ts';
import { streamRoute } from './routes/stream.ts';
import { typesRoute } from './routes/types.ts';
import { continueBody } from './expected-body.ts';
import { StalledAnswers } from './stalled-answers.ts';
import { RequestTurns } from './request-turns.ts';
import { RouteTable } from './route-table.ts';
import { refuseMethod, refuseOthers, type Identify } from './unknown-route.ts';
import { UnsentBytes } from './unsent-bytes.ts';

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
  /** A peer that takes nothing of its answer for that long is cut, in milliseconds. Defaults to that of streams. */
  readonly stalledMs?: number | undefined;
  /** Where the routes are. Defaults to the protocol's own paths. */
  readonly routes?: Partial<RoutePaths> | undefined;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly logger?: Logger | undefined;
}

/** The HTTP edge of the protocol. */
export interface HttpRouter {
  /**
   * Middleware for a Koa app that answers `/health`, `/ready` and everything below the prefix, unknown routes and methods included; all else
   * goes on to the host. With a prefix of no plain text, only what lies below the plain text of a route is taken: `/tasks`. Mount it before
   * what reads forms. Throws a `RangeError` for paths that cannot be mounted.
   */
  middleware(options: { readonly prefix: string; readonly mountPath?: string | undefined }): Koa.Middleware;
}

/** Makes the HTTP router. Throws a `RangeError` for options that cannot work. */
export function createHttpRouter({ auth: resolver, probes = {}, allowedOrigins = [], ...deps }: HttpRouterDeps): HttpRouter {
  const options = httpOptions(deps.options);
  const { clock, logger } = deps;
  const origins = originSet(allowedOrigins);
  const turns = new RequestTurns(options);
  const answers = new StalledAnswers({ clock, stalledMs: deps.stalledMs ?? liveDefaults.stalledMs });
  const routeDeps: RouteDeps = {
    service: deps.service,
    live: deps.live,
    attachments: deps.attachments,
    uploadPolicy: deps.uploadPolicy,
    options,
    unsent: new UnsentBytes(options),
    clock,
    chance: deps.chance,
    logger,
    records: recordWriter(logger),
  };
  const boundary = inTurn(turns, answers, errorBoundary(options, clock, logger));
  const paths = readRoutePaths(deps.routes);
  const health = healthRoutes({ probes, probeTimeoutMs: options.probeTimeoutMs, paths, clock, logger });
  const routes = routesBy(routeDeps);

  const identify: Identify = (ctx, params) => authenticate(resolver, ctx.req, clock, params);
  const answer = (route: Route, path: string, others: readonly string[]): Koa.Middleware => {
    const names = pathNames(path);
    const shadows = new Set(others.filter((other) => isShadowed(path, other)));
    return async (ctx) => {
      const words = shadows.size === 0 ? [] : routed(ctx).matched.filter((layer) => shadows.has(layer.path));
      if (words.length > 0) return refuseMethod(ctx, words, identify);
      await ask(route, ctx, pathValues(names, routed(ctx).captures));
    };
  };
  const ask = async (route: Route, ctx: Koa.Context, { params, ...values }: PathMatch): Promise<void> => {
    // Reading is left to the browser's own rules; what changes something may not be sent by foreign pages.
    if (ctx.req.method !== 'GET' && ctx.req.method !== 'HEAD') refuseForeignOrigin(ctx.req, origins);
    const auth = await identify(ctx, params);
    continueBody(ctx.req, ctx.res);
    await route({ ctx, auth, ...values });
  };

  return {
    middleware({ prefix, mountPath = '' }) {
      const check = mountPathCheck(mountPath, logger);
      const router = new Router({ sensitive: true });
      const mounted = mountedPaths(prefix, paths).filter(isBelowPrefix);
      const all: Readonly<Record<PrefixedRoute, Route>> = { ...routes, openapi: openApiRoute({ prefix, mountPath, paths }) };
      const wholePaths = mounted.map(([, path]) => path);
      const table = new RouteTable<MountedRoute>(wholePaths);
      for (const [name, path] of mounted) {
        router[verbs[routeMethods[name]]](path, boundary, answer(all[name], path, wholePaths));
        table.add(routeMethods[name], path, { path, route: all[name] });
      }
      refuseOthers(router, ourPaths(pathBelow(prefix, ''), wholePaths), boundary, identify);
      const dispatch = router.routes() as unknown as Koa.Middleware;
      return async (ctx, next) => {
        if (turns.hasCut(ctx.req)) return void (ctx.respond = false);
        if (!hasPath(ctx)) {
          await boundary(ctx, refuseTarget);
          return;
        }
        check(ctx);
        const found = hasOwnPath(ctx) ? undefined : table.find(ctx.req.method ?? '', ctx.path);
        if (!found) return void (await health(ctx, async () => void (await dispatch(ctx, next))));
        const { route, path } = found.entry;
        noteRoute(ctx, path);
        await boundary(ctx, () => ask(route, ctx, ofTask(found.taskId)));
      };
    },
  };
}

/** A route where it is mounted. */
interface MountedRoute {
  readonly path: string;
  readonly route: Route;
}

/** What koa-router says of a request, for a host that counts by routes. */
function noteRoute(ctx: Koa.Context, path: string): void {
  const noted = ctx as { _matchedRoute?: string; routerPath?: string };
  noted._matchedRoute = noted.routerPath = path;
}

/** True where a middleware of the host's has koa-router look at another path than the request's. */
function hasOwnPath(ctx: Koa.Context): boolean {
  return (ctx as { newRouterPath?: unknown }).newRouterPath !== undefined;
}

/** What stands in a path that names a task and nothing else. */
function ofTask(taskId: string): PathMatch {
  return { taskId, attachmentName: '', partNumber: '', params: noParams };
}

/** All that need nothing but what routes work with. */
function routesBy(deps: RouteDeps): Readonly<Record<Exclude<PrefixedRoute, 'openapi'>, Route>> {
  return {
    create: createRoute(deps),
    list: listRoute(deps),
    remove: removeRoute(deps),
    types: typesRoute(deps),
    task: snapshotRoute(deps),
    attachment: attachmentRoute(deps),
    part: partRoute(deps),
    events: pollRoute(deps),
    stream: streamRoute(deps),
    sharedStream: sharedStreamRoute(deps),
    cancel: cancelRoute(deps),
    actions: actionsRoute(deps),
    webSocket: upgradeOnly,
  };
}

/** Has requests of ours wait for their turn, and cuts who does not read their answers. */
function inTurn(turns: RequestTurns, answers: StalledAnswers, boundary: Koa.Middleware): Koa.Middleware {
  return async (ctx, next) => {
    const { req, res } = ctx;
    const taken = turns.take(req, res);
    if (!(typeof taken === 'boolean' ? taken : await taken)) return void (ctx.respond = false);
    await boundary(ctx, next);
    // What is not answered by Koa is a stream, which has a watch of its own, or a refusal that is bounded in time.
    if (ctx.respond !== false) answers.watch(req, res);
  };
}

const verbs = { GET: 'get', POST: 'post', DELETE: 'delete' } as const;

type PrefixedRoute = Exclude<keyof RoutePaths, 'health' | 'ready'>;

function isBelowPrefix(mounted: readonly [keyof RoutePaths, string]): mounted is readonly [PrefixedRoute, string] {
  return mounted[0] !== 'health' && mounted[0] !== 'ready';
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
  // HTTP/2 has no such header, and throws.
  if (ctx.req.httpVersionMajor === 1) ctx.set('Upgrade', 'websocket');
  throw new TaskBridgeError('INVALID_REQUEST', 'This route takes WebSocket upgrades only, and none arrived; use another transport.');
};
