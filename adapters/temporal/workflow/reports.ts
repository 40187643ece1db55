import {
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { RetryPolicy } from '../../../machines/index.ts';
import type { ReportAnswer, ReportCall, ReportedIntent } from '../contract.ts';

/** What became of one intent. */
export type IntentOutcome = Extract<ReportAnswer, { readonly status: 'taken' | 'invalid' }>;

/** A report that was made and has to be sent. */
interface PendingIntent {
  readonly intent: ReportedIntent;
  /** Its length as JSON text. */
  readonly characters: number;
  /** To be tried where the workflow runs. */
  readonly isLocal: boolean;
  resolve(taken: IntentOutcome): void;
  reject(error: unknown): void;
}

type ReportActivity = (call: ReportCall) => Promise<ReportAnswer[]>;

interface Batch {
  readonly seq: number;
  readonly intents: readonly PendingIntent[];
}

/** How reports are sent. */
export interface ReportingOptions {
  /** The task queue of the workers that run `taskbridgeReport`. Defaults to the workflow's. */
  readonly reportTaskQueue?: string;
  /** How long one try of a report may take before another worker tries, in milliseconds. Defaults to 30 seconds. */
  readonly reportTimeoutMs?: number;
  /** How long a workflow whose attempt does not count waits to be told which one does, in milliseconds. Defaults to 10 minutes. */
  readonly fencedTimeoutMs?: number;
}

/** Carried out by Temporal, which knows no jitter. */
const reportRetry: RetryPolicy = { baseMs: 200, maxMs: 10_000, triesMax: Infinity, jitter: 0 };
const REPORT_TIMEOUT_MS = 30_000;
/** How long a report that is made where the workflow runs may take, in milliseconds: no step of the workflow ends meanwhile. */
const LOCAL_TIMEOUT_MS = 2000;
const FENCED_TIMEOUT_MS = 10 * 60_000;
const INTENTS_MAX = 500;
/** Temporal takes 2 MiB a payload; a report that is larger by itself is the store's to refuse. */
const CHARACTERS_MAX = 256 * 1024;

/** Sends what the workflow says, in order, each batch until it is known what became of it. Its state is the workflow's, replayed with it. */
export class Reports {
  /** The attempt in whose name the workflow speaks. */
  attempt: number;
  #seq: number;
  readonly #pending: PendingIntent[] = [];
  #sending: Promise<void> | undefined;
  #over: CancelledFailure | undefined;
  readonly #taskId: string;
  readonly #fencedTimeoutMs: number;
  readonly #call: ReportActivity;
  readonly #callLocally: ReportActivity;
  readonly #onOver: () => void;
  // Reports are sent while the work is being cancelled, and no longer once the task is over.
  readonly #shield = new CancellationScope({ cancellable: false });
  #scope: CancellationScope | undefined;

  constructor(taskId: string, from: { readonly attempt: number; readonly seq: number }, options: ReportingOptions, onOver: () => void) {
    this.#taskId = taskId;
    this.attempt = from.attempt;
    this.#seq = from.seq;
    this.#onOver = onOver;
    this.#fencedTimeoutMs = options.fencedTimeoutMs ?? FENCED_TIMEOUT_MS;
    const activities = proxyActivities<{ taskbridgeReport: ReportActivity }>({
      startToCloseTimeout: options.reportTimeoutMs ?? REPORT_TIMEOUT_MS,
      retry: { initialInterval: reportRetry.baseMs, backoffCoefficient: 2, maximumInterval: reportRetry.maxMs },
      ...(options.reportTaskQueue !== undefined && { taskQueue: options.reportTaskQueue }),
    });
    this.#call = (call) => activities.taskbridgeReport(call);
    // Once: what this worker cannot do, or not at once, the others do, who try for ever.
    const local = proxyLocalActivities<{ taskbridgeReport: ReportActivity }>({
      scheduleToCloseTimeout: LOCAL_TIMEOUT_MS,
      retry: { maximumAttempts: 1 },
    });
    this.#callLocally = (call) => local.taskbridgeReport(call);
  }

  /** The number of the last report; it goes on to the next run. */
  get seq(): number {
    return this.#seq;
  }

  /** True once nothing that the workflow says counts any more. */
  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /**
   * Sends a report; all of one synchronous turn goes together. Rejects with a `CancelledFailure` once the task is over. What is sent `locally` is tried
   * first by the worker that runs the workflow, in the same step: a round trip to Temporal less.
   */
  report(intent: ReportedIntent, isLocal = false): Promise<IntentOutcome> {
    if (this.#over) return Promise.reject(this.#over);
    // Out of the workflow's reach, as it will be sent.
    const text = JSON.stringify(intent);
    return new Promise((resolve, reject) => {
      this.#pending.push({ intent: JSON.parse(text) as ReportedIntent, characters: text.length, isLocal, resolve, reject });
      this.#sending ??= Promise.resolve().then(() => this.#send());
    });
  }

  /** Resolves when all that was reported is known to be taken, or can be no more. */
  async settled(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  /** Nothing is sent any more: the task is over, or nobody takes what is sent. */
  end(why = 'The task is over.'): void {
    if (this.#over) return;
    this.#over = new CancelledFailure(why);
    this.#scope?.cancel();
    this.#onOver();
  }

  async #send(): Promise<void> {
    while (this.#pending.length > 0) {
      const portion = this.#pending.splice(0, portionOf(this.#pending));
      const batches = batchesOf(portion).map((intents) => ({ seq: ++this.#seq, intents }));
      try {
        await this.#shield.run(async () => {
          this.#scope = new CancellationScope();
          await this.#scope.run(() => this.#deliver(batches));
        });
      } catch (error) {
        this.end(error instanceof Error ? error.message : undefined);
        for (const { reject } of portion) reject(this.#over ?? error);
      }
    }
    this.#sending = undefined;
  }

  async #deliver(batches: readonly Batch[]): Promise<void> {
    for (let left = batches; left.length > 0;) {
      if (this.#over) throw this.#over;
      const { attempt } = this;
      const reports = left.map(({ seq, intents }) => ({ seq, intents: intents.map(({ intent }) => intent) }));
      const call = { taskId: this.#taskId, attempt, reports };
      const isLocal = left.some(({ intents }) => intents.some((one) => one.isLocal));
      const answers = await (isLocal ? this.#tryLocally(call) : this.#call(call));
      for (const [i, answer] of answers.entries()) {
        if (answer.status === 'gone') throw new CancelledFailure('The task is no more.');
        if (answer.status !== 'fenced') settle(left[i]?.intents ?? [], answer);
      }
      left = left.slice(answers.filter(({ status }) => status !== 'fenced').length);
      if (left.length > 0) await this.#takenOver(attempt);
    }
  }

  /** Whether a try that failed was taken nobody has to know: what is sent again is taken once. */
  async #tryLocally(call: ReportCall): Promise<ReportAnswer[]> {
    try {
      return await this.#callLocally(call);
    } catch (error) {
      if (isCancellation(error)) throw error;
      return this.#call(call);
    }
  }

  /** Waits to be told that another attempt counts, or that the task is over. */
  async #takenOver(attempt: number): Promise<void> {
    const isKnown = await condition(() => this.attempt !== attempt || this.isOver, this.#fencedTimeoutMs);
    if (!isKnown) throw new CancelledFailure('The task belongs to another attempt.');
  }
}

/** How many go into the next call. */
function portionOf(pending: readonly PendingIntent[]): number {
  let characters = 0;
  const beyond = pending.findIndex((one, i) => {
    characters += one.characters;
    return i > 0 && (i >= INTENTS_MAX || characters > CHARACTERS_MAX);
  });
  return beyond === -1 ? pending.length : beyond;
}

/** A question is a report by itself: then a report that was taken before tells what became of the question. */
function batchesOf(portion: readonly PendingIntent[]): PendingIntent[][] {
  const batches: PendingIntent[][] = [];
  let open: PendingIntent[] | undefined;
  for (const one of portion) {
    const isQuestion = one.intent.type === 'report.suspended';
    if (isQuestion || !open) batches.push((open = [one]));
    else open.push(one);
    if (isQuestion) open = undefined;
  }
  return batches;
}

function settle(intents: readonly PendingIntent[], answer: IntentOutcome): void {
  intents.forEach(({ resolve }, i) => {
    resolve(answer.status === 'taken' ? { ...answer, refusals: [answer.refusals[i] ?? null] } : answer);
  });
}
