import { assertOptionNames, type OptionNames } from './ports/options.ts';
import type { Inspect } from '../machines/index.ts';
import { isTaskContract, type TaskContract } from '../machines/contract/index.ts';
import type { InspectOptions } from './actors/task-inspector.ts';
import type { RoutePaths } from '../machines/routes/index.ts';
import type { HttpOptions } from './http/options.ts';
import type { GivenStreamSettings } from './http/stream-settings.ts';
import type { LiveOptions } from './live/options.ts';
import type { AttachmentStore } from './ports/attachments.ts';
import type { ActionValidationPolicy, AuthContextResolver, OwnershipPolicy, UploadPolicy } from './ports/auth.ts';
import type { ServerChance } from './ports/chance.ts';
import type { Clock } from './ports/clock.ts';
import type { TaskExecutor } from './ports/executor.ts';
import type { Logger, MetricsSink, ReadinessProbe, TransportDiagnosticsSink } from './ports/observability.ts';
import type { Store } from './ports/store.ts';
import type { Tracer } from './ports/tracing.ts';
import type { IdempotencyPayload } from './task/content-hash.ts';
import { METRICS_EVERY_MS } from './observability/process-gauges.ts';
import type { TaskSettings } from './task/settings.ts';

/** What a host gives the bridge. */
export interface TaskBridgeOptions {
  /** Where tasks live. */
  readonly store: Store;
  /** What runs the work; of several, the first that handles a task's type. */
  readonly executor: TaskExecutor | readonly TaskExecutor[];
  /** Finds out who is asking. Required: no host lets everybody in by accident. */
  readonly auth: AuthContextResolver;
  /** Defaults to `ownerOnly`: anybody may create, only the owner may see and change. */
  readonly ownership?: OwnershipPolicy;
  /** Where uploads go. Without it, multipart requests are refused. */
  readonly attachments?: AttachmentStore;
  /** Defaults to taking all that sizes and types allow. */
  readonly uploads?: UploadPolicy;
  /**
   * What types of tasks are given, ask and give (`taskbridge/contract`), for executors that do not say it themselves, such as Temporal's: what does not fit is refused
   * before it is written. Defaults to nothing.
   */
  readonly contract?: TaskContract;
  /** Defaults to taking every action that its question allows, but `a2ui_action`; see `actionSchemas` of `taskbridge/server/access`. */
  readonly actions?: ActionValidationPolicy;
  /**
   * What has to be equal in two creates of one owner and request id, so that the second is answered as a repeat and not 409. Only its hash is
   * kept, with the task; so a change of this function makes repeats of older tasks conflicts. Pure; a throw is a 500, and nothing is written.
   * Defaults to type, input and the files' names, types and bytes: metadata, title and labels do not count.
   */
  readonly idempotencyPayload?: IdempotencyPayload;
  /** What `GET /ready` asks, by name, beside the store and the executors. */
  readonly readiness?: Readonly<Record<string, ReadinessProbe>>;
  /**
   * Pages of these origins may change things and open WebSockets with what their browser sends by itself: cookies, a password of HTTP's own dialog,
   * a client's certificate. `scheme://host[:port]` of any scheme (`capacitor://localhost`), or `https://*.example.com` for all below a domain.
   * Defaults to those of the host itself: as the browser says (`Sec-Fetch-Site`), or by `Host` or `X-Forwarded-Host`.
   */
  readonly allowedOrigins?: readonly string[];
  /** Counts what `metricsTable` lists. */
  readonly metrics?: MetricsSink;
  /** How often gauges are set for `metrics`, in milliseconds: a whole number from 100. Defaults to 5000. */
  readonly metricsEveryMs?: number;
  /** Follows each task from its create to its delivery: `openTelemetryTracer()` of `taskbridge/adapters/opentelemetry`. Costs nothing where it is left out. */
  readonly tracer?: Tracer;
  /** Watches every stream and poll. */
  readonly diagnostics?: TransportDiagnosticsSink;
  /**
   * Told of failures that were survived and, at `info` and `debug`, of what happens (`recordsTable`): pino, winston or the console as they are.
   * Defaults to the console, failures only.
   */
  readonly logger?: Logger;
  /**
   * Paths of what is taken out of the fields that `logger` is told: `userId`, `error.config.headers`, `**.password`; at most 100. Defaults to
   * `redactDefaults`, names of credentials at any depth; what is given stands in its place. An empty list takes nothing out.
   */
  readonly redact?: readonly string[];
  /**
   * Sees what this node decides: an actor for each task, with those of its charts beneath it. Costs nothing where it is left out; with a filter and a
   * limit: `{ inspect, filter, tasksMax }`.
   */
  readonly inspect?: Inspect | InspectOptions;
  readonly clock?: Clock;
  readonly chance?: ServerChance;
  /** Limits and times of tasks; see `taskDefaults`. */
  readonly tasks?: Partial<TaskSettings>;
  /** Limits and times of streams; see `liveDefaults`. */
  readonly live?: Partial<LiveOptions>;
  /** Where the routes are; see `defaultRoutePaths`. Clients of ours take the same object: `routesOf({ prefix, routes })`. */
  readonly routes?: Partial<RoutePaths>;
  /** Batches, heartbeats, headers and close codes of the two streams; see `streamDefaults`. */
  readonly streams?: GivenStreamSettings;
  /** Limits and times of requests; see `httpDefaults`. */
  readonly http?: Partial<HttpOptions>;
}

const METRICS_EVERY_MS_MIN = 100;
/** The longest delay that a timer takes. */
const DELAY_MS_MAX = 2 ** 31 - 1;

const known: OptionNames<TaskBridgeOptions> = {
  store: true,
  executor: true,
  auth: true,
  ownership: true,
  attachments: true,
  uploads: true,
  contract: true,
  actions: true,
  idempotencyPayload: true,
  readiness: true,
  allowedOrigins: true,
  metrics: true,
  metricsEveryMs: true,
  tracer: true,
  diagnostics: true,
  logger: true,
  redact: true,
  inspect: true,
  clock: true,
  chance: true,
  tasks: true,
  live: true,
  routes: true,
  streams: true,
  http: true,
};

/** Throws a `TypeError` that says what is missing, unknown or does not fit. */
export function checkBridgeOptions(options: TaskBridgeOptions): void {
  assertOptionNames(options, known, 'a bridge');
  // Callers without TypeScript get a sentence instead of a crash at the first request.
  const given = options as Partial<TaskBridgeOptions>;
  if (typeof given.auth !== 'function')
    throw new TypeError('auth is missing: give a function that says who is asking, e.g. auth: (request) => ({ subject: … }).');
  if (typeof given.store !== 'object') throw new TypeError('store is missing: give memoryStore(), lmdbStore({ path }) or another Store.');
  const executors = [given.executor ?? []].flat();
  if (executors.length === 0 || !executors.every((executor) => typeof (executor as Partial<TaskExecutor>).start === 'function'))
    throw new TypeError('executor is missing: give inProcess({ … }) or another TaskExecutor.');
  if (given.contract !== undefined && !isTaskContract(given.contract))
    throw new TypeError('contract is none: give what defineTasks({ … }) of taskbridge/contract makes.');
  if (given.tracer !== undefined && typeof (given.tracer as Partial<Tracer>).startSpan !== 'function')
    throw new TypeError('tracer is none: give openTelemetryTracer() or an object with startSpan().');
  const { metricsEveryMs = METRICS_EVERY_MS } = given;
  if (!Number.isSafeInteger(metricsEveryMs) || metricsEveryMs < METRICS_EVERY_MS_MIN || metricsEveryMs > DELAY_MS_MAX)
    throw new RangeError(`metricsEveryMs (${metricsEveryMs}) must be a whole number from ${METRICS_EVERY_MS_MIN} to ${DELAY_MS_MAX}.`);
  const attachments = given.attachments as Partial<AttachmentStore> | undefined;
  if (attachments && (typeof attachments.storeId !== 'function' || typeof attachments.claim !== 'function'))
    throw new TypeError(
      'attachments has no storeId() and claim(): without them nobody knows whose files they are, and which may be deleted. See AttachmentStore.',
    );
  if (given.attachments && !given.store.exclusive && !given.attachments.shared)
    throw new TypeError(
      'attachments are kept on this node only, but the store is shared by several: give an attachment store that they share.',
    );
}

/** All executors that were given. */
export function executorsOf({ executor }: Partial<Pick<TaskBridgeOptions, 'executor'>>): readonly TaskExecutor[] {
  if (executor === undefined) return [];
  return 'start' in executor ? [executor] : executor;
}
