import { claimForWorker } from '../attempt/worker-claim.ts';
import { workOf, type WorkDeps } from '../attempt/work.ts';
import { TaskBridgeError } from '../errors.ts';
import type { ServerChance } from '../ports/chance.ts';
import type { Clock } from '../ports/clock.ts';
import type { Work } from '../ports/executor.ts';
import type { Tracer } from '../ports/tracing.ts';
import { taskSpan } from '../observability/task-spans.ts';
import { asTaskBridgeError } from '../task/command-processor.ts';
import type { TaskSettings } from '../task/settings.ts';
import type { FollowedRun, RunNotifier } from './run-notifier.ts';

/** Names a task to whoever runs its work: what an executor's `start` was given will do, as it stands or out of a queue. */
export interface TaskRef<K extends string = string> {
  readonly taskId: string;
  /** Where it is given, work of another type is not claimed; with a contract it is what types the task. */
  readonly taskType?: K;
  /** Of no matter: each run has an attempt of its own. */
  readonly attempt?: number;
}

/** One run of a task's work outside of all nodes. */
export interface ClaimedWork extends Work {
  /** The time and the chance that the run lives by. */
  readonly clock: Clock;
  readonly chance: ServerChance;
  /** From now on the run is told how its questions end and when it has to stop; gives the way to end that, and with it the span of the attempt. */
  follow(run: FollowedRun): () => void;
}

/** What a claim works with. */
export interface WorkClaimDeps extends WorkDeps {
  readonly settings: TaskSettings;
  readonly notifier: RunNotifier;
  readonly clock: Clock;
  readonly chance: ServerChance;
  readonly tracer: Tracer | undefined;
  /** Has the store's time at hand. */
  synchronize(): Promise<void>;
}

/** Claims a new attempt of a task, and gives what its run needs; undefined where nothing is left to do for it. */
export async function claimWork({ taskId, taskType }: TaskRef, deps: WorkClaimDeps): Promise<ClaimedWork | undefined> {
  const claim = await deps.processor
    .execute(taskId, { source: 'work', decide: (unit) => claimForWorker(unit, deps.settings, taskType) })
    .catch(gone);
  switch (claim.status) {
    case 'ended':
      return undefined;
    case 'held':
      throw new TypeError(`The task ${taskId} runs in the process of the node ${claim.node}: its executor is to leave it to workers.`);
    case 'other type':
      throw new TypeError(`The task ${taskId} is of type ${claim.taskType}, and was to be run as ${taskType}.`);
    case 'claimed': {
      const work = await workOf(claim, deps).catch(rethrown);
      const { report } = work;
      const span = taskSpan(deps.tracer, 'taskbridge.attempt', claim.about, { 'taskbridge.attempt': work.attempt });
      return Object.assign(work, {
        ...(span.context && { traceContext: span.context }),
        clock: deps.clock,
        chance: deps.chance,
        follow(run: FollowedRun) {
          const unfollow = deps.notifier.follow(work, claim.closed, run);
          return () => {
            unfollow();
            span.end();
          };
        },
        async report(given: Parameters<typeof report>[0]) {
          await deps.synchronize();
          return report(given);
        },
      });
    }
  }
}

/** What was claimed is claimed again by the next run. */
function rethrown(error: unknown): never {
  throw asTaskBridgeError(error);
}

function gone(error: unknown): { readonly status: 'ended' } {
  if (error instanceof TaskBridgeError && error.code === 'TASK_NOT_FOUND') return { status: 'ended' };
  throw error;
}
