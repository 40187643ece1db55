import type { Inspect } from '../machines/index.ts';
import { AttachmentSweep } from './attachment-sweep.ts';
import { attemptState } from './attempt/execution-record.ts';
import type { ReconcileCounts } from './attempt/reconcile-counts.ts';
import { Supervisor } from './attempt/supervisor.ts';
import { LiveActors } from './live-actors.ts';
import type { AttachmentStore } from './ports/attachments.ts';
import type { ActionValidationPolicy, OwnershipPolicy } from './ports/auth.ts';
import type { ServerChance } from './ports/chance.ts';
import type { Clock } from './ports/clock.ts';
import type { TaskExecutor } from './ports/executor.ts';
import { commitObserver } from './observability/commit-observer.ts';
import { observedService } from './observability/observed-service.ts';
import { pendingAnswers } from './observability/pending-answers.ts';
import { recordWriter } from './observability/record-writer.ts';
import type { Logger, MetricsSink } from './ports/observability.ts';
import type { Store } from './ports/store.ts';
import { Reconciler, type PruneCounts } from './reconciler.ts';
import { asTaskBridgeError, CommandProcessor } from './task/command-processor.ts';
import type { IdempotencyPayload } from './task/content-hash.ts';
import type { LastWrites } from './task/last-writes.ts';
import type { TaskService } from './task/service.ts';
import type { TaskSettings } from './task/settings.ts';
import { storeClock } from './task/store-clock.ts';
import { createTaskService } from './task/task-service.ts';

/** What the core works with. */
export interface CoreDeps {
  readonly store: Store;
  readonly executors: readonly TaskExecutor[];
  readonly attachments: AttachmentStore | undefined;
  readonly ownership: OwnershipPolicy;
  readonly actions: ActionValidationPolicy | undefined;
  readonly idempotencyPayload?: IdempotencyPayload | undefined;
  readonly metrics: MetricsSink;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly settings: TaskSettings;
  readonly inspect: Inspect | undefined;
  /** Calls back after commits of a task, whichever node made them; gives the way to stop. */
  listen(taskId: string, onCommit: () => void): () => void;
}

/** Everything but HTTP and the live path: decides, commits, looks after work. */
export interface Core {
  readonly nodeId: string;
  readonly service: TaskService;
  readonly actors: LiveActors;
  readonly lastWrites: LastWrites;
  start(): Promise<void>;
  /** See the bridge's. */
  reconcile(): Promise<ReconcileCounts>;
  prune(): Promise<PruneCounts>;
  /** Lets running work finish for that long, then gives it up. */
  close(drainMs: number): Promise<void>;
}

/** Puts the commit path, the supervisor and the reconciler together. */
export function createCore(deps: CoreDeps): Core {
  const { store, clock, chance, logger, metrics, settings, attachments } = deps;
  const nodeId = chance.hex(16);
  const records = recordWriter(logger);
  const time = storeClock(store, clock);
  const processor = new CommandProcessor({ store, clock, time, chance, logger, settings });
  const supervisor = new Supervisor({ ...deps, processor, time, nodeId, records });
  const sweep = attachments && new AttachmentSweep({ attachments, store, clock, logger });
  const reconciler = new Reconciler({
    store,
    clock,
    time,
    logger,
    intervalMs: settings.reconcileMs,
    reconcile: (taskId, atOnce) => (atOnce ? supervisor.reconcileAtOnce(taskId) : supervisor.reconcile(taskId)),
    renewLeases: () => supervisor.renewLeases(),
    sweep: async (signal) => sweep?.run(signal) ?? { swept: 0, failed: 0 },
  });
  const actors = new LiveActors({ ...deps, actorsMax: settings.hotTasksMax, read: (taskId) => processor.read(taskId) });

  // What a commit leaves to be done for the work is done after it, on the node that made it or runs the work.
  const observe = commitObserver({ metrics, records });
  const countPending = pendingAnswers({ ...deps, time, nodeId });
  processor.onCommitted((record, facts) => {
    observe(record, facts);
    const { about, execution } = record;
    const state = attemptState(execution);
    const isConcerned =
      state === 'stopping' || state === 'ended' || state === 'released' || execution.attempt.context.pendingDeliveries.length > 0;
    if (isConcerned) void supervisor.reconcile(about.taskId).then(({ delivered }) => countPending(record, facts, delivered));
  });

  return {
    nodeId,
    service: observedService(createTaskService({ ...deps, processor, supervisor, time, nodeId }), { metrics, records }),
    actors,
    lastWrites: processor.lastWrites,
    start: () => reconciler.start(),
    reconcile: () => reconciler.reconcile().catch(rethrown),
    prune: () => reconciler.prune().catch(rethrown),
    async close(drainMs) {
      // Leases are renewed and deadlines kept as long as work runs.
      await supervisor.drained(drainMs);
      processor.stopRetrying();
      await reconciler.close();
      await supervisor.close();
      await Promise.allSettled(deps.executors.map(async (executor) => executor.close?.()));
      actors.close();
    },
  };
}

/** What a caller of the bridge is told of a failure of the store. */
function rethrown(error: unknown): never {
  throw asTaskBridgeError(error);
}
