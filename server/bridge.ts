import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type Koa from 'koa';
import type { TaskActor } from './actors/task-actor.ts';
import { FactListeners, type EndListener, type FactListener } from './caller/fact-listeners.ts';
import { createHostAccess, type HostAccess, type SystemTasks } from './caller/host-access.ts';
import type { CallerTasks } from './caller/caller-tasks.ts';
import type { ReconcileCounts } from './attempt/reconcile-counts.ts';
import { contractsOf } from './contract/contracts.ts';
import { createCore, type Core } from './core.ts';
import { createHttpRouter } from './http/router.ts';
import { Mounts, type MountOptions } from './http/mounts.ts';
import type { RequestHandler } from './http/handler.ts';
import { createLiveService } from './http/sse/index.ts';
import { createUpgradeHandler } from './http/web-socket/index.ts';
import { streamSettings } from './http/stream-settings.ts';
import { createLiveHub, type LiveHub, type LiveHubDeps } from './live/hub.ts';
import { checkBridgeOptions, executorsOf, type TaskBridgeOptions } from './options.ts';
import type { AuthContext } from './ports/auth.ts';
import { systemChance } from './ports/chance.ts';
import { systemClock } from './ports/clock.ts';
import { guardedTracer } from './observability/guarded-tracer.ts';
import { metricsSink } from './observability/metrics-sink.ts';
import { processGauges, type ProcessGauges } from './observability/process-gauges.ts';
import { faultLogger } from './ports/fault-logger.ts';
import { hostLogger } from './ports/host-logger.ts';
import type { Store } from './ports/store.ts';
import { readinessOf } from './readiness.ts';
import type { PruneCounts } from './reconciler.ts';
import { taskSettings } from './task/settings.ts';

/** A TaskBridge inside its host's process. */
export interface TaskBridge {
  /**
   * Koa middleware for `/health`, `/ready` and everything below the prefix; all else goes on to the host. Mount it before what reads
   * forms (JSON may be parsed before), and as often as there are prefixes. Throws a `RangeError` for a prefix that is no path, and for routes that would be in each other's way.
   */
  middleware(options?: MountOptions): Koa.Middleware;
  /**
   * The same without a Koa app: `createServer(bridge.handler())`, or `app.use(bridge.handler())` in Express and Connect, at their root and before
   * what reads forms. Without a `next`, what is not ours is answered 404.
   */
  handler(options?: MountOptions): RequestHandler;
  /**
   * For `server.on('upgrade', bridge.upgrade)`: takes the WebSockets of every mount, leaves every other path to the server's other
   * listeners. Where it is the only one, it answers what it does not take with 404, since Node would keep such a connection for ever.
   */
  readonly upgrade: (this: unknown, request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /**
   * The tasks of a caller whom the host knows, for routes and protocols of its own. Throws `AUTHENTICATION_ERROR` for credentials that have
   * ended, and a plain error for a context without a subject.
   */
  tasks(auth: AuthContext): CallerTasks;
  /** The same for any owner, whom the host names: for its jobs, its webhooks, its support desk. No credentials are looked at, and no `ownership`. */
  readonly system: SystemTasks;
  /**
   * Tells of each fact that **this node** commits, after its commit, one after the other: those of other nodes and of a reporter elsewhere are
   * never told here, and what was not told yet when the process died is lost; `tasks().watch` misses nothing. Gives the way to stop. A
   * listener that throws or rejects harms nothing, and is logged. One that gives a promise is told of the next fact when that has settled;
   * beyond 1000 facts that wait, it is not told of what comes, and that is logged with their count. Throws a `RangeError` beyond 64 listeners.
   */
  onFact(listener: FactListener): () => void;
  /** The same for the facts that end tasks: completed, failed, cancelled. */
  onEnd(listener: EndListener): () => void;
  /**
   * Answers a plain request with what one of ours would be told of an error: the envelope, its status and headers. Anything but a
   * `TaskBridgeError` is a 500 without its text, and is logged. A response that has begun is destroyed.
   */
  answerError(res: ServerResponse, error: unknown): void;
  /**
   * Opens the store. Call it before `listen`: what an earlier process left is looked after in later turns, so nothing of it keeps the host from
   * serving. Rejects once the bridge is closed.
   */
  start(): Promise<void>;
  /**
   * Does now what the bridge does by itself every `tasks.reconcileMs`, and says what was done: starts work that nobody runs, hands over how
   * questions ended, notices what is lost or late. For a job of the host's own, after an outage, and for tests: tasks that rest after a failure
   * are tried at once. One task's failure never stops the others. May run beside the bridge's own look and on several nodes; what two looks
   * share is counted by one. Rejects with `STORE_UNAVAILABLE` before `start()`, after `close()` and while the store is away.
   */
  reconcile(): Promise<ReconcileCounts>;
  /**
   * The same, and looks at the files, as the bridge does by itself once an hour: one that no task references is marked, and deleted by a look that
   * still finds it so an hour later; so never in the first hour of a process. Says what was cleared away. Rejects as {@link TaskBridge.reconcile} does.
   */
  prune(): Promise<PruneCounts>;
  /**
   * Ends live connections now (WebSockets, streams, waiting polls, and what follows a log by `tasks()`): those of a subject on every node, those
   * that a predicate is true for on this process. For a person who is signed out, or whose rights have changed: to clients it is a lost
   * connection, so that they come back with the credentials that they have, and `auth` decides anew. So take the rights away first; what `auth` was
   * looking at in that very moment may still get in.
   *
   * Gives how many ended here. Other nodes hear of it at once, over the tail of the store; one that is cut off from the store just then never
   * does, and what is connected there ends with its `expiresAt`: give credentials one. Rejects with `STORE_UNAVAILABLE` where the store did not
   * take the message (what is here has ended), with what a predicate throws (nothing has), and with a `TypeError` for what names nobody.
   */
  disconnect(who: { readonly subject: string } | ((auth: AuthContext) => boolean)): Promise<number>;
  /**
   * Closes in order: claims nothing any more (`/ready` says 503, creates are left to other nodes; where there are none, they are answered 503),
   * answers waiting polls, cuts live connections spread over `spreadMs` milliseconds (default 0), lets running work finish for `drainMs`
   * (default `spreadMs`), gives the rest up, closes the store. A store that takes nothing for five seconds after that is waited for no longer.
   * Calling it again waits for the same end.
   */
  close(options?: { readonly spreadMs?: number; readonly drainMs?: number }): Promise<void>;
  /**
   * A task as a running XState actor of the caller's own, fed the committed facts of any node; see {@link TaskActor}. Where nobody subscribes or
   * listens to it, it stops after a minute. Rejects with a `TaskBridgeError`: `TASK_NOT_FOUND`, `RATE_LIMITED` (`hotTasksMax` are held),
   * `STORE_UNAVAILABLE`.
   */
  actor(taskId: string): Promise<TaskActor>;
}

/** Makes a bridge. Throws a `TypeError` or `RangeError` that says which option is missing or cannot work. */
export function createTaskBridge(options: TaskBridgeOptions): TaskBridge {
  checkBridgeOptions(options);
  const { store, auth, attachments, clock = systemClock, chance = systemChance } = options;
  const logger = faultLogger(hostLogger(options.logger, options.redact), clock);
  const executors = executorsOf(options);
  const streams = streamSettings(options.streams);
  const settings = taskSettings(options.tasks);
  const tracer = guardedTracer(options.tracer, logger);
  const hub = hubOf(options, { clock, chance, logger, tracer }, () => core);
  const listeners = new FactListeners({ logger });
  const core: Core = createCore({
    ...options,
    executors,
    attachments,
    ownership: options.ownership ?? {},
    actions: options.actions,
    contracts: contractsOf(executors, options.contract),
    metrics: metricsSink(options.metrics, logger),
    tracer,
    isCounting: options.metrics !== undefined,
    logger,
    clock,
    chance,
    settings,
    inspect: options.inspect,
    committed: (about, facts) => listeners.committed(about, facts),
    listen: (taskId, onCommit) => hub.listen(taskId, onCommit),
    verbsBy: (service, caller) => access.verbsBy(service, caller),
    interrupted: () => hub.interrupted(),
  });
  const live = createLiveService({ hub, settings: streams.sse, clock, chance, logger });
  const router = createHttpRouter({
    service: core.service,
    live,
    auth,
    attachments,
    uploadPolicy: options.uploads,
    allowedOrigins: options.allowedOrigins,
    probes: readinessOf({ ...options, given: options.readiness, executors, core, clock, settings }),
    options: options.http,
    stalledMs: hub.options.stalledMs,
    routes: options.routes,
    clock,
    chance,
    logger,
  });
  const access = createHostAccess({ host: options, streams, hub, live, ...core, service: core.callerService, listeners, clock, logger });
  const mounts = new Mounts({
    router,
    routes: options.routes,
    clock,
    upgradeHandler: (path) => createUpgradeHandler({ path, sessions: access.sockets, hub, service: core.service, auth, clock, logger }),
  });
  const parts: ClosedParts = { mounts, access, hub, core, store, gauges: processGauges(options, { hub, core, clock, logger }) };
  let closed: Promise<void> | undefined;

  return {
    middleware: (at) => mounts.mount(at),
    handler: (at) => access.handler(mounts.mount(at)),
    upgrade(this: unknown, request, socket, head) {
      // A listener is called on its emitter, the host's server.
      mounts.upgrade(this, request, socket, head);
    },
    ...access.verbs,
    start: () => startUnlessClosed(parts, () => closed),
    reconcile: () => core.reconcile(),
    prune: () => core.prune(),
    disconnect: (who) => hub.disconnect(who),
    close: ({ spreadMs = 0, drainMs = spreadMs } = {}) => (closed ??= closeAll(parts, spreadMs, drainMs)),
    actor: (taskId) => core.actors.get(taskId),
  };
}

function hubOf(options: TaskBridgeOptions, deps: Pick<LiveHubDeps, 'clock' | 'chance' | 'logger' | 'tracer'>, core: () => Core): LiveHub {
  return createLiveHub({
    ...options,
    ...deps,
    options: options.live ?? {},
    aboutOf: (taskId) => core().aboutOf(taskId),
    now: () => core().now(),
    onInterrupted: () => core().compareHeld(),
  });
}

interface ClosedParts {
  readonly mounts: Mounts;
  readonly access: HostAccess;
  readonly hub: LiveHub;
  readonly core: Core;
  readonly store: Store;
  readonly gauges: ProcessGauges | undefined;
}

async function closeAll({ mounts, access, hub, core, store, gauges }: ClosedParts, spreadMs: number, drainMs: number): Promise<void> {
  mounts.close();
  access.sockets.close();
  await Promise.all([hub.close({ spreadMs }), core.close(drainMs)]);
  gauges?.close();
  await store.close();
}

async function startUnlessClosed(
  { store, core, gauges }: Pick<ClosedParts, 'store' | 'core' | 'gauges'>,
  closed: () => Promise<void> | undefined,
): Promise<void> {
  const refusal = 'This bridge is closed and does not start again; make another one.';
  if (closed()) throw new Error(refusal);
  await store.open();
  if (closed()) {
    // Closed while it opened: what came too late for that is closed here.
    await closed();
    await store.close();
    throw new Error(refusal);
  }
  await core.start();
  if (!closed()) gauges?.start();
}
