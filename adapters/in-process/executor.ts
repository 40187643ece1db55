import { contractType, isTaskContract, type TaskContract } from '../../machines/contract/index.ts';
import {
  assertOptionNames,
  type OptionNames,
  hostLogger,
  systemChance,
  systemClock,
  type AttemptRef,
  type ServerChance,
  type Clock,
  type Logger,
  type Resolution,
  type StopOrder,
  type TaskExecutor,
  type Work,
} from '../../server/ports/index.ts';
import { assertHandlers, type ContractHandlers } from './contract-handlers.ts';
import type { Handler } from './handler.ts';
import { Notices } from './notices.ts';
import { reportRetries } from './report-retry.ts';
import { Run } from './run.ts';
import type { RunAbout, RunDeps } from './run-deps.ts';
import { Slot, Slots } from './slots.ts';

/** A handler, or a handler and what may be done with it. */
export type HandlerEntry =
  | Handler
  | {
      readonly run: Handler;
      /** May work that had begun be run again after its process died? Defaults to false: the task fails then, as retryable. */
      readonly repeatable?: boolean;
    };

/** Options of {@link inProcess}. */
export interface InProcessOptions {
  /**
   * Handlers that work at once; what there is no room for waits in the store, where any node of yours takes it that has some. One that has
   * asked does not count until one of its answers is there: it goes on when there is room again, before others begin. Nor does one whose task is over. Who asks and works on meanwhile works
   * beside the others. Defaults to 1000.
   */
  readonly concurrencyMax?: number;
  /**
   * Characters of JSON that the handlers who work were given together (input, metadata and what was saved); from there on tasks wait in the store as
   * beyond `concurrencyMax`. The last one may go beyond it. Those who wait for an answer do not count. Defaults to 256 Mi.
   */
  readonly inputCharactersMax?: number;
  /**
   * Told of every error that failed a task and was no {@link TaskFailure}: people see neither its text nor its stack. It is logged besides.
   */
  onError?(error: unknown, about: RunAbout): void | Promise<void>;
  /**
   * Told of such errors, with the ids of the task, and of handlers that go on though their task is over: pino, winston or the console as they
   * are. The bridge does not pass its own on. Defaults to the console.
   */
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** The jitter of reports that are sent again. Defaults to the system's. */
  readonly chance?: ServerChance;
}

const names: OptionNames<InProcessOptions> = {
  concurrencyMax: true,
  inputCharactersMax: true,
  onError: true,
  logger: true,
  clock: true,
  chance: true,
};
const CONCURRENCY_MAX = 1000;
const INPUT_CHARACTERS_MAX = 256 * 1024 * 1024;

/**
 * Runs handlers in the server's own process, by task type: `inProcess({ 'report.build': async (task) => … })`. With a contract before them, all of its
 * types have to have one and no other may, and each knows what its task is given, asks and gives: `inProcess(tasks, { … })`. Throws a `TypeError` for a handler that is missing or foreign
 * there, or an option that there is not, and a `RangeError` for limits that cannot be.
 */
export function inProcess(handlers: Readonly<Record<string, HandlerEntry>>, options?: InProcessOptions): TaskExecutor;
export function inProcess<C extends TaskContract>(contract: C, handlers: ContractHandlers<C>, options?: InProcessOptions): TaskExecutor;
// Once more: the last is what `Parameters` sees, and the first what gives a handler's promise its type.
export function inProcess(handlers: Readonly<Record<string, HandlerEntry>>, options?: InProcessOptions): TaskExecutor;
export function inProcess(...given: readonly unknown[]): TaskExecutor {
  // The two overloads allow nothing else.
  type Untyped = readonly [Readonly<Record<string, HandlerEntry>>, InProcessOptions?];
  const [contract, ...rest] = isTaskContract(given[0]) ? given : [undefined, ...given];
  const [handlers, options] = rest as unknown as Untyped;
  if (isTaskContract(contract)) assertHandlers(contract, handlers);
  return createExecutor(isTaskContract(contract) ? contract : undefined, handlers, options);
}

function createExecutor(
  contract: TaskContract | undefined,
  handlers: Readonly<Record<string, HandlerEntry>>,
  options: InProcessOptions = {},
): TaskExecutor {
  assertOptionNames(options, names, 'inProcess');
  const { clock = systemClock, chance = systemChance } = options;
  const { concurrencyMax, inputCharactersMax } = limitsOf(options);
  const runs = new Map<string, Run>();
  const listeners: (() => void)[] = [];
  const slots = new Slots(
    concurrencyMax,
    () => {
      for (const listener of listeners) listener();
    },
    inputCharactersMax,
  );
  const notices = new Notices({ ...options, clock, logger: hostLogger(options.logger) });

  const deps = runDeps({ clock, chance }, notices);

  function stop(run: Run, order: StopOrder): void {
    run.stop(order);
    if (order.why !== 'cancel' && !run.hasReturned) notices.watch(run, order.why);
  }

  function of({ taskId, attempt }: AttemptRef): Run | undefined {
    const run = runs.get(taskId);
    return run?.attempt === attempt ? run : undefined;
  }

  return {
    name: 'in-process',
    leased: true,
    types: Object.keys(handlers),
    ...(contract && { contract }),
    handles: (taskType) => Object.hasOwn(handlers, taskType),
    room: () => slots.room,
    onRoom: (listener) => void listeners.push(listener),
    repeatable: (taskType) => isRepeatable(handlers[taskType]),
    start(work: Work) {
      // What outlives this call does not hold the work, whose input may be large.
      const { taskId, taskType, attempt } = work;
      const entry = handlers[taskType];
      if (!entry) return Promise.reject(new Error(`No handler for ${taskType}.`));
      const former = runs.get(taskId);
      // A start that was given up and arrives all the same.
      if (former && former.attempt > attempt) return Promise.reject(new Error(`Attempt ${former.attempt} runs already.`));
      if (former) stop(former, { why: 'fenced' });
      const handler = typeof entry === 'function' ? entry : entry.run;
      const run = new Run(
        work,
        { handler, type: contract && contractType(contract, taskType), slot: new Slot(slots, work.contentCharacters) },
        deps,
      );
      runs.set(taskId, run);
      void run.run().finally(() => {
        if (runs.get(taskId) === run) runs.delete(taskId);
      });
      return Promise.resolve({ status: 'started' });
    },
    resume(attempt: AttemptRef, resolution: Resolution) {
      // Taken at once; handed over when the run may go on.
      void of(attempt)?.resume(resolution);
      return Promise.resolve();
    },
    cancel(attempt: AttemptRef, order: StopOrder) {
      const run = of(attempt);
      if (run) stop(run, order);
      return Promise.resolve();
    },
    close() {
      for (const run of runs.values()) run.stop({ why: 'fenced' });
      return Promise.resolve();
    },
  };
}

/** What all runs of an executor work with. */
function runDeps(by: Required<Pick<InProcessOptions, 'clock' | 'chance'>>, notices: Notices): RunDeps {
  const { clock } = by;
  return { ...reportRetries(by), clock, unsent: { count: 0 }, failed: (error, about) => notices.failed(error, about) };
}

function isRepeatable(entry: HandlerEntry | undefined): boolean {
  return typeof entry === 'object' && entry.repeatable === true;
}

function limitsOf({ concurrencyMax = CONCURRENCY_MAX, inputCharactersMax = INPUT_CHARACTERS_MAX }: InProcessOptions) {
  for (const [name, value] of Object.entries({ concurrencyMax, inputCharactersMax }))
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} (${value}) must be a whole number of at least 1.`);
  return { concurrencyMax, inputCharactersMax };
}
