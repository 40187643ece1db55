import { retryDelayMs, type RetryPolicy } from '../../machines/index.ts';
import { TaskBridgeError, taskNotFound } from '../errors.ts';
import { UnitOfWork } from './unit-of-work.ts';
import type { MailboxDeps } from './processor-deps.ts';
import { parseTaskRecord, type TaskRecord } from './task-record.ts';

/**
 * What somebody wishes of a task. `decide` is asked with a unit of the task as it stands, and again with a newer one if another node was
 * faster; so it must be pure but for the unit.
 */
export interface Command<A> {
  /** Names of kept values that `decide` has to see. */
  readonly needs?: readonly string[];
  decide(unit: UnitOfWork, kept: ReadonlyMap<string, string>): A;
}

interface Waiting {
  readonly ask: Command<unknown>;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

type Verdict = { readonly waiting: Waiting; readonly answer: unknown } | { readonly waiting: Waiting; readonly error: unknown };

/** Conflicts and lost replies that one append survives before it gives up: about ten seconds. The second try comes at once. */
export const commitRetry: RetryPolicy = { baseMs: 40, maxMs: 640, triesMax: 12, jitter: 2 };

const noSideValues: ReadonlyMap<string, string> = new Map();

/** Takes the intents for one task one at a time; what waits together goes into one append, each intent keeping its own answer. */
export class Mailbox {
  readonly #taskId: string;
  readonly #deps: MailboxDeps;
  readonly #waiting: Waiting[] = [];
  #draining = false;
  #state: TaskRecord | undefined;

  constructor(taskId: string, deps: MailboxDeps) {
    this.#taskId = taskId;
    this.#deps = deps;
  }

  get isIdle(): boolean {
    return !this.#draining;
  }
  /** The newest state that this node knows of, if it knows any. */
  get state(): TaskRecord | undefined {
    return this.#state;
  }

  submit<A>(ask: Command<A>): Promise<A> {
    if (this.#waiting.length >= this.#deps.settings.waitingIntentsMax)
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
      // The answer that comes back is the one that this very ask gave.
      this.#waiting.push({ ask, resolve: resolve as (answer: unknown) => void, reject });
      if (!this.#draining) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    // What is asked in the same turn belongs to the same append.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#deps.settings.appendFactsMax);
      try {
        await this.#settle(batch);
      } catch (error) {
        this.#state = undefined;
        for (const { reject } of batch) reject(error);
      }
    }
    this.#draining = false;
  }

  async #settle(batch: Waiting[]): Promise<void> {
    let lastError: unknown;
    for (let tries = 0; tries < this.#deps.triesMax(); tries++) {
      if (tries > 1) await this.#pause(tries);
      try {
        if (await this.#try(batch, lastError !== undefined)) return;
      } catch (error) {
        if (error instanceof TaskBridgeError) throw error;
        // Whether the store wrote or not is unknown: what it holds now decides.
        lastError = error;
        this.#deps.logger.warn('A commit has no known outcome; it is decided again.', { taskId: this.#taskId, error });
      }
      this.#state = undefined;
    }
    throw new TaskBridgeError('STORE_UNAVAILABLE', 'The store did not take the change; try again later.', {
      retryAfterSeconds: 5,
      cause: lastError,
    });
  }

  /** False where another node was faster. `mayBeWritten` says that an earlier try may have been written after all. */
  async #try(batch: Waiting[], mayBeWritten: boolean): Promise<boolean> {
    const known = this.#state;
    const state = known ?? (await this.#load());
    const kept = batch.some(({ ask }) => ask.needs !== undefined) ? await this.#readKept(batch) : noSideValues;
    const unit = new UnitOfWork(state, this.#deps.time.now(), this.#deps.settings);
    const verdicts: Verdict[] = [];
    let taken = 0;
    for (const waiting of batch) {
      if (unit.factCount >= this.#deps.settings.appendFactsMax) break;
      verdicts.push(verdict(waiting, unit, kept));
      taken++;
    }
    if (unit.isEmpty) {
      // Nothing to write, so nothing that would tell whether the state was the newest.
      if (known && !this.#deps.store.exclusive) return false;
      this.#state = state;
      if (mayBeWritten) this.#deps.committed(state);
    } else {
      const { commit, after } = unit.finish();
      if ((await this.#deps.store.append(commit)) === 'conflict') return false;
      this.#state = after;
      this.#deps.committed(after);
    }
    if (taken < batch.length) this.#waiting.unshift(...batch.splice(taken));
    for (const each of verdicts) {
      if ('error' in each) each.waiting.reject(each.error);
      else each.waiting.resolve(each.answer);
    }
    return true;
  }

  async #load(): Promise<TaskRecord> {
    const loaded = await this.#deps.store.load(this.#taskId);
    if (!loaded) throw taskNotFound(this.#taskId);
    return parseTaskRecord(loaded);
  }

  async #readKept(batch: readonly Waiting[]): Promise<ReadonlyMap<string, string>> {
    const names = [...new Set(batch.flatMap(({ ask }) => ask.needs ?? []))];
    const values = await this.#deps.store.sideValues(this.#taskId, names);
    return new Map(names.flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]] as const])));
  }

  #pause(tries: number): Promise<void> {
    const ms = retryDelayMs(commitRetry, tries - 2, this.#deps.chance.fraction());
    return new Promise((resolve) => this.#deps.clock.setTimeout(resolve, ms));
  }
}

function verdict(waiting: Waiting, unit: UnitOfWork, kept: ReadonlyMap<string, string>): Verdict {
  try {
    return { waiting, answer: unit.attempt((trial) => waiting.ask.decide(trial, kept)) };
  } catch (error) {
    return { waiting, error };
  }
}
