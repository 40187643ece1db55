import { parseEventId, type EventId } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { Gauged } from '../observability/gauge-sampler.ts';
import type { TaskExecutor } from '../ports/executor.ts';
import type { TaskRecord } from '../task/task-record.ts';
import { attemptState } from './execution-record.ts';
import { ExecutorCalls } from './executor-calls.ts';
import { Deadlines } from './deadlines.ts';
import { clearSuspect } from './giving-up.ts';
import { hasRoom, offersOf, type Offer, type OffersDeps } from './offers.ts';
import { OwnRuns } from './own-runs.ts';
import { emptyTally } from './reconcile-counts.ts';
import { executorOf, pauseMs, type ReconcileDeps, type ReconcileResult } from './reconcile-step.ts';
import { RunningAttempts, type RunningAttemptsDeps } from './running-attempts.ts';
import { stepsOf } from './steps.ts';
import { StopOrders } from './stop-orders.ts';
import { SuspectTurn } from './suspects.ts';
import { workGauges } from './work-gauges.ts';

/** How a visit learns where a task stands: as this node knew it last, which will do after a commit of its own, or by asking the store. */
export type Knowledge = 'known' | 'stored';

/** A task that is being reconciled. */
interface Reconciliation {
  /** Something was committed since its last step, here (`known`) or somewhere (`stored`). */
  again: Knowledge | undefined;
  /** What the task was created with, where it was a moment ago, here. */
  readonly content: string | undefined;
  /** Where the task stands, as its step sees it. */
  state: TaskRecord | undefined;
  done: Promise<ReconcileResult>;
}

/** A rest after a failure. */
interface Pause {
  until: number;
  readonly failures: number;
}

/** What the supervisor works with. */
export interface SupervisorDeps
  extends
    Omit<ReconcileDeps, 'running' | 'suspects' | 'stops' | 'call' | 'content' | 'onLostHistory'>,
    Pick<RunningAttemptsDeps, 'listen' | 'onRunEnded'> {
  /** There may be room for work that had to wait. */
  onRoom(): void;
  /** Work waits in the store that this executor had no room for; of any where none is named. */
  onReady(executor: TaskExecutor | undefined): void;
}

/** Steps that are done for one task before others have their turn. */
const STEPS_MAX = 64;
/** Most tasks that are asked for at once of one kind of work. */
const OFFER_MAX = 100;

/**
 * Brings a task to rest, one reconcile step after the other, until nothing is left to do for it now: starts work, hands over answers, notifies work
 * that it has to stop, notices lost work and passed deadlines. While one waits for an executor, the deadlines of its task are kept beside it.
 */
export class Supervisor {
  /** What happens to all that runs here at once. */
  readonly runs: OwnRuns;
  readonly #deps: ReconcileDeps;
  readonly #onReady: SupervisorDeps['onReady'];
  readonly #onRoom: SupervisorDeps['onRoom'];
  readonly #calls: ExecutorCalls;
  readonly #suspects: SuspectTurn;
  readonly #stops: StopOrders;
  readonly #deadlines = new Deadlines(() => this.#deps);
  readonly #offers: OffersDeps;
  readonly #reconciling = new Map<string, Reconciliation>();
  readonly #paused = new Map<string, Pause>();
  readonly #claiming = new Set<Promise<unknown>>();
  #isDraining = false;
  #closed = false;

  constructor(deps: SupervisorDeps) {
    const { clock, settings, executors, rooms } = deps;
    const calls = new ExecutorCalls({ clock, callsMax: settings.executorCallsMax, timeoutMs: settings.executorTimeoutMs });
    const suspects = new SuspectTurn({
      clock,
      crashesMax: settings.crashesMax,
      onTurn: (taskId) => this.reconcile(taskId),
      onWatched: (taskId) => clearSuspect(taskId, this.#deps),
    });
    const running = new RunningAttempts({
      ...deps,
      settled: (taskId) => deps.processor.settled(taskId),
      onCommit: (taskId) => void this.reconcile(taskId),
      onReleased: (taskId) => {
        suspects.free(taskId);
        this.noteRoom();
      },
    });
    this.#calls = calls;
    this.#suspects = suspects;
    this.#stops = new StopOrders({ ...deps, call: (...asked) => calls.call(...asked) });
    this.#onRoom = deps.onRoom;
    this.#onReady = deps.onReady;
    this.#offers = { executors, rooms, calls, offerMax: OFFER_MAX };
    this.#deps = {
      ...deps,
      running,
      suspects,
      stops: this.#stops,
      call: (...asked) => calls.call(...asked),
      onLostHistory: (run) => {
        running.noteLost(run);
        void this.reconcileAtOnce(run.taskId);
      },
    };
    this.runs = new OwnRuns({ ...this.#deps, visit: (taskId) => this.reconcileAtOnce(taskId) });
    deps.processor.onCommitted((record, facts) => {
      const last = facts.at(-1);
      if (last) running.noteCommitted(last.taskId, last.eventId);
      else running.noteSeen(record.about.taskId, record.aggregate.lastEventId);
      running.noteStanding(record);
      suspects.note(record);
      this.noteRoom();
    });
  }

  /** The executor that runs tasks of a type here, if one does. */
  executorOf(taskType: string): TaskExecutor | undefined {
    return executorOf(this.#deps, taskType);
  }

  /** A task waits in the store that there was no room for here. */
  noteReady(taskType: string): void {
    this.#onReady(this.executorOf(taskType));
  }

  /** There may be room for work that had to wait, here or in the store. */
  noteRoom(): void {
    if (!this.#isDraining) this.#suspects.next();
    this.#onRoom();
  }

  /** From the first moment of its close on: this node claims nothing. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** True where the work of a task runs here. */
  isRunning(taskId: string): boolean {
    return this.#deps.running.attemptOf(taskId) !== undefined;
  }

  /** True where work runs here that is no longer this node's, as a commit shows. */
  isStale({ about: { taskId }, execution: { attempt } }: TaskRecord): boolean {
    const runs = this.#deps.running.attemptOf(taskId);
    return runs !== undefined && (runs !== attempt.context.attempt || attempt.context.node !== this.#deps.nodeId);
  }

  /** What this node could begin, each offer made when it is asked for. */
  offers(): Iterable<Offer> {
    return offersOf(this.#offers);
  }

  /** True where this node could begin more work of an executor. */
  hasRoom(executor: TaskExecutor): boolean {
    return hasRoom(this.#offers, executor);
  }

  /** Visits that wait for an executor, at most. */
  get waiting(): number {
    return this.#calls.pending;
  }

  /** What the gauges of work show, now. */
  gauges(): Iterable<Gauged> {
    const { running, processor } = this.#deps;
    return workGauges({ runs: running.all(), resting: this.#paused.keys(), known: (taskId) => processor.known(taskId) });
  }

  /** Tasks that rest here after a failure. */
  get resting(): readonly string[] {
    return [...this.#paused.keys()];
  }

  /**
   * Does what makes work, and is waited for when this node closes. Rejects with `STORE_UNAVAILABLE` from then on, and where the store is this
   * node's alone from the beginning of its close: nobody else could take it.
   */
  whileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed || (this.#isDraining && this.#deps.store.exclusive))
      return Promise.reject(new TaskBridgeError('STORE_UNAVAILABLE', 'This server is closing; try again.', { retryAfterSeconds: 1 }));
    const done = work();
    this.#claiming.add(done);
    const forget = (): void => void this.#claiming.delete(done);
    done.then(forget, forget);
    return done;
  }

  /**
   * Does what has to be done for a task until nothing is left to do now. Never rejects; what failed is tried again later. Who asks while
   * it goes on gets the very same result. `known` is for who has just committed what there is to do: then the store need not be asked.
   */
  reconcile(taskId: string, by: Knowledge = 'stored'): Promise<ReconcileResult> {
    return this.#visit(taskId, by);
  }

  /** Does the same for a task that this node has just created and claimed, and gives its work what it was created with. */
  begin(taskId: string, content: string): Promise<ReconcileResult> {
    return this.#visit(taskId, 'known', content);
  }

  /** Does the same for a task that rests after a failure: somebody says that what failed may work again. */
  reconcileAtOnce(taskId: string): Promise<ReconcileResult> {
    const pause = this.#paused.get(taskId);
    if (pause) pause.until = Number.NEGATIVE_INFINITY;
    return this.reconcile(taskId);
  }

  /** Claims nothing from now on, and puts back at once what it claimed and did not begin. Never rejects. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.runs.drain();
  }

  /** Resolves when no work runs here any more, or after that many milliseconds. */
  drained(ms: number): Promise<void> {
    return this.#deps.running.drained(ms);
  }

  /** Executors have a moment left for what they were asked: whoever waits for them is not waited for. */
  hurry(): void {
    this.#calls.close();
  }

  /** Stops what still runs here and gives it up, so that another node can take it at once. */
  async close(): Promise<void> {
    this.#isDraining = true;
    this.#closed = true;
    this.hurry();
    await Promise.allSettled([...[...this.#reconciling.values()].map(({ done }) => done), ...this.#claiming]);
    this.#stops.close();
    await this.runs.close();
    this.#calls.end();
    this.#suspects.close();
  }

  #visit(taskId: string, by: Knowledge, content?: string): Promise<ReconcileResult> {
    const current = this.#reconciling.get(taskId);
    if (current) {
      if (current.again !== 'stored') current.again = by;
      this.#deadlines.keep(taskId);
      return current.done;
    }
    if (this.#closed) return this.#putBackClaim(taskId);
    const reconciliation: Reconciliation = { again: undefined, content, state: undefined, done: Promise.resolve({ tally: emptyTally() }) };
    this.#reconciling.set(taskId, reconciliation);
    reconciliation.done = this.#run(taskId, reconciliation, by);
    return reconciliation.done;
  }

  async #run(taskId: string, reconciliation: Reconciliation, first: Knowledge): Promise<ReconcileResult> {
    const result: ReconcileResult = { tally: { ...emptyTally(), visited: 1 } };
    try {
      if ((this.#paused.get(taskId)?.until ?? 0) > this.#deps.time.now()) return result;
      // Who asks after a commit has yet to answer those who wait for it.
      await Promise.resolve();
      let done = 0;
      let by = first;
      const deps = this.#depsOf(reconciliation, result);
      do {
        reconciliation.again = undefined;
        // What this node knows says nothing of what the store may have lost.
        const known = by === 'known' ? this.#deps.processor.known(taskId) : undefined;
        reconciliation.state = known ?? (await this.#read(taskId));
        const isDone = await this.#doStep(reconciliation.state, deps, result);
        // What a step has done, it has committed.
        if (isDone) reconciliation.again ??= 'known';
        by = reconciliation.again ?? by;
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
      this.#deps.rooms.free(taskId);
      if (reconciliation.again && this.#closed) await this.runs.putBack(taskId);
      else if (reconciliation.again && !this.#paused.has(taskId)) void this.reconcile(taskId, reconciliation.again);
    }
    return result;
  }

  /** What was claimed in the last moment and is not started is for another node, now and not when this one is missed. Never rejects. */
  async #putBackClaim(taskId: string): Promise<ReconcileResult> {
    await this.runs.putBack(taskId);
    return { tally: emptyTally() };
  }

  async #doStep(state: TaskRecord, deps: ReconcileDeps, result: ReconcileResult): Promise<boolean> {
    const { taskId } = state.about;
    if (this.#isDraining && this.#isUnstarted(state)) return this.runs.putBack(taskId);
    for (const step of stepsOf(state.execution)) {
      const isDone = step(state, deps, result);
      // Nearly all have nothing to do, and say so at once.
      if (isDone !== false && (await isDone)) return true;
    }
    return false;
  }

  #depsOf(reconciliation: Reconciliation, result: ReconcileResult): ReconcileDeps {
    const { content } = reconciliation;
    return {
      ...this.#deps,
      ...(content !== undefined && { content }),
      call: (...asked) => {
        const ask = () => this.#calls.call(...asked);
        const { state } = reconciliation;
        return state ? this.#deadlines.whileAsking(state, result, ask) : ask();
      },
    };
  }

  async #read(taskId: string): Promise<TaskRecord> {
    const { processor, running } = this.#deps;
    const asked = running.newestOf(taskId);
    const state = await processor.read(taskId);
    running.compare(taskId, state.aggregate.lastEventId, asked);
    running.noteStanding(state);
    const doubted = running.doubtedOf(taskId);
    if (doubted === undefined) return state;
    const attempt = running.attemptOf(taskId);
    if ((await this.#isLost(taskId, doubted)) && attempt !== undefined) running.noteLost({ taskId, attempt });
    running.settleDoubt(taskId);
    return state;
  }

  /** True where another fact stands in the place of one that was seen here. What was trimmed nobody can compare. */
  async #isLost(taskId: string, eventId: EventId): Promise<boolean> {
    const n = parseEventId(eventId)?.n ?? 0;
    const page = await this.#deps.store.read(taskId, n, { facts: 1, bytes: 1 });
    const found = page?.entries[0]?.eventId;
    return found !== undefined && found !== eventId && parseEventId(found)?.n === n;
  }

  /** True where this node has claimed work of its own executor, and did not start it. */
  #isUnstarted({ about: { taskId, taskType }, execution }: TaskRecord): boolean {
    const { node, attempt } = execution.attempt.context;
    if (attemptState(execution) !== 'starting' || node !== this.#deps.nodeId) return false;
    return this.executorOf(taskType)?.leased === true && this.#deps.running.attemptOf(taskId) !== attempt;
  }

  /** The task is gone, and nothing is left to do for it. */
  #forget(taskId: string): void {
    const { running } = this.#deps;
    const run = running.all().find((each) => each.taskId === taskId);
    running.release(taskId);
    this.#paused.delete(taskId);
    if (run) void this.#stops.give(run);
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
