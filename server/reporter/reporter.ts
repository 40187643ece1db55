import type { Inspect } from '../../machines/index.ts';
import { contractType, type TaskContract } from '../../machines/contract/index.ts';
import { inspectOptions, TaskInspector, type InspectOptions } from '../actors/task-inspector.ts';
import type { Decided } from '../actors/unit-trace.ts';
import { refuseForeignIntents } from '../attempt/report-intents.ts';
import { fittingReport } from '../attempt/work-report.ts';
import { resolutionOf } from '../attempt/resolution.ts';
import { questionsIn, reportCommand } from '../attempt/work.ts';
import { contractsOf } from '../contract/contracts.ts';
import type { AttachmentStore } from '../ports/attachments.ts';
import { systemChance, type ServerChance } from '../ports/chance.ts';
import { monotonicMs, systemClock, type Clock } from '../ports/clock.ts';
import type { AttemptRef, Resolution, WorkParts, WorkReport, WorkReportOutcome } from '../ports/executor.ts';
import { commitObserver } from '../observability/commit-observer.ts';
import { guardedTracer } from '../observability/guarded-tracer.ts';
import { metricsSink } from '../observability/metrics-sink.ts';
import { recordWriter } from '../observability/record-writer.ts';
import { assertOptionNames, type OptionNames } from '../ports/options.ts';
import { faultLogger } from '../ports/fault-logger.ts';
import { hostLogger } from '../ports/host-logger.ts';
import type { Logger, MetricsSink } from '../ports/observability.ts';
import type { Store } from '../ports/store.ts';
import type { Tracer } from '../ports/tracing.ts';
import { PartFlusher } from '../parts/part-flusher.ts';
import { workParts } from '../parts/work-parts.ts';
import { ShareBook } from '../shares/share-book.ts';
import { asTaskBridgeError, CommandProcessor } from '../task/command-processor.ts';
import { taskSettings, type TaskSettings } from '../task/settings.ts';
import { storeClock, type StoreClock } from '../task/store-clock.ts';
import { claimWork, type ClaimedWork, type TaskRef, type WorkClaimDeps } from './work-claim.ts';
import { RunNotifier } from './run-notifier.ts';

/** What a reporter is made of. */
export interface TaskReporterOptions<C extends TaskContract | undefined = TaskContract | undefined> {
  /** The host's store, opened: reports go there without the host. One that a single process owns cannot be shared. */
  readonly store: Store;
  /** As the host's: results and questions are checked by it before they are written. Defaults to nothing. */
  readonly contract?: C;
  /** The host's, where work opens attachments here. Defaults to none: opening one rejects. */
  readonly attachments?: AttachmentStore;
  /** The same limits as the host's. */
  readonly tasks?: Partial<TaskSettings>;
  /** As the host's: told of failures that were survived, and of each fact that is committed here. */
  readonly logger?: Logger;
  /** As the host's: what is taken out of what `logger` is told. */
  readonly redact?: readonly string[];
  /** As the host's: counts what is committed here. Defaults to nobody. */
  readonly metrics?: MetricsSink;
  /** As the host's: follows the commits of what is done here, and the attempts that are claimed here. */
  readonly tracer?: Tracer;
  /** As the host's: shows what this reporter decides. */
  readonly inspect?: Inspect | InspectOptions;
  readonly clock?: Clock;
  readonly chance?: ServerChance;
}

/** Lets work outside the host's processes report on its task: the same commit path, without routes and sockets. */
export interface TaskReporter<C extends TaskContract | undefined = TaskContract | undefined> {
  /** By what its results and questions are checked. */
  readonly contract: C;
  /**
   * Claims a new attempt of a task that no node runs itself, for a run that begins now: runs before it are fenced, whether they live or not. Undefined where the
   * task has ended, by this where it was to stop, or is gone. Rejects with a `TypeError` where a node runs it in its own process or it is of another
   * type, and with `STORE_UNAVAILABLE` (ask again).
   */
  claim(task: TaskRef): Promise<ClaimedWork | undefined>;
  /**
   * Commits a report. Throws a `TaskBridgeError`: `TASK_NOT_FOUND`, `REQUEST_VALIDATION_ERROR` and `PAYLOAD_TOO_LARGE` (nothing was
   * written), `STORE_UNAVAILABLE` (send it again: it is taken once).
   */
  report(attempt: AttemptRef, report: WorkReport): Promise<WorkReportOutcome>;
  /** What writes the text of parts for an attempt; undefined where the store keeps none. */
  parts(attempt: AttemptRef): WorkParts | undefined;
  /** How a question ended; undefined while it is open or was never asked. */
  resolution(taskId: string, suspendId: string): Promise<Resolution | undefined>;
  /** The store's time, in milliseconds since the epoch, to name deadlines by. */
  now(): Promise<number>;
}

const SYNCHRONIZE_MS = 60_000;
const names: OptionNames<TaskReporterOptions> = {
  store: true,
  contract: true,
  attachments: true,
  tasks: true,
  logger: true,
  redact: true,
  metrics: true,
  tracer: true,
  inspect: true,
  clock: true,
  chance: true,
};

/** Makes a reporter. Throws a `TypeError` for an option that there is not, for a store that only its host's process may use, and for attachments that only a node can see. */
export function createTaskReporter<C extends TaskContract | undefined = undefined>(options: TaskReporterOptions<C>): TaskReporter<C> {
  assertOptionNames(options, names, 'createTaskReporter');
  const { store, attachments, clock = systemClock, chance = systemChance } = options;
  // Left out, it is undefined, and so says `C`.
  const contract = options.contract as C;
  const logger = faultLogger(hostLogger(options.logger, options.redact), clock);
  assertShared(options);
  const time = storeClock(store, clock);
  const settings = taskSettings(options.tasks);
  const inspector = options.inspect && new TaskInspector(inspectOptions(options.inspect), logger);
  const onDecided = inspector && ((decided: Decided): void => inspector.show(decided));
  const metrics = metricsSink(options.metrics, logger);
  const tracer = guardedTracer(options.tracer, logger);
  const processor = new CommandProcessor({ store, clock, time, chance, logger, settings, metrics, tracer, onDecided });
  const shares = new ShareBook({ store, logger, settings });
  processor.onCommitted(({ about }, _, by) => shares.note(about, by));
  const isCounting = options.metrics !== undefined;
  processor.onCommitted(commitObserver({ metrics, records: recordWriter(logger), store, logger, isCounting, tracer, time }));
  const synchronize = synchronizer(time, clock);
  const contracts = contractsOf([], contract);
  const flusher = store.lanes && new PartFlusher({ lanes: store.lanes, logger, metrics });
  const notifier = new RunNotifier({
    store,
    clock,
    logger,
    read: (taskId) => processor.read(taskId),
    resolution: (record, suspendId) => resolutionOf(record, suspendId, store),
  });
  const claimDeps: WorkClaimDeps = {
    processor,
    store,
    time,
    attachments,
    shares,
    contracts,
    settings,
    notifier,
    clock,
    chance,
    tracer,
    flusher,
    synchronize,
    // A run of which the store has lost something is told that it is fenced, and its queue runs it again.
    onLostHistory: () => undefined,
  };

  return {
    contract,
    async claim(task) {
      await synchronize();
      return claimWork(task, claimDeps);
    },
    async report(attempt, given) {
      await synchronize();
      const questions = questionsIn(given);
      const about = contract || questions > 0 ? (await processor.read(attempt.taskId)).about : undefined;
      refuseForeignIntents(given.intents, store);
      const report = await fittingReport(processor, attempt.taskId, about && contract && contractType(contract, about.taskType), given);
      const run = (mayAsk: boolean) => processor.execute(attempt.taskId, reportCommand(attempt, report, mayAsk));
      return about && questions > 0 ? shares.asking(about.owner, questions, run) : run(true);
    },
    parts: (attempt) => store.lanes && flusher && workParts(attempt, { lanes: store.lanes, flusher, processor }),
    resolution: async (taskId, suspendId) => resolutionOf(await processor.read(taskId), suspendId, store),
    async now() {
      await synchronize();
      return time.now();
    },
  };
}

/** Throws a `TypeError` where hosts and workers would not see the same. */
function assertShared({ store, attachments }: Pick<TaskReporterOptions, 'store' | 'attachments'>): void {
  if (store.exclusive)
    throw new TypeError(
      `The store "${store.name}" belongs to one process: work outside of it cannot report there. Use a store that several processes share.`,
    );
  if (attachments && !attachments.shared)
    throw new TypeError('attachments are kept on this node only: give the attachment store that the host and its workers share.');
}

/** Gives what asks for the store's time, which times in facts are of, where that was long ago. */
function synchronizer(time: StoreClock, clock: Clock): () => Promise<void> {
  let synchronized: { readonly at: number; readonly done: Promise<void> } | undefined;
  return async () => {
    const ageMs = synchronized ? monotonicMs(clock) - synchronized.at : Number.POSITIVE_INFINITY;
    if (ageMs >= SYNCHRONIZE_MS) synchronized = { at: monotonicMs(clock), done: time.synchronize() };
    try {
      await synchronized?.done;
    } catch (error) {
      synchronized = undefined;
      throw asTaskBridgeError(error);
    }
  };
}
