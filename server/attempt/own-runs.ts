import { monotonicMs } from '../ports/clock.ts';
import { executorOf, type ReconcileDeps } from './reconcile-step.ts';
import { giveUp } from './giving-up.ts';
import { taskBucket } from './lease-monitor.ts';
import type { RunningAttempt } from './running-attempts.ts';
import { namedTasks } from './task-list.ts';

/** What the runs of a node are looked after with. */
export interface OwnRunsDeps extends ReconcileDeps {
  /** Does what has to be done for a task, also where it rests after a failure. */
  visit(taskId: string): Promise<unknown>;
}

/** Tasks that are visited at once where all are. */
const SLICE = 100;

/** What happens to all work that runs on this node at once: where the store is silent, or has lost something, and when the node closes. */
export class OwnRuns {
  readonly #deps: OwnRunsDeps;
  #closed = false;

  constructor(deps: OwnRunsDeps) {
    this.#deps = deps;
  }

  /** The store does not answer for these buckets, and others may take what is held there: what may be repeated is stopped meanwhile. */
  abortRepeatable(buckets: ReadonlySet<string>): void {
    const { running, nodeId, logger, settings, stops } = this.#deps;
    const aborted = this.#runningIn(buckets).filter(
      ({ abortedAt, taskType }) => abortedAt === undefined && executorOf(this.#deps, taskType)?.repeatable(taskType),
    );
    if (aborted.length === 0) return;
    const named = namedTasks(aborted.map(({ taskId }) => taskId));
    logger.warn('The store was silent for longer than a lease: work that may be repeated was stopped, and begins again when it answers.', {
      nodeId,
      leaseMs: settings.leaseMs,
      ...named,
    });
    for (const run of aborted) {
      running.abort(run.taskId);
      void stops.give(run);
    }
  }

  /** The store answers again for these buckets: what was stopped is put back. */
  putBackAborted(buckets: ReadonlySet<string>): void {
    const { clock, logger, nodeId } = this.#deps;
    const aborted = this.#runningIn(buckets).filter(({ abortedAt }) => abortedAt !== undefined);
    const since = Math.min(...aborted.map(({ abortedAt = Infinity }) => abortedAt));
    logger.warn('The store answers again.', {
      nodeId,
      ...namedTasks(aborted.map(({ taskId }) => taskId)),
      // Nobody has worked on them.
      ...(aborted.length > 0 && { idleMs: Math.round(monotonicMs(clock) - since) }),
    });
    void this.#visitAll(aborted);
  }

  /** Compares what runs here with what these buckets say of it. */
  compare(buckets: ReadonlySet<string>): void {
    const runs = this.#runningIn(buckets);
    const fields = { nodeId: this.#deps.nodeId, buckets: buckets.size, ...namedTasks(runs.map(({ taskId }) => taskId)) };
    this.#deps.logger.warn(
      'The store does not know this node’s lease any more: others gave it up, or the store lost what was written.',
      fields,
    );
    this.#doubt(runs);
  }

  /** Compares all that runs here with what the store says of it: that may be older than what it said before. */
  compareAll(): void {
    this.#doubt(this.#deps.running.all());
  }

  /** Puts back at once what was claimed and has not begun. Never rejects. */
  async drain(): Promise<void> {
    const { running, logger, nodeId, stops } = this.#deps;
    const runs = running.all();
    const putBack = await Promise.all(runs.map(async (run) => ((await this.putBack(run.taskId)) ? [run] : [])));
    if (runs.length === 0) return;
    const unbegun = putBack.flat();
    for (const { taskId } of unbegun) running.release(taskId);
    await Promise.all(unbegun.map((run) => stops.give(run)));
    const fields = { nodeId, running: running.all().length, putBack: unbegun.length };
    logger.info?.('This node is closing: it claims nothing any more, and lets end what has begun.', fields);
  }

  /** Stops what still runs and gives it up, so that another node can take it at once. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    const { running, logger, nodeId, stops } = this.#deps;
    const runs = running.all();
    if (runs.length > 0)
      logger.warn('This node closes while work runs; it was given up.', { nodeId, ...namedTasks(runs.map(({ taskId }) => taskId)) });
    await Promise.allSettled(
      runs.map(async (run) => {
        running.release(run.taskId);
        await stops.give(run);
        await giveUp(run.taskId, this.#deps, { of: { attempt: run.attempt, node: nodeId }, crashed: false });
      }),
    );
  }

  /** Puts back what this node claimed, where it has not begun; true where it did. Never rejects. */
  async putBack(taskId: string): Promise<boolean> {
    const { processor, nodeId } = this.#deps;
    const putBack = processor.execute(taskId, {
      decide(unit) {
        const { attempt } = unit.execution;
        return (
          attempt.context.node === nodeId &&
          !attempt.hasTag('begun') &&
          unit.record({ type: 'attempt.lost', crashed: false, retryAt: unit.now, restUntil: unit.now })
        );
      },
    });
    // Where the store is closed already, others take it when this node is missed.
    return putBack.catch(() => false);
  }

  /** Visits them; what each has seen is looked up then, for a log that lost something may have grown since. */
  #doubt(runs: readonly RunningAttempt[]): void {
    for (const { taskId } of runs) this.#deps.running.doubt(taskId);
    void this.#visitAll(runs);
  }

  /** In slices: a node may run thousands. */
  async #visitAll(runs: readonly RunningAttempt[]): Promise<void> {
    for (let at = 0; at < runs.length && !this.#closed; at += SLICE)
      await Promise.all(runs.slice(at, at + SLICE).map(({ taskId }) => this.#deps.visit(taskId)));
  }

  #runningIn(buckets: ReadonlySet<string>): readonly RunningAttempt[] {
    // One name without digits stands for all.
    return this.#deps.running.all().filter(({ taskId }) => buckets.has(taskBucket(taskId)) || buckets.has(''));
  }
}
