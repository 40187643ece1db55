import { openSuspensions, type FactPayload } from '../../machines/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { StartOutcome, StopOrder, TaskExecutor } from '../ports/executor.ts';
import type { Logger } from '../ports/observability.ts';
import { TaskBridgeError } from '../errors.ts';
import type { TaskSettings } from '../task/settings.ts';
import type { TaskState } from '../task/task-state.ts';
import { attemptState } from './ledger.ts';
import { within } from './time-limit.ts';
import { contentOf, resolutionOf, workOf, type WorkContext } from './work.ts';

/** What the supervisor works with. */
export interface SupervisorContext extends WorkContext {
  readonly nodeId: string;
  readonly executors: readonly TaskExecutor[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: TaskSettings;
  /** Calls back after commits of a task that this node holds, whichever node made them; gives the way to stop. */
  follow(taskId: string, onCommit: () => void): () => void;
}

interface Held {
  readonly attempt: number;
  unfollow(): void;
}

interface Visit {
  again: boolean;
  refused: Refused;
  done: Promise<Refused>;
}

/** The failure that an executor refused to start with, where it did during a visit. */
export type Refused = FactPayload<'TASK_FAILED'> | undefined;

/** When the lease of work on an exclusive store ends: never, in the range of a date. */
const FOREVER = 8_640_000_000_000_000;
/** Steps after which one visit ends, so that a fault cannot keep it busy for ever. */
const STEPS_MAX = 64;
/** The longest pause between two tries of an effect. */
const EFFECT_RETRY_MS_MAX = 30_000;

/**
 * Brings what is owed to a task to its end, one step after the other, until nothing is left to do now: starts work, hands over answers,
 * tells work to stop, renews leases, notices lost work and passed deadlines. Every step is decided from the task as it stands, so that
 * visiting twice, or on two nodes, does no harm.
 */
export class Supervisor {
  readonly #context: SupervisorContext;
  readonly #held = new Map<string, Held>();
  readonly #visits = new Map<string, Visit>();
  readonly #notBefore = new Map<string, { at: number; failures: number }>();
  #onEmpty: (() => void) | undefined;
  #closed = false;

  constructor(context: SupervisorContext) {
    this.#context = context;
  }

  /** Tasks whose work runs on this node. */
  get heldCount(): number {
    return this.#held.size;
  }

  executorOf(taskType: string): TaskExecutor | undefined {
    return this.#context.executors.find((executor) => executor.handles(taskType));
  }

  /** When a lease that is taken or renewed now ends. */
  leaseUntil(): number {
    return this.#context.store.exclusive ? FOREVER : this.#context.time.now() + this.#context.settings.leaseMs;
  }

  /** Looks after a task until nothing is left to do now. Never rejects; what failed is tried again later. */
  visit(taskId: string): Promise<Refused> {
    const running = this.#visits.get(taskId);
    if (running) {
      running.again = true;
      return running.done;
    }
    const visit: Visit = { again: false, refused: undefined, done: Promise.resolve(undefined) };
    this.#visits.set(taskId, visit);
    visit.done = this.#run(taskId, visit);
    return visit.done;
  }

  /** Resolves when no work runs here any more, or after that many milliseconds. */
  async drained(ms: number): Promise<void> {
    if (this.#held.size === 0 || ms <= 0) return;
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    await within(this.#context, ms, empty).catch(() => undefined);
  }

  /** Stops what runs here and gives it up, so that another node can take it at once. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#visits.values()].map(({ done }) => done));
    await Promise.allSettled(
      [...this.#held].map(async ([taskId, { attempt }]) => {
        const executor = this.executorOf((await this.#context.desk.read(taskId)).about.taskType);
        this.#release(taskId);
        await executor?.cancel({ taskId, attempt }, { why: 'fenced' });
        await this.#context.desk.ask(taskId, {
          decide: (draft) => draft.ledger.attempt.context.attempt === attempt && draft.enter({ type: 'attempt.lost', startBy: draft.now + this.#context.settings.startWithinMs }),
        });
      }),
    );
  }

  async #run(taskId: string, visit: Visit): Promise<Refused> {
    try {
      const pause = this.#notBefore.get(taskId);
      if (pause && pause.at > this.#context.time.now()) return undefined;
      let steps = 0;
      do {
        visit.again = false;
        visit.again = (await this.#step(await this.#context.desk.read(taskId), visit)) || visit.again;
      } while (visit.again && ++steps < STEPS_MAX && !this.#closed);
      this.#notBefore.delete(taskId);
    } catch (error) {
      if (error instanceof TaskBridgeError && error.code === 'TASK_NOT_FOUND') this.#release(taskId);
      else this.#postpone(taskId, error);
    } finally {
      this.#visits.delete(taskId);
      if (visit.again && !this.#closed && !this.#notBefore.has(taskId)) void this.visit(taskId);
    }
    return visit.refused;
  }

  /** Does the first thing that is owed; false where nothing is. */
  async #step(state: TaskState, visit: Visit): Promise<boolean> {
    if (await this.#expire(state)) return true;
    const { taskId } = state.about;
    const attempt = attemptState(state.ledger);
    const held = this.#held.get(taskId);
    if (held && (held.attempt !== state.ledger.attempt.context.attempt || attempt === 'released')) {
      this.#release(taskId);
      await this.#tell(state, held.attempt, { why: attempt === 'released' ? 'ended' : 'fenced' });
      return true;
    }
    switch (attempt) {
      case 'pending':
      case 'lost':
        return this.#claim(state, attempt);
      case 'starting':
        if (!this.#isOurs(state)) return this.#loseIfExpired(state);
        return held ? this.#confirmStart(state) : this.#start(state, visit);
      case 'held':
        return (await this.#handOver(state)) || (await this.#loseIfExpired(state)) || this.#renew(state);
      case 'stopping':
      case 'told':
        return this.#stop(state, attempt);
      case 'ended':
        return this.#sayEnded(state);
      default:
        return this.#retire(state);
    }
  }

  async #expire({ about, aggregate }: TaskState): Promise<boolean> {
    const now = this.#context.time.now();
    const due = openSuspensions(aggregate).filter(({ expiresAt }) => expiresAt != null && Date.parse(expiresAt) <= now);
    if (due.length === 0) return false;
    return this.#context.desk.ask(about.taskId, {
      decide(draft) {
        for (const { suspendId } of due) draft.decide({ type: 'suspension.expire', suspendId, at: draft.at });
        return draft.factCount > 0;
      },
    });
  }

  async #claim({ about, aggregate, ledger }: TaskState, attempt: 'pending' | 'lost'): Promise<boolean> {
    const { settings, nodeId, time } = this.#context;
    const { retryAt, startBy } = ledger.attempt.context;
    const now = time.now();
    const executor = this.executorOf(about.taskType);
    if (aggregate.task.matches({ active: 'cancelling' }))
      return this.#context.desk.ask(about.taskId, { decide: (draft) => draft.decide({ type: 'cancel.overdue' }).facts.length > 0 });
    if (attempt === 'lost' && executor?.leased && !executor.repeatable(about.taskType))
      return this.#fail(about.taskId, 'WORK_LOST', 'The process that ran the task is gone, and its work may not be repeated.', 'lost');
    if (startBy !== null && now >= startBy)
      return this.#fail(about.taskId, 'EXECUTOR_UNREACHABLE', 'Nobody could be asked to run the task in time.', attempt);
    if (!executor || (retryAt !== null && retryAt > now)) return false;
    const leaseUntil = this.leaseUntil();
    return this.#context.desk.ask(about.taskId, {
      decide: (draft) => draft.enter({ type: 'attempt.claimed', node: nodeId, leaseUntil, startBy: now + settings.startWithinMs }),
    });
  }

  async #start(state: TaskState, visit: Visit): Promise<boolean> {
    const { taskId, taskType } = state.about;
    const { attempt, tries } = state.ledger.attempt.context;
    const { desk, settings, time } = this.#context;
    const executor = this.executorOf(taskType);
    if (!executor) return false;
    if (executor.leased) this.#hold(taskId, attempt);
    let outcome: StartOutcome;
    try {
      outcome = await within(this.#context, settings.executorTimeoutMs, workOf(state, this.#context).then((work) => executor.start(work)));
    } catch (error) {
      this.#context.logger.warn('The executor could not be asked to start a task.', { taskId, attempt, tries, error });
      this.#release(taskId);
      await executor.cancel({ taskId, attempt }, { why: 'fenced' }).catch(() => undefined);
      const retryAt = time.now() + Math.min(settings.effectRetryMs * 2 ** Math.min(tries, 5), EFFECT_RETRY_MS_MAX);
      return desk.ask(taskId, { decide: (draft) => draft.enter({ type: 'attempt.deferred', retryAt }) });
    }
    if (outcome.status === 'started') return this.#confirmStart(state);
    this.#release(taskId);
    const { failure } = outcome;
    const failed = await desk.ask(taskId, { decide: (draft) => draft.decide({ type: 'task.fail', payload: failure }).facts.length > 0 });
    if (failed) visit.refused = failure;
    return failed;
  }

  async #confirmStart({ about, ledger }: TaskState): Promise<boolean> {
    const leaseUntil = this.executorOf(about.taskType)?.leased ? ledger.attempt.context.leaseUntil : null;
    return this.#context.desk.ask(about.taskId, { decide: (draft) => draft.enter({ type: 'attempt.started', leaseUntil }) });
  }

  async #handOver(state: TaskState): Promise<boolean> {
    const [suspendId] = state.ledger.attempt.context.owed;
    const executor = this.executorOf(state.about.taskType);
    if (suspendId === undefined || !executor || (executor.leased && !this.#isOurs(state))) return false;
    const { taskId } = state.about;
    const resolution = await resolutionOf(state, suspendId, this.#context.store);
    const { attempt } = state.ledger.attempt.context;
    if (resolution) await within(this.#context, this.#context.settings.executorTimeoutMs, executor.resume({ taskId, attempt }, resolution));
    return this.#context.desk.ask(taskId, { decide: (draft) => draft.enter({ type: 'resolution.told', suspendId }) });
  }

  async #stop(state: TaskState, attempt: 'stopping' | 'told'): Promise<boolean> {
    const { taskId } = state.about;
    const { graceUntil } = state.ledger.attempt.context;
    if (graceUntil !== null && graceUntil <= this.#context.time.now())
      return this.#context.desk.ask(taskId, { decide: (draft) => draft.decide({ type: 'cancel.overdue' }).facts.length > 0 });
    const executor = this.executorOf(state.about.taskType);
    if (attempt === 'stopping' && executor && (!executor.leased || this.#isOurs(state))) {
      const reason = state.aggregate.task.context.cancelReason;
      await this.#tell(state, state.ledger.attempt.context.attempt, { why: 'cancel', ...(reason !== null && { reason }) });
      return this.#context.desk.ask(taskId, { decide: (draft) => draft.enter({ type: 'cancel.told' }) });
    }
    return (await this.#handOver(state)) || (await this.#loseIfExpired(state)) || this.#renew(state);
  }

  async #sayEnded(state: TaskState): Promise<boolean> {
    const executor = this.executorOf(state.about.taskType);
    const { leaseUntil, attempt } = state.ledger.attempt.context;
    const isReachable = executor && (!executor.leased || this.#held.has(state.about.taskId));
    if (!isReachable && leaseUntil !== null && leaseUntil > this.#context.time.now() && !this.#isVoid(state)) return false;
    this.#release(state.about.taskId);
    if (isReachable) await this.#tell(state, attempt, { why: 'ended' });
    return this.#context.desk.ask(state.about.taskId, { decide: (draft) => draft.enter({ type: 'work.released' }) });
  }

  async #retire({ about, revision, ledger }: TaskState): Promise<boolean> {
    const { desk, store, settings, time, attachments } = this.#context;
    if (ledger.endedAt === null || ledger.endedAt + settings.retainedAfterEndMs > time.now()) return false;
    const { attachments: files } = await contentOf(about.taskId, store);
    if ((await store.remove(about.taskId, about.requestKey, revision)) === 'conflict') return false;
    desk.forget(about.taskId);
    for (const { key } of files) await attachments?.remove(key);
    return false;
  }

  async #loseIfExpired(state: TaskState): Promise<boolean> {
    const { leaseUntil, attempt } = state.ledger.attempt.context;
    if (leaseUntil === null || (leaseUntil > this.#context.time.now() && !this.#isVoid(state))) return false;
    return this.#context.desk.ask(state.about.taskId, {
      decide: (draft) =>
        draft.ledger.attempt.context.attempt === attempt &&
        draft.ledger.attempt.context.leaseUntil === leaseUntil &&
        draft.enter({ type: 'attempt.lost', startBy: draft.now + this.#context.settings.startWithinMs }),
    });
  }

  async #renew(state: TaskState): Promise<boolean> {
    const { leaseUntil } = state.ledger.attempt.context;
    if (!this.#isOurs(state) || leaseUntil === null) return false;
    if (leaseUntil - this.#context.time.now() > (this.#context.settings.leaseMs * 2) / 3) return false;
    return this.#context.desk.ask(state.about.taskId, { decide: (draft) => draft.enter({ type: 'attempt.renewed', leaseUntil: this.leaseUntil() }) });
  }

  async #fail(taskId: string, code: string, message: string, expected: 'pending' | 'lost'): Promise<boolean> {
    return this.#context.desk.ask(taskId, {
      decide: (draft) =>
        attemptState(draft.ledger) === expected &&
        draft.decide({ type: 'task.fail', payload: { code, message, retryable: true } }).facts.length > 0,
    });
  }

  async #tell({ about }: TaskState, attempt: number, order: StopOrder): Promise<void> {
    const executor = this.executorOf(about.taskType);
    if (executor) await within(this.#context, this.#context.settings.executorTimeoutMs, executor.cancel({ taskId: about.taskId, attempt }, order));
  }

  /** A store that one process owns has no other living holder than this node. */
  #isVoid(state: TaskState): boolean {
    return this.#context.store.exclusive && !this.#isOurs(state);
  }

  #isOurs({ ledger }: TaskState): boolean {
    return ledger.attempt.context.node === this.#context.nodeId;
  }

  #hold(taskId: string, attempt: number): void {
    this.#release(taskId);
    this.#held.set(taskId, { attempt, unfollow: this.#context.follow(taskId, () => void this.visit(taskId)) });
  }

  #release(taskId: string): void {
    this.#held.get(taskId)?.unfollow();
    this.#held.delete(taskId);
    if (this.#held.size === 0) this.#onEmpty?.();
  }

  #postpone(taskId: string, error: unknown): void {
    const failures = (this.#notBefore.get(taskId)?.failures ?? 0) + 1;
    const pauseMs = Math.min(this.#context.settings.effectRetryMs * 2 ** Math.min(failures - 1, 5), EFFECT_RETRY_MS_MAX);
    this.#notBefore.set(taskId, { at: this.#context.time.now() + pauseMs, failures });
    this.#context.logger.warn('A task could not be looked after; it is tried again.', { taskId, pauseMs, error });
    this.#context.clock.setTimeout(() => void this.visit(taskId), pauseMs);
  }
}
