import type { Inspect } from '../machines/index.ts';
import type { Fact } from '../machines/wire/index.ts';
import { ownerOnly } from './access/ownership.ts';
import { attemptState } from './attempt/execution-record.ts';
import type { EndedRun } from './attempt/running-attempts.ts';
import type { ReconcileCounts } from './attempt/reconcile-counts.ts';
import type { LogPosition } from './live/log-position.ts';
import { OwnerCount } from './live/owner-count.ts';
import type { Contracts } from './contract/contracts.ts';
import { LiveActors } from './actors/live-actors.ts';
import type { TaskVerbs } from './actors/requests.ts';
import { inspectOptions, TaskInspector, type InspectOptions } from './actors/task-inspector.ts';
import type { Decided, DecisionSource } from './actors/unit-trace.ts';
import type { AttachmentStore } from './ports/attachments.ts';
import type { ActionValidationPolicy, AuthContext, OwnershipPolicy } from './ports/auth.ts';
import type { ServerChance } from './ports/chance.ts';
import type { Clock } from './ports/clock.ts';
import type { TaskExecutor } from './ports/executor.ts';
import { commitObserver } from './observability/commit-observer.ts';
import type { Gauged } from './observability/gauge-sampler.ts';
import { observedService } from './observability/observed-service.ts';
import { pendingAnswers } from './observability/pending-answers.ts';
import { recordWriter } from './observability/record-writer.ts';
import type { Logger, MetricsSink } from './ports/observability.ts';
import type { Store } from './ports/store.ts';
import type { Tracer } from './ports/tracing.ts';
import type { PruneCounts } from './reconciler.ts';
import { systemLists, type SystemLists } from './lists/system-list.ts';
import { PartFlusher } from './parts/part-flusher.ts';
import { ShareBook } from './shares/share-book.ts';
import type { TaskAbout } from './task/about.ts';
import { asTaskBridgeError, CommandProcessor } from './task/command-processor.ts';
import type { IdempotencyPayload } from './task/content-hash.ts';
import type { LastWrites } from './task/last-writes.ts';
import type { TaskService } from './task/service.ts';
import type { TaskRecord } from './task/task-record.ts';
import type { TaskSettings } from './task/settings.ts';
import { storeClock } from './task/store-clock.ts';
import { createTaskService } from './task/task-service.ts';
import { createWorkNode } from './work-node.ts';

/** What the core works with. */
export interface CoreDeps {
  readonly store: Store;
  readonly executors: readonly TaskExecutor[];
  readonly attachments: AttachmentStore | undefined;
  readonly ownership: OwnershipPolicy;
  readonly actions: ActionValidationPolicy | undefined;
  readonly contracts: Contracts;
  readonly idempotencyPayload?: IdempotencyPayload | undefined;
  readonly metrics: Required<MetricsSink>;
  /** The metrics are somebody's: what costs a read is found out for them. Defaults to false. */
  readonly isCounting?: boolean;
  /** Absent where nobody traces. */
  readonly tracer?: Tracer | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly settings: TaskSettings;
  readonly inspect: Inspect | InspectOptions | undefined;
  /** What this node committed. */
  committed(about: TaskAbout, facts: readonly Fact[]): void;
  /** See the hub's. */
  listen(taskId: string, onCommit: (newest?: LogPosition) => void): () => void;
  /** The verbs of a caller by a service, held to the limits of the routes. */
  verbsBy(service: TaskService, auth: AuthContext): TaskVerbs;
  /** The store may have lost what was written last: everybody who follows a log has to look. */
  interrupted(): void;
}

/** Everything but HTTP and the live path: decides, commits, looks after work. */
export interface Core {
  readonly nodeId: string;
  /** For the routes. */
  readonly service: TaskService;
  /** The same for a host that calls it itself. */
  readonly callerService: TaskService;
  /** The same, where nobody asks who may do it: for the host itself, which names the owner. */
  readonly systemService: TaskService;
  /** All tasks, for the host itself. */
  readonly systemLists: SystemLists;
  readonly actors: LiveActors;
  readonly lastWrites: LastWrites;
  /** What the gauges of work and shares show, now. */
  gauges(): Iterable<Gauged>;
  /** The store's time, in milliseconds since the epoch. */
  now(): number;
  /** What never changes of a task. Rejects as `read` does. */
  aboutOf(taskId: string): Promise<TaskAbout>;
  /** True from the first moment of its close on. */
  readonly isDraining: boolean;
  /** Resolves when the store's time is known; what is to be done is looked for in later turns. */
  start(): Promise<void>;
  /** The tail of the store was interrupted: what this node holds there may have changed without a word. */
  compareHeld(): void;
  /** See the bridge's. */
  reconcile(): Promise<ReconcileCounts>;
  prune(): Promise<PruneCounts>;
  /** Claims nothing from now on, lets running work finish for that long, then gives it up. */
  close(drainMs: number): Promise<void>;
}

/** Puts the commit path, the supervisor and the reconciler together. */
export function createCore(deps: CoreDeps): Core {
  const { store, clock, chance, logger, metrics, settings } = deps;
  const nodeId = chance.hex(16);
  const records = recordWriter(logger);
  const time = storeClock(store, clock);
  // Where nobody inspects, nothing is made for it.
  const inspector = deps.inspect && new TaskInspector(inspectOptions(deps.inspect), logger);
  const onDecided = inspector && ((decided: Decided): void => inspector.show(decided));
  const shares = new ShareBook({ store, logger, settings });
  const sharesInDoubt = (owner: string): void => shares.doubt(owner);
  const writingShares = (owner: string): (() => void) => shares.writing(owner);
  const observed = { logger, metrics, tracer: deps.tracer, onDecided, sharesInDoubt, writingShares };
  const processor = new CommandProcessor({ store, clock, time, chance, settings, ...observed });
  // Before all others: who is told next acts on what the owner has by now.
  processor.onCommitted(({ about }, _, by) => shares.note(about, by));
  const flusher = store.lanes && new PartFlusher({ lanes: store.lanes, logger, metrics });
  const onRunEnded = ({ taskType: task_type, ms }: EndedRun): void => metrics.observeHistogram('run_seconds', ms / 1000, { task_type });
  const node = createWorkNode({ ...deps, processor, time, nodeId, records, shares, flusher, onRunEnded });
  const { supervisor, rooms, heldBack, recounts } = node;
  const copies = new OwnerCount();
  const serviceFor = (source: DecisionSource, ownership: OwnershipPolicy): TaskService => {
    const parts = { ...deps, records, source, ownership, processor, supervisor, rooms, shares, heldBack, recounts, copies, time, nodeId };
    return observedService(createTaskService(parts), { metrics, records });
  };
  // Who holds an actor is the host: it is not asked whose task it is.
  const hostService = serviceFor('host', { allowAccess: () => true });
  const actors = new LiveActors({
    ...deps,
    actorsMax: settings.hotTasksMax,
    requestsMax: settings.waitingIntentsMax,
    now: () => time.now(),
    read: (taskId) => processor.read(taskId),
    verbsFor: (auth) => deps.verbsBy(hostService, auth),
  });

  // What a commit leaves to be done for the work is done after it, on the node that made it or runs the work.
  const observe = commitObserver({ ...deps, records, time, isCounting: deps.isCounting ?? false });
  const countPending = pendingAnswers({ ...deps, nodeId, isLeaseOver: node.isLeaseOver });
  processor.onCommitted((record, facts, by, notes) => {
    observe(record, facts, by, notes);
    deps.committed(record.about, facts);
    if (isOwed(record) || supervisor.isStale(record))
      void supervisor.reconcile(record.about.taskId, 'known').then(({ delivered }) => countPending(record, facts, delivered));
  });

  return {
    nodeId,
    service: serviceFor('http', deps.ownership),
    callerService: serviceFor('host', deps.ownership),
    systemService: serviceFor('host', ownerOnly),
    systemLists: systemLists({ store, processor, time }),
    actors,
    lastWrites: processor.lastWrites,
    *gauges() {
      yield* supervisor.gauges();
      yield* shares.gauges();
      if (flusher) yield* flusher.gauges();
    },
    aboutOf: async (taskId) => (processor.known(taskId) ?? (await processor.read(taskId))).about,
    now: () => time.now(),
    get isDraining() {
      return supervisor.isDraining;
    },
    start: node.start,
    compareHeld: node.compareHeld,
    reconcile: () => node.reconciler.reconcile().catch(rethrown),
    prune: () => node.reconciler.prune().catch(rethrown),
    async close(drainMs) {
      await node.close(drainMs);
      actors.close();
      inspector?.close();
    },
  };
}

/** True where a commit left something to be told to the work. */
function isOwed({ execution }: TaskRecord): boolean {
  const state = attemptState(execution);
  return state === 'stopping' || state === 'ended' || state === 'released' || execution.attempt.context.pendingDeliveries.length > 0;
}

/** What a caller of the bridge is told of a failure of the store. */
function rethrown(error: unknown): never {
  throw asTaskBridgeError(error);
}
