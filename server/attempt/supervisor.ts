import { TaskBridgeError } from '../errors.ts';
import type { TaskExecutor } from '../ports/executor.ts';
import { executorOf, leaseUntil, pauseMs, tellToStop, type Duty, type DutyContext, type Visited } from './duty.ts';
import { Holdings, type HoldingsContext } from './holdings.ts';
import { inspect } from './inspection.ts';
import { claim, start } from './launch.ts';
import { loseIfExpired, loseWithHistory, renew } from './lease.ts';
import { attemptState, type AttemptState } from './ledger.ts';
import { dropStale, endOverdueCancel, handOver, handOverCancel, sayEnded } from './telling.ts';
import { expireQuestions, retire } from './upkeep.ts';

/** What may be owed, by the state of the attempt's chart; the first duty that finds something to do is done. */
const duties: Readonly<Record<AttemptState, readonly Duty[]>> = {
  pending: [expireQuestions, dropStale, claim],
  lost: [expireQuestions, dropStale, claim],
  starting: [expireQuestions, dropStale, loseWithHistory, start, loseIfExpired],
  held: [expireQuestions, dropStale, loseWithHistory, handOver, inspect, loseIfExpired, renew],
  stopping: [expireQuestions, dropStale, loseWithHistory, endOverdueCancel, handOverCancel, handOver, inspect, loseIfExpired, renew],
  told: [expireQuestions, dropStale, loseWithHistory, endOverdueCancel, handOver, inspect, loseIfExpired, renew],
  ended: [dropStale, sayEnded],
  released: [dropStale, retire],
};

interface Visit {
  again: boolean;
  done: Promise<Visited>;
}

/** A rest after a failure. */
interface Pause {
  until: number;
  readonly failures: number;
}

/** What the supervisor works with. */
export interface SupervisorContext extends Omit<DutyContext, 'holdings'>, Pick<HoldingsContext, 'follow'> {}

/** Duties that one visit does before it gives others a turn. */
const DUTIES_MAX = 64;

/**
 * Brings what is owed to a task to its end, one duty after the other, until nothing is left to do now: starts work, hands over answers,
 * tells work to stop, renews leases, notices lost work and passed deadlines.
 */
export class Supervisor {
  readonly #context: DutyContext;
  readonly #visits = new Map<string, Visit>();
  readonly #paused = new Map<string, Pause>();
  readonly #claiming = new Set<Promise<unknown>>();
  #leasesKeptAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(context: SupervisorContext) {
    const holdings = new Holdings({ ...context, onCommit: (taskId) => void this.visit(taskId) });
    this.#context = { ...context, holdings };
    context.desk.onCommitted(({ about, aggregate }) => holdings.saw(about.taskId, aggregate.lastEventId));
  }

  executorOf(taskType: string): TaskExecutor | undefined {
    return executorOf(this.#context, taskType);
  }

  /** When a lease that is taken now ends. */
  leaseUntil(): number {
    return leaseUntil(this.#context);
  }

  /**
   * Does what claims work for this node, and is waited for when it closes. Rejects with `STORE_UNAVAILABLE` from then on: what would be claimed
   * is for another node.
   */
  claiming<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed)
      return Promise.reject(new TaskBridgeError('STORE_UNAVAILABLE', 'This server is closing; try again.', { retryAfterSeconds: 1 }));
    const done = work();
    this.#claiming.add(done);
    const forget = (): void => void this.#claiming.delete(done);
    done.then(forget, forget);
    return done;
  }

  /** Looks after a task until nothing is left to do now. Never rejects; what failed is tried again later. */
  visit(taskId: string): Promise<Visited> {
    const running = this.#visits.get(taskId);
    if (running) {
      running.again = true;
      return running.done;
    }
    if (this.#closed) return this.#handBack(taskId);
    const visit: Visit = { again: false, done: Promise.resolve({}) };
    this.#visits.set(taskId, visit);
    visit.done = this.#run(taskId, visit);
    return visit.done;
  }

  /** Keeps the leases of the work that runs here, where leases end: looks at each three times in the life of one. */
  async keepLeases(): Promise<void> {
    const { store, time, settings, holdings } = this.#context;
    if (store.exclusive || time.now() - this.#leasesKeptAt < settings.leaseMs / 3) return;
    this.#leasesKeptAt = time.now();
    await Promise.all(holdings.all().map(({ taskId }) => this.visit(taskId)));
  }

  /** Resolves when no work runs here any more, or after that many milliseconds. */
  drained(ms: number): Promise<void> {
    return this.#context.holdings.drained(ms);
  }

  /** Stops what still runs here and gives it up, so that another node can take it at once. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...[...this.#visits.values()].map(({ done }) => done), ...this.#claiming]);
    const { holdings, desk, settings } = this.#context;
    await Promise.allSettled(
      holdings.all().map(async ({ taskId, attempt }) => {
        holdings.release(taskId);
        await tellToStop(await desk.read(taskId), attempt, { why: 'fenced' }, this.#context);
        await desk.ask(taskId, {
          decide: (draft) =>
            draft.ledger.attempt.context.attempt === attempt &&
            draft.enter({ type: 'attempt.lost', startBy: draft.now + settings.startWithinMs }),
        });
      }),
    );
  }

  async #run(taskId: string, visit: Visit): Promise<Visited> {
    const visited: Visited = {};
    try {
      if ((this.#paused.get(taskId)?.until ?? 0) > this.#context.time.now()) return visited;
      let done = 0;
      do {
        visit.again = false;
        visit.again = (await this.#doOne(taskId, visited)) || visit.again;
      } while (visit.again && ++done < DUTIES_MAX && !this.#closed);
      this.#paused.delete(taskId);
    } catch (error) {
      if (error instanceof TaskBridgeError && error.code === 'TASK_NOT_FOUND') this.#letGo(taskId);
      else this.#pause(taskId, error);
    } finally {
      this.#visits.delete(taskId);
      if (visit.again && this.#closed) await this.#handBack(taskId);
      else if (visit.again && !this.#paused.has(taskId)) void this.visit(taskId);
    }
    return visited;
  }

  /** What was claimed in the last moment and is not started is for another node, now and not when its lease is over. Never rejects. */
  async #handBack(taskId: string): Promise<Visited> {
    const { desk, nodeId } = this.#context;
    const deferred = desk.ask(taskId, {
      decide: (draft) =>
        attemptState(draft.ledger) === 'starting' &&
        draft.ledger.attempt.context.node === nodeId &&
        draft.enter({ type: 'attempt.deferred', retryAt: draft.now }),
    });
    // Where the store is closed already, the lease runs out.
    await deferred.catch(() => undefined);
    return {};
  }

  async #doOne(taskId: string, visited: Visited): Promise<boolean> {
    const { desk, holdings } = this.#context;
    const asked = holdings.newestOf(taskId);
    const state = await desk.read(taskId);
    holdings.compare(taskId, state.aggregate.lastEventId, asked);
    for (const duty of duties[attemptState(state.ledger)]) {
      if (await duty(state, this.#context, visited)) return true;
    }
    return false;
  }

  /** The task is gone, and nothing is owed to it. */
  #letGo(taskId: string): void {
    this.#context.holdings.release(taskId);
    this.#paused.delete(taskId);
  }

  #pause(taskId: string, error: unknown): void {
    const failures = (this.#paused.get(taskId)?.failures ?? 0) + 1;
    const ms = pauseMs(this.#context, failures - 1);
    const pause: Pause = { until: this.#context.time.now() + ms, failures };
    this.#paused.set(taskId, pause);
    this.#context.logger.warn('A task could not be looked after; it is tried again.', { taskId, pauseMs: ms, error });
    this.#context.clock.setTimeout(() => {
      // Over, whatever the time says: a timer may fire a little early, and the clock may have been set back.
      pause.until = Number.NEGATIVE_INFINITY;
      if (!this.#closed) void this.visit(taskId);
    }, ms);
  }
}
