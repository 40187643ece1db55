import type { Inspect } from '../machines/index.ts';
import { sweepAttachments } from './attachment-sweep.ts';
import { attemptState } from './attempt/ledger.ts';
import { Supervisor } from './attempt/supervisor.ts';
import { LiveActors } from './live-actors.ts';
import type { AttachmentStore } from './ports/attachments.ts';
import type { ActionValidationPolicy, OwnershipPolicy } from './ports/auth.ts';
import type { Chance } from './ports/chance.ts';
import type { Clock } from './ports/clock.ts';
import type { TaskExecutor } from './ports/executor.ts';
import type { Logger, MetricsSink } from './ports/observability.ts';
import type { Store } from './ports/store.ts';
import { Reconciler } from './reconciler.ts';
import { Desk } from './task/desk.ts';
import type { TaskService } from './task/service.ts';
import type { TaskSettings } from './task/settings.ts';
import { storeClock } from './task/store-clock.ts';
import { createTaskService } from './task/task-service.ts';

/** What the core is made of. */
export interface CoreContext {
  readonly store: Store;
  readonly executors: readonly TaskExecutor[];
  readonly attachments: AttachmentStore | undefined;
  readonly ownership: OwnershipPolicy;
  readonly actions: ActionValidationPolicy | undefined;
  readonly metrics: MetricsSink;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly settings: TaskSettings;
  readonly inspect: Inspect | undefined;
  /** Calls back after commits of a task, whichever node made them; gives the way to stop. */
  follow(taskId: string, onCommit: () => void): () => void;
}

/** Everything but the doors: decides, commits, looks after work. */
export interface Core {
  readonly nodeId: string;
  readonly service: TaskService;
  readonly actors: LiveActors;
  start(): Promise<void>;
  /** Lets running work finish for that long, then gives it up. */
  close(drainMs: number): Promise<void>;
}

/** Puts the commit path, the supervisor and the reconciler together. */
export function createCore(context: CoreContext): Core {
  const { store, clock, chance, logger, settings, attachments } = context;
  const nodeId = chance.hex(16);
  const time = storeClock(store, clock);
  const desk = new Desk({ store, clock, time, chance, logger, settings });
  const supervisor = new Supervisor({ ...context, desk, time, nodeId });
  const reconciler = new Reconciler({
    store,
    clock,
    time,
    logger,
    intervalMs: settings.reconcileMs,
    visit: (taskId) => supervisor.visit(taskId),
    keepLeases: () => supervisor.keepLeases(),
    sweep: async () => {
      if (attachments) await sweepAttachments(attachments, store, clock);
    },
  });
  const actors = new LiveActors({ ...context, actorsMax: settings.hotTasksMax, read: (taskId) => desk.read(taskId) });

  // What a commit owes to the work, or lets go of, is done after it, on the node that made it or holds the work.
  desk.onCommitted(({ about, ledger }) => {
    const state = attemptState(ledger);
    const isConcerned = state === 'stopping' || state === 'ended' || state === 'released' || ledger.attempt.context.owed.length > 0;
    if (isConcerned) void supervisor.visit(about.taskId);
  });

  return {
    nodeId,
    service: createTaskService({ ...context, desk, supervisor, time, nodeId }),
    actors,
    start: () => reconciler.start(),
    async close(drainMs) {
      // Leases are renewed and deadlines kept as long as work runs.
      await supervisor.drained(drainMs);
      desk.hurry();
      await reconciler.close();
      await supervisor.close();
      await Promise.allSettled(context.executors.map(async (executor) => executor.close?.()));
      actors.close();
    },
  };
}
