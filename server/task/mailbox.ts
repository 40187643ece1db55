import { NewerVersionError, retryDelayMs, type RetryPolicy } from '../../machines/index.ts';
import type { Fact } from '../../machines/wire/index.ts';
import { TaskBridgeError, taskNotFound } from '../errors.ts';
import { TraceWriter, type DecisionSource, type UnitTrace } from '../actors/unit-trace.ts';
import { commitEnd, commitSpan, spanning } from '../observability/task-spans.ts';
import type { CommitNote } from './commit-notes.ts';
import { UnknownWrites, type HeldTask } from './unknown-writes.ts';
import { UnitOfWork, type FinishedUnit } from './unit-of-work.ts';
import type { SealedLanes } from '../parts/lane-record.ts';
import { LaneSeals, LanesToSeal } from '../parts/seal-lanes.ts';
import type { Shares } from '../ports/owners.ts';
import { isCounted } from '../shares/share-book.ts';
import { sumOf } from '../shares/shares-of.ts';
import type { Lease } from '../ports/store.ts';
import type { MailboxDeps } from './processor-deps.ts';
import { parseTaskRecord, type TaskRecord } from './task-record.ts';

/**
 * What somebody asks of one task. `decide` is called with a unit of work on the task as it stands, and again with a newer one if another node was
 * faster; so it must be pure but for the unit.
 */
export interface Command<A> {
  /** Who wishes for it. Defaults to the bridge itself, in its look at its tasks. */
  readonly source?: DecisionSource;
  /** Names of the side values that `decide` has to see. */
  readonly needs?: readonly string[];
  /** Written only while this lease stands as it was seen; else it changes nothing, and `otherwise` is the answer. */
  readonly onlyWhile?: { readonly lease: Lease; readonly otherwise: A };
  decide(unit: UnitOfWork, sideValues: ReadonlyMap<string, string>): A;
}

/** A command that waits for its turn, and whoever waits for its answer. */
interface QueuedCommand {
  readonly command: Command<unknown>;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** A unit that was given to the store, and what its commands are answered where it was written. */
interface AttemptedUnit {
  readonly finished: FinishedUnit;
  readonly batch: readonly QueuedCommand[];
  readonly outcomes: readonly Outcome[];
  readonly trace: UnitTrace | undefined;
}

type Outcome = { readonly queued: QueuedCommand; readonly answer: unknown } | { readonly queued: QueuedCommand; readonly error: unknown };

/** What became of the commands of a batch. */
interface DecidedBatch {
  readonly unit: UnitOfWork;
  readonly outcomes: Outcome[];
  readonly trace: TraceWriter | undefined;
}

/** Conflicts and lost replies that one append survives before it gives up: about ten seconds. The second try comes at once. */
export const commitRetry: RetryPolicy = { baseMs: 40, maxMs: 640, triesMax: 12, jitter: 2 };

const nothing: readonly Fact[] = [];
const unchanged: Partial<Shares> = {};
const unnoted: readonly CommitNote[] = [];
const noSideValues: ReadonlyMap<string, string> = new Map();
const noSealedLanes: SealedLanes = new Map();

/** Takes the commands for one task one at a time; what waits together goes into one append, each command keeping its own answer. */
export class Mailbox {
  readonly #taskId: string;
  readonly #deps: MailboxDeps;
  /** Made when a part is to be closed. */
  #seals: LaneSeals | undefined;
  readonly #queue: QueuedCommand[] = [];
  #draining: Promise<void> | undefined;
  #record: TaskRecord | undefined;
  /** What was given to the store, as long as it is not known whether it was written. */
  readonly #doubtful = new UnknownWrites<AttemptedUnit>();
  /** What turned out to be written after all. */
  #proven: readonly AttemptedUnit[] = [];
  /** Facts that turned out to be written, and that nobody was told of yet. */
  #untold: readonly Fact[] = nothing;
  /** And what else turned out to be changed of what the owner has. */
  #untoldBy: Partial<Shares> = unchanged;
  #untoldNotes: readonly CommitNote[] = unnoted;
  /** It may be long until somebody answers, and the record is many times as large as all else that is held of the task. */
  #isResting = false;

  /** `record` is what this node has just written of the task, or read, if it has. */
  constructor(taskId: string, deps: MailboxDeps, record?: TaskRecord) {
    this.#taskId = taskId;
    this.#deps = deps;
    this.#record = record;
  }

  /** True while no command waits. */
  get isIdle(): boolean {
    return !this.#draining;
  }
  /** Resolves when no command waits any more; undefined while none does. */
  get settled(): Promise<void> | undefined {
    return this.#draining;
  }
  /** True where the task waits for a person, and nothing but that has happened to it lately: there is no use in keeping this at hand. */
  get isResting(): boolean {
    return this.#isResting && !this.#draining && this.#doubtful.isEmpty && this.#untold.length === 0;
  }
  /** True where it knows nothing that a new one would not find in the store. */
  get isForgettable(): boolean {
    return !this.#draining && !this.#record && this.#doubtful.isEmpty && this.#untold.length === 0;
  }
  /** The newest record that this node knows of, if it knows any. */
  get record(): TaskRecord | undefined {
    return this.#record;
  }

  /** Queues a command, and resolves with its answer once what it changed is written. */
  submit<A>(command: Command<A>): Promise<A> {
    if (this.#queue.length >= this.#deps.settings.waitingIntentsMax)
      return Promise.reject(
        new TaskBridgeError(
          'RATE_LIMITED',
          `More than ${this.#deps.settings.waitingIntentsMax} intents wait for this task; send fewer at once.`,
          {
            retryAfterSeconds: 1,
          },
        ),
      );
    return new Promise<A>((resolve, reject) => {
      // The answer that comes back is the one that this very command gave.
      this.#queue.push({ command, resolve: resolve as (answer: unknown) => void, reject });
      this.#draining ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    // What is submitted in the same turn belongs to the same append.
    await this.#deps.turnEnd();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#deps.settings.appendFactsMax);
      try {
        await this.#settle(batch);
      } catch (error) {
        this.#record = undefined;
        for (const { reject } of batch) reject(this.#deps.failure(error));
      }
    }
    this.#draining = undefined;
    if (this.isResting || this.isForgettable) this.#deps.drained(this.#taskId);
  }

  async #settle(batch: QueuedCommand[]): Promise<void> {
    let lastError: unknown;
    this.#seals = undefined;
    for (let tries = 0; tries < this.#deps.triesMax(); tries++) {
      if (tries > 1) await this.#pause(tries);
      try {
        if (await this.#try(batch, lastError !== undefined)) return;
      } catch (error) {
        // What this node cannot read it cannot decide either, however often it tries.
        if (error instanceof TaskBridgeError || error instanceof NewerVersionError) throw error;
        // Whether the store wrote or not is unknown: what it holds now decides.
        lastError = error;
        this.#deps.logger.warn('A commit has no known outcome; it is decided again.', { taskId: this.#taskId, error });
      }
      this.#record = this.#seals = undefined;
    }
    throw new TaskBridgeError('STORE_UNAVAILABLE', 'The store did not take the change; try again later.', {
      retryAfterSeconds: 5,
      cause: lastError,
    });
  }

  /** False where another node was faster. `mayBeWritten` says that an earlier try may have been written after all. */
  async #try(batch: QueuedCommand[], mayBeWritten: boolean): Promise<boolean> {
    const known = this.#record;
    const record = known ?? (await this.#load());
    const proven = this.#takeProven(batch);
    if (proven) {
      // Decided again, each command would find its own work done, and be told of a repeat that never was.
      this.#record = record;
      if (proven.trace) this.#deps.onDecided?.(proven.trace);
      this.#tell(record);
      this.#answer(batch, proven.outcomes);
      return true;
    }
    const sideValues = batch.some(({ command }) => command.needs !== undefined) ? await this.#readSideValues(batch) : noSideValues;
    let decided = this.#decide(batch, record, sideValues);
    while (decided instanceof LanesToSeal) {
      if (!(await this.#seal(decided))) return false;
      decided = this.#decide(batch, record, sideValues);
    }
    const { unit, outcomes, trace } = decided;
    if (unit.isEmpty) {
      // Nothing to write, so nothing that would show whether the record was the newest.
      if (known && !this.#deps.store.exclusive) return false;
      this.#keep(record, nothing);
      if (trace) this.#deps.onDecided?.({ before: record, after: record, entries: trace.entries });
      if (mayBeWritten || this.#untold.length > 0) this.#tell(record);
    } else {
      const finished = unit.finish();
      const shown = trace && { before: record, after: finished.after, entries: trace.entries };
      const answer = await this.#append({ finished, batch, outcomes, trace: shown });
      if (answer === 'conflict') return false;
      if (answer === 'lease changed') {
        this.#record = undefined;
        return refuseHeldToLease(batch, outcomes.length);
      }
      this.#doubtful.clear();
      this.#keep(finished.after, finished.facts);
      if (shown) this.#deps.onDecided?.(shown);
      this.#tell(finished.after, finished.facts, finished.by, finished.notes);
    }
    this.#answer(batch, outcomes);
    return true;
  }

  /** Decides the commands of a batch, as many as one append takes. What would close parts is to be decided once more when their lanes are sealed. */
  #decide(batch: readonly QueuedCommand[], record: TaskRecord, sideValues: ReadonlyMap<string, string>): DecidedBatch | LanesToSeal {
    const { store, chance, settings, time, onDecided } = this.#deps;
    const trace = onDecided && new TraceWriter();
    const lanes = store.lanes && { sealed: this.#seals?.known ?? noSealedLanes, mark: () => chance.hex(16) };
    const unit = new UnitOfWork(record, time.now(), settings, trace, lanes);
    const outcomes: Outcome[] = [];
    try {
      for (const queued of batch) {
        if (unit.factCount >= settings.appendFactsMax || !unit.holdTo(queued.command.onlyWhile?.lease)) break;
        if (trace) trace.source = queued.command.source ?? 'scheduler';
        outcomes.push(outcomeOf(queued, unit, sideValues));
      }
      return { unit, outcomes, trace };
    } catch (error) {
      if (error instanceof LanesToSeal) return error;
      throw error;
    }
  }

  /** False where lanes are not as the record says. */
  async #seal(needed: LanesToSeal): Promise<boolean> {
    const { lanes } = this.#deps.store;
    if (!lanes) throw needed;
    this.#seals ??= new LaneSeals({ lanes, taskId: this.#taskId });
    return this.#seals.seal(needed.lanes);
  }

  async #append(attempt: AttemptedUnit): ReturnType<MailboxDeps['store']['append']> {
    const { store, lastWrites, tracer } = this.#deps;
    const { commit, facts, by, after } = attempt.finished;
    const written = isCounted(by) ? this.#deps.writingShares?.(after.about.owner) : undefined;
    const from = lastWrites.begun();
    try {
      // Of a commit that nobody follows, not even a span is made.
      const isFollowed = tracer && after.about.trace;
      const answer = await (isFollowed
        ? spanning(commitSpan(tracer, attempt.finished), () => store.append(commit), commitEnd)
        : store.append(commit));
      lastWrites.answered('append', from, answer === 'committed', answer === 'committed' && facts.length > 0);
      return answer;
    } catch (error) {
      lastWrites.failed('append', from, error);
      this.#doubtful.add(attempt);
      this.#doubtShares(attempt);
      throw error;
    } finally {
      written?.();
    }
  }

  /** It may be written or not, now or later: what the owner has is counted again. */
  #doubtShares({ finished: { after, by } }: AttemptedUnit): void {
    if (Object.keys(by).length > 0) this.#deps.sharesInDoubt?.(after.about.owner);
  }

  /** Keeps the newest record; whoever asks and goes on reporting is not at rest. */
  #keep(record: TaskRecord, facts: readonly Fact[]): void {
    this.#record = record;
    this.#isResting = facts.every(({ type }) => type === 'TASK_SUSPENDED') && record.aggregate.task.matches({ active: 'suspended' });
  }

  /** Answers the commands that were decided; those of the batch that were not wait for the next append. */
  #answer(batch: QueuedCommand[], outcomes: readonly Outcome[]): void {
    if (outcomes.length !== batch.length || outcomes.some(({ queued }, i) => queued !== batch[i])) {
      const decided = new Set(outcomes.map(({ queued }) => queued));
      this.#queue.unshift(...batch.filter((queued) => !decided.has(queued)));
      batch.splice(0, batch.length, ...decided);
    }
    for (const outcome of outcomes) {
      if ('error' in outcome) outcome.queued.reject(this.#deps.failure(outcome.error));
      else outcome.queued.resolve(outcome.answer);
    }
  }

  /** The attempt at a batch that turned out to be written after all, if one did. */
  #takeProven(batch: readonly QueuedCommand[]): AttemptedUnit | undefined {
    if (this.#proven.length === 0) return undefined;
    const proven = this.#proven.find((attempt) => attempt.batch === batch);
    this.#proven = [];
    return proven;
  }

  async #load(): Promise<TaskRecord> {
    const loaded = await this.#deps.store.load(this.#taskId);
    if (!loaded) throw taskNotFound(this.#taskId);
    const record = parseTaskRecord(loaded);
    await this.#settleDoubt(loaded);
    return record;
  }

  /** Finds out whether what the store never answered for was written: who waits is told so, and so is whoever counts facts. */
  async #settleDoubt(held: HeldTask): Promise<void> {
    const written = await this.#doubtful.takeWritten(held, this.#deps.store);
    this.#proven = written;
    if (written.length === 0) return;
    this.#untold = [...this.#untold, ...written.flatMap(({ finished }) => finished.facts)];
    this.#untoldBy = written.reduce((by, { finished }) => sumOf(by, finished.by), this.#untoldBy);
    this.#untoldNotes = [...this.#untoldNotes, ...written.flatMap(({ finished }) => finished.notes)];
    // It may have been counted already, by a recount that came after it was written.
    for (const attempt of written) this.#doubtShares(attempt);
  }

  #tell(
    record: TaskRecord,
    facts: readonly Fact[] = nothing,
    by: Partial<Shares> = unchanged,
    notes: readonly CommitNote[] = unnoted,
  ): void {
    // As nearly always: there is nothing else to be told.
    if (this.#untold === nothing && this.#untoldBy === unchanged && this.#untoldNotes === unnoted)
      return this.#deps.committed(record, facts, by, notes);
    const told = [...this.#untold, ...facts];
    const toldBy = sumOf(this.#untoldBy, by);
    const toldNotes = [...this.#untoldNotes, ...notes];
    this.#untold = nothing;
    this.#untoldBy = unchanged;
    this.#untoldNotes = unnoted;
    this.#deps.committed(record, told, toldBy, toldNotes);
  }

  async #readSideValues(batch: readonly QueuedCommand[]): Promise<ReadonlyMap<string, string>> {
    const names = [...new Set(batch.flatMap(({ command }) => command.needs ?? []))];
    const values = await this.#deps.store.sideValues(this.#taskId, names);
    return new Map(names.flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]] as const])));
  }

  #pause(tries: number): Promise<void> {
    const ms = retryDelayMs(commitRetry, tries - 2, this.#deps.chance.fraction());
    return new Promise((resolve) => this.#deps.clock.setTimeout(resolve, ms));
  }
}

/** Answers the commands that were to be written only while their lease stood; the others are decided again. True where there are none. */
function refuseHeldToLease(batch: QueuedCommand[], decided: number): boolean {
  const others = batch.filter(({ command }, i) => i >= decided || !command.onlyWhile);
  for (const { command, resolve } of batch.slice(0, decided)) if (command.onlyWhile) resolve(command.onlyWhile.otherwise);
  batch.splice(0, batch.length, ...others);
  return others.length === 0;
}

function outcomeOf(queued: QueuedCommand, unit: UnitOfWork, sideValues: ReadonlyMap<string, string>): Outcome {
  try {
    return { queued, answer: unit.atomically((trial) => queued.command.decide(trial, sideValues)) };
  } catch (error) {
    if (error instanceof LanesToSeal) throw error;
    return { queued, error };
  }
}
