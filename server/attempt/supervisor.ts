import { TaskBridgeError } from '../errors.ts';
import type { TaskExecutor } from '../ports/executor.ts';
import {
  executorOf,
  leaseUntil,
  orderStop,
  pauseMs,
  type ReconcileDeps,
  type ReconcileResult,
  type ReconcileStep,
} from './reconcile-step.ts';
import { emptyTally } from './reconcile-counts.ts';
import { RunningAttempts, type RunningAttemptsDeps } from './running-attempts.ts';
import { inspectWork } from './inspection.ts';
import { claimWork, startWork } from './claim-and-start.ts';
import { expireLease, giveUpLostHistory, renewLease } from './lease.ts';
import { attemptState, type AttemptState } from './execution-record.ts';
import { stopStaleRun, endOverdueCancel, deliverResolution, deliverCancel, notifyEnded } from './notifying.ts';
import { expireQuestions } from './question-expiry.ts';
import { removeExpired } from './task-removal.ts';

/** What may have to be done, by the state of the attempt's chart; the first step that finds something to do is done. */
const steps: Readonly<Record<AttemptState, readonly ReconcileStep[]>> = {
  pending: [expireQuestions, stopStaleRun, claimWork],
  lost: [expireQuestions, stopStaleRun, claimWork],
  starting: [expireQuestions, stopStaleRun, giveUpLostHistory, startWork, expireLease],
  held: [expireQuestions, stopStaleRun, giveUpLostHistory, deliverResolution, inspectWork, expireLease, renewLease],
  stopping: [
    expireQuestions,
    stopStaleRun,
    giveUpLostHistory,
    endOverdueCancel,
    deliverCancel,
    deliverResolution,
    inspectWork,
    expireLease,
    renewLease,
  ],
  notified: [expireQuestions, stopStaleRun, giveUpLostHistory, endOverdueCancel, deliverResolution, inspectWork, expireLease, renewLease],
  ended: [stopStaleRun, notifyEnded],
  released: [stopStaleRun, removeExpired],
};

/** A task that is being reconciled. */
interface Reconciliation {
  /** Something was committed since its last step. */
  again: boolean;
  done: Promise<ReconcileResult>;
}

/** A rest after a failure. */
interface Pause {
  until: number;
  readonly failures: number;
}

/** What the supervisor works with. */
export interface SupervisorDeps extends Omit<ReconcileDeps, 'running'>, Pick<RunningAttemptsDeps, 'listen'> {}

/** Steps that are done for one task before others have their turn. */
const STEPS_MAX = 64;

/**
 * Brings a task to rest, one reconcile step after the other, until nothing is left to do for it now: starts work, hands over answers, notifies work
 * that it has to stop, renews leases, notices lost work and passed deadlines.
 */
export class Supervisor {
  readonly #deps: ReconcileDeps;
  readonly #reconciling = new Map<string, Reconciliation>();
  readonly #paused = new Map<string, Pause>();
  readonly #claiming = new Set<Promise<unknown>>();
  #leasesRenewedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(deps: SupervisorDeps) {
    const running = new RunningAttempts({ ...deps, onCommit: (taskId) => void this.reconcile(taskId) });
    this.#deps = { ...deps, running };
    deps.processor.onCommitted(({ about, aggregate }) => running.noteSeen(about.taskId, aggregate.lastEventId));
  }

  /** The executor that runs tasks of a type here, if one does. */
  executorOf(taskType: string): TaskExecutor | undefined {
    return executorOf(this.#deps, taskType);
  }

  /** When a lease that is taken now ends. */
  leaseUntil(): number {
    return leaseUntil(this.#deps);
  }

  /**
   * Does what claims work for this node, and is waited for when it closes. Rejects with `STORE_UNAVAILABLE` from then on: what would be claimed
   * is for another node.
   */
  whileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed)
      return Promise.reject(new TaskBridgeError('STORE_UNAVAILABLE', 'This server is closing; try again.', { retryAfterSeconds: 1 }));
    const done = work();
    this.#claiming.add(done);
    const forget = (): void => void this.#claiming.delete(done);
    done.then(forget, forget);
    return done;
  }

  /**
   * Does what has to be done for a task until nothing is left to do now. Never rejects; what failed is tried again later. Who asks while
   * it goes on gets the very same result.
   */
  reconcile(taskId: string): Promise<ReconcileResult> {
    const current = this.#reconciling.get(taskId);
    if (current) {
      current.again = true;
      return current.done;
    }
    if (this.#closed) return this.#giveUpClaim(taskId);
    const reconciliation: Reconciliation = { again: false, done: Promise.resolve({ tally: emptyTally() }) };
    this.#reconciling.set(taskId, reconciliation);
    reconciliation.done = this.#run(taskId, reconciliation);
    return reconciliation.done;
  }

  /** Does the same for a task that rests after a failure: somebody says that what failed may work again. */
  reconcileAtOnce(taskId: string): Promise<ReconcileResult> {
    const pause = this.#paused.get(taskId);
    if (pause) pause.until = Number.NEGATIVE_INFINITY;
    return this.reconcile(taskId);
  }

  /** Renews the leases of the work that runs here, where leases end: looks at each three times in the life of one. */
  async renewLeases(): Promise<void> {
    const { store, time, settings, running } = this.#deps;
    if (store.exclusive || time.now() - this.#leasesRenewedAt < settings.leaseMs / 3) return;
    this.#leasesRenewedAt = time.now();
    await Promise.all(running.all().map(({ taskId }) => this.reconcile(taskId)));
  }

  /** Resolves when no work runs here any more, or after that many milliseconds. */
  drained(ms: number): Promise<void> {
    return this.#deps.running.drained(ms);
  }

  /** Stops what still runs here and gives it up, so that another node can take it at once. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...[...this.#reconciling.values()].map(({ done }) => done), ...this.#claiming]);
    const { running, processor, settings } = this.#deps;
    await Promise.allSettled(
      running.all().map(async ({ taskId, attempt }) => {
        running.release(taskId);
        await orderStop(await processor.read(taskId), attempt, { why: 'fenced' }, this.#deps);
        await processor.execute(taskId, {
          decide: (unit) =>
            unit.execution.attempt.context.attempt === attempt &&
            unit.record({ type: 'attempt.lost', startBy: unit.now + settings.startWithinMs }),
        });
      }),
    );
  }

  async #run(taskId: string, reconciliation: Reconciliation): Promise<ReconcileResult> {
    const result: ReconcileResult = { tally: { ...emptyTally(), visited: 1 } };
    try {
      if ((this.#paused.get(taskId)?.until ?? 0) > this.#deps.time.now()) return result;
      let done = 0;
      do {
        reconciliation.again = false;
        reconciliation.again = (await this.#doStep(taskId, result)) || reconciliation.again;
      } while (reconciliation.again && ++done < STEPS_MAX && !this.#closed);
      this.#paused.delete(taskId);
    } catch (error) {
      if (error instanceof TaskBridgeError && error.code === 'TASK_NOT_FOUND') this.#forget(taskId);
      else {
        result.tally.failed = 1;
        this.#pause(taskId, error);
      }
    } finally {
      this.#reconciling.delete(taskId);
      if (reconciliation.again && this.#closed) await this.#giveUpClaim(taskId);
      else if (reconciliation.again && !this.#paused.has(taskId)) void this.reconcile(taskId);
    }
    return result;
  }

  /** What was claimed in the last moment and is not started is for another node, now and not when its lease is over. Never rejects. */
  async #giveUpClaim(taskId: string): Promise<ReconcileResult> {
    const { processor, nodeId } = this.#deps;
    const deferred = processor.execute(taskId, {
      decide: (unit) =>
        attemptState(unit.execution) === 'starting' &&
        unit.execution.attempt.context.node === nodeId &&
        unit.record({ type: 'attempt.deferred', retryAt: unit.now }),
    });
    // Where the store is closed already, the lease runs out.
    await deferred.catch(() => undefined);
    return { tally: emptyTally() };
  }

  async #doStep(taskId: string, result: ReconcileResult): Promise<boolean> {
    const { processor, running } = this.#deps;
    const asked = running.newestOf(taskId);
    const state = await processor.read(taskId);
    running.compare(taskId, state.aggregate.lastEventId, asked);
    for (const step of steps[attemptState(state.execution)]) {
      if (await step(state, this.#deps, result)) return true;
    }
    return false;
  }

  /** The task is gone, and nothing is left to do for it. */
  #forget(taskId: string): void {
    this.#deps.running.release(taskId);
    this.#paused.delete(taskId);
  }

  #pause(taskId: string, error: unknown): void {
    const failures = (this.#paused.get(taskId)?.failures ?? 0) + 1;
    const ms = pauseMs(this.#deps, failures - 1);
    const pause: Pause = { until: this.#deps.time.now() + ms, failures };
    this.#paused.set(taskId, pause);
    this.#deps.logger.warn('A task could not be looked after; it is tried again.', { taskId, pauseMs: ms, error });
    this.#deps.clock.setTimeout(() => {
      // Over, whatever the time says: a timer may fire a little early, and the clock may have been set back.
      pause.until = Number.NEGATIVE_INFINITY;
      if (!this.#closed) void this.reconcile(taskId);
    }, ms);
  }
}
