import { AttachmentSweep } from './attachment-sweep.ts';
import { giveUp } from './attempt/giving-up.ts';
import { HeldWork } from './attempt/held-work.ts';
import { LostNodes } from './attempt/lost-nodes.ts';
import { NodeLease } from './attempt/node-lease.ts';
import { Rooms } from './attempt/rooms.ts';
import { Supervisor, type SupervisorDeps } from './attempt/supervisor.ts';
import { SilenceLimit } from './attempt/time-limit.ts';
import { Backfill } from './lists/backfill.ts';
import type { TaskRecord } from './task/task-record.ts';
import { Reconciler } from './reconciler.ts';
import { HeldBack } from './shares/held-back.ts';
import { Recounts } from './shares/recount.ts';

/** What a node that works is made from. */
export interface WorkNodeDeps extends Omit<SupervisorDeps, 'rooms' | 'heldBack' | 'isLeaseOver' | 'leaseOf' | 'onRoom' | 'onReady'> {
  /** The store may have lost what was written last: everybody who follows a log has to look. */
  interrupted(): void;
}

/** The part of a server that works: finds what there is to do, does it, shows that it lives and sees who does not. */
export interface WorkNode {
  readonly supervisor: Supervisor;
  readonly reconciler: Reconciler;
  readonly rooms: Rooms;
  readonly heldBack: HeldBack;
  readonly recounts: Recounts;
  /** True where another node holds the task that is gone. */
  isLeaseOver(state: TaskRecord): boolean;
  /** Resolves when the store's time is known; all else is in later turns. */
  start(): Promise<void>;
  /** Compares what this node runs, and what the store says that it holds. */
  compareHeld(): void;
  /**
   * Claims nothing from now on, lets running work finish for that long, then gives it up; until then the lease is renewed and deadlines are kept. Does not wait for a store that takes nothing for five
   * seconds after that: what this node holds is then taken when its lease is over.
   */
  close(drainMs: number): Promise<void>;
}

/** How long a close waits for a store that takes nothing. */
const CLOSE_SILENT_MS = 5000;

/** Puts the supervisor, the reconciler and the leases together. */
export function createWorkNode(deps: WorkNodeDeps): WorkNode {
  const { store, clock, logger, settings, attachments, executors, shares } = deps;
  const sweep = attachments && new AttachmentSweep({ attachments, store, clock, logger });
  const rooms: Rooms = new Rooms({ executors, isDraining: () => supervisor.isDraining });
  const lostNodes = new LostNodes({
    ...deps,
    leaseMs: settings.leaseMs,
    giveUp: (taskId, over) => giveUp(taskId, deps, { of: { node: over.lease.node }, crashed: true, over }),
    visit: (taskId) => supervisor.reconcile(taskId),
    onGivenUp: () => reconciler.noteReady(),
  });
  const visit = (taskId: string) => supervisor.reconcile(taskId);
  const heldBack: HeldBack = new HeldBack({ book: shares, visit, onRoom: () => reconciler.noteReady() });
  const recounts = new Recounts({ ...deps, book: shares });
  const backfill = new Backfill({ ...deps, sharesInDoubt: (owner) => shares.doubt(owner) });
  const supervisor: Supervisor = new Supervisor({
    ...deps,
    rooms,
    heldBack,
    isLeaseOver: (state) => lostNodes.isLeaseOver(state),
    leaseOf: (state) => lostNodes.leaseOf(state),
    onRoom: () => reconciler.lookSoon(),
    onReady: (executor) => reconciler.noteReady(executor),
  });
  const reconciler = new Reconciler({
    ...deps,
    intervalMs: settings.reconcileMs,
    reconcile: (taskId, atOnce) => (atOnce ? supervisor.reconcileAtOnce(taskId) : supervisor.reconcile(taskId)),
    offers: () => supervisor.offers(),
    hasRoom: (executor) => supervisor.hasRoom(executor),
    resting: () => supervisor.resting,
    waiting: () => supervisor.waiting,
    lookForLostNodes: () => lostNodes.look(),
    heldBack,
    recounts,
    backfill,
    sweep: async (signal) => sweep?.run(signal) ?? { swept: 0, failed: 0 },
  });
  const own = ownLease(deps, supervisor);
  for (const executor of executors) executor.onRoom?.(() => supervisor.noteRoom());
  return {
    supervisor,
    reconciler,
    rooms,
    heldBack,
    recounts,
    isLeaseOver: (state) => lostNodes.isLeaseOver(state),
    async start() {
      await reconciler.start();
      lostNodes.start();
      own.start();
    },
    compareHeld() {
      supervisor.runs.compareAll();
      own.compare();
    },
    close: (drainMs) =>
      closeNode(deps, supervisor, drainMs, [
        () => Promise.all([reconciler.close(), lostNodes.close(), own.stopComparing(), recounts.close(), backfill.close()]),
        () => supervisor.close(),
        () => Promise.allSettled(executors.map(async (executor) => executor.close?.())),
        () => own.close(),
      ]),
  };
}

async function closeNode(
  deps: WorkNodeDeps,
  supervisor: Supervisor,
  drainMs: number,
  steps: readonly (() => Promise<unknown>)[],
): Promise<void> {
  const draining = supervisor.drain();
  await supervisor.drained(drainMs);
  supervisor.hurry();
  await untilSilent(deps, draining, steps);
}

/** Does one thing after the other, all of them; does not wait for any where the store has taken nothing for a while. */
async function untilSilent(deps: WorkNodeDeps, begun: Promise<void>, steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const { processor, shares, logger, nodeId } = deps;
  processor.stopRetrying();
  const limit = new SilenceLimit(deps, CLOSE_SILENT_MS);
  processor.onCommitted(() => limit.heard());
  await limit.wait(begun);
  for (const step of steps) await limit.wait(step());
  // What the last commits changed of them.
  await limit.wait(shares.flushed());
  limit.close();
  if (!limit.isOver) return;
  const fields = { nodeId, silentMs: CLOSE_SILENT_MS };
  logger.warn('This node closes though the store does not answer: what it holds is taken when its lease is over.', fields);
}

/** This node's own sign of life, and what follows from it. */
function ownLease({ store, clock, logger, nodeId, settings: { leaseMs }, interrupted }: WorkNodeDeps, supervisor: Supervisor) {
  const held = new HeldWork({
    store,
    clock,
    logger,
    nodeId,
    leaseMs,
    isRunning: (taskId) => supervisor.isRunning(taskId),
    visit: (taskId) => void supervisor.reconcile(taskId),
  });
  const lease = new NodeLease({
    store,
    clock,
    logger,
    nodeId,
    leaseMs,
    onSilent: (buckets) => supervisor.runs.abortRepeatable(buckets),
    onAnswered(buckets) {
      supervisor.runs.putBackAborted(buckets);
      void held.compare();
    },
    onReset(buckets) {
      supervisor.runs.compare(buckets);
      void held.compare();
      interrupted();
    },
  });
  return {
    start() {
      // Where the store is this process's alone, nobody asks whether it lives.
      if (store.exclusive) return;
      lease.start();
      held.start();
    },
    compare: () => void (store.exclusive || held.compare()),
    stopComparing: () => held.close(),
    close: () => lease.close(),
  };
}
