import { createHash } from 'node:crypto';
import type { RefusalCode, ReportIntent } from '../../machines/index.ts';
import { limits, type FactPayload, type Json } from '../../machines/wire/index.ts';
import type { AcceptedAction, WorkReport, WorkReportOutcome, Resolution, StopOrder, Work } from '../../server/ports/index.ts';
import { TaskFailure, TaskStopped, type Handler, type Question, type Task } from './handler.ts';
import { question as questionPayload } from './question.ts';
import { HandlePromise } from './handle-promise.ts';

/** What the handler said, until it is known what became of it. */
interface QueuedReport {
  readonly intent: ReportIntent | undefined;
  readonly save: Json | undefined;
  resolve(refusal: RefusalCode | undefined): void;
  reject(error: unknown): void;
}

interface Waiter {
  resolve(action: AcceptedAction): void;
  reject(error: TaskFailure): void;
}

/** What a run works with. */
export interface RunDeps {
  readonly handler: Handler;
  /** Resolves after a pause before a report is sent again. */
  pause(retry: number): Promise<void>;
  /** True for an error that no second try can mend. */
  isFinal(error: unknown): boolean;
}

const KEY_CHARACTERS_MAX = 200;

/** One run of a handler: turns its calls into numbered reports, its result or throw into the last one, and answers into resolved promises. */
export class Run {
  readonly #work: Work;
  readonly #deps: RunDeps;
  readonly #stopped = new AbortController();
  readonly #waiters = new Map<string, Waiter>();
  readonly #resolutions = new Map<string, Resolution>();
  #queue: QueuedReport[] = [];
  #sending: Promise<void> = Promise.resolve();
  #seq = 0;
  #order: StopOrder | undefined;

  constructor(work: Work, deps: RunDeps) {
    this.#work = work;
    this.#deps = deps;
  }

  get attempt(): number {
    return this.#work.attempt;
  }

  /** Runs the handler to its end and reports it. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#enqueue({ type: 'report.started', payload: {} });
      const result = (await this.#deps.handler(this.#task())) ?? null;
      await this.#enqueue({ type: 'report.completed', payload: { result } });
    } catch (error) {
      await this.#enqueue(this.#ending(error)).catch((unsaid: unknown) => this.#enqueue(this.#ending(unsaid)).catch(() => undefined));
    }
  }

  /** Has the handler stop. */
  stop(order: StopOrder): void {
    this.#order ??= order;
    if (order.why !== 'cancel') this.#order = order;
    const failure = new TaskStopped(order);
    this.#stopped.abort(failure);
    for (const { reject } of this.#waiters.values()) reject(failure);
    this.#waiters.clear();
  }

  /** Hands over how a question ended. */
  resume(resolution: Resolution): void {
    const waiter = this.#waiters.get(resolution.suspendId);
    if (!waiter) {
      this.#resolutions.set(resolution.suspendId, resolution);
      return;
    }
    this.#waiters.delete(resolution.suspendId);
    settle(waiter, resolution);
  }

  #task(): Task {
    const { taskId, taskType, owner, attempt, input, metadata, params, attachments, saved } = this.#work;
    return {
      taskId,
      taskType,
      owner,
      attempt,
      input,
      metadata,
      params,
      attachments,
      saved,
      signal: this.#stopped.signal,
      progress: (progress, about = {}) => committed(this.#enqueue({ type: 'report.progress', payload: { progress, ...about } })),
      message: (message, level) => committed(this.#enqueue({ type: 'report.message', payload: level ? { message, level } : { message } })),
      suspend: (key, question) => HandlePromise.by(this.#suspend(key, question)),
      save: (value) => committed(this.#enqueue(undefined, value)),
    };
  }

  async #suspend(key: string, question: Question): Promise<AcceptedAction> {
    if (key === '' || key.length > KEY_CHARACTERS_MAX)
      throw new RangeError(`The key of a question has 1 to ${KEY_CHARACTERS_MAX} characters; this one has ${key.length}.`);
    const suspendId = `${key}-${createHash('sha256').update(`${this.#work.taskId}\n${key}`).digest('hex').slice(0, 8)}`;
    const answer = new Promise<AcceptedAction>((resolve, reject) => this.#waiters.set(suspendId, { resolve, reject }));
    // Whoever stops the run first rejects this promise while nobody waits for it yet.
    answer.catch(() => undefined);
    const refusal = await this.#enqueue({ type: 'report.suspended', payload: questionPayload(suspendId, question, this.#work.now()) });
    if (refusal === 'ALREADY_ASKED') {
      const known = this.#resolutions.get(suspendId) ?? (await this.#retry(() => this.#work.resolution(suspendId)));
      if (known) this.resume(known);
    } else if (refusal === 'CANCELLING') {
      // The order to stop is on its way. What the handler does next ends a task that is cancelled.
      this.stop({ why: 'cancel' });
    } else if (refusal !== undefined) {
      this.#waiters.delete(suspendId);
      throw new TaskFailure(refusal, `The question ${JSON.stringify(key)} was not asked: ${refusal}.`);
    }
    return answer;
  }

  /** Queues what is said; all of one synchronous turn becomes one report. */
  #enqueue(intent: ReportIntent | undefined, save?: Json): Promise<RefusalCode | undefined> {
    if (this.#order && this.#order.why !== 'cancel') return Promise.reject(this.#stopped.signal.reason as TaskFailure);
    return new Promise((resolve, reject) => {
      this.#queue.push({ intent: intent && asJson(intent), save: save === undefined ? undefined : asJson(save), resolve, reject });
      if (this.#queue.length > 1) return;
      queueMicrotask(() => {
        const said = this.#queue;
        this.#queue = [];
        this.#sending = this.#sending.then(() => this.#send(said));
      });
    });
  }

  async #send(said: readonly QueuedReport[]): Promise<void> {
    const saves = said.flatMap(({ save }) => (save === undefined ? [] : [save]));
    const intents = said.flatMap(({ intent }) => intent ?? []);
    const report: WorkReport = { source: 'main', seq: ++this.#seq, intents, ...(saves.length > 0 && { save: saves.at(-1) as Json }) };
    try {
      const outcome = await this.#deliver(report);
      if (outcome.status === 'fenced') this.stop({ why: 'fenced' });
      let i = 0;
      for (const { intent, resolve, reject } of said) {
        if (outcome.status === 'fenced') reject(this.#stopped.signal.reason);
        else resolve(intent && outcome.status === 'committed' ? outcome.refusals[i++] : undefined);
      }
    } catch (error) {
      for (const { reject } of said) reject(error);
    }
  }

  /** Sends until it is known what became of the report. */
  async #deliver(report: WorkReport): Promise<WorkReportOutcome> {
    return (await this.#retry(() => this.#work.report(report))) ?? { status: 'fenced' };
  }

  /** Asks until there is an answer, or undefined once this run no longer counts: a store that is down makes the work wait, not fail. */
  async #retry<T>(ask: () => Promise<T>): Promise<T | undefined> {
    for (let tries = 0; ; tries++) {
      if (this.#order && this.#order.why !== 'cancel') return undefined;
      try {
        return await ask();
      } catch (error) {
        if (this.#deps.isFinal(error)) throw error;
        await this.#deps.pause(tries);
      }
    }
  }

  #ending(error: unknown): ReportIntent {
    if (this.#order?.why === 'cancel')
      return { type: 'report.cancelled', payload: this.#order.reason === undefined ? {} : { reason: this.#order.reason } };
    return { type: 'report.failed', payload: failureOf(error) };
  }
}

function failureOf(error: unknown): FactPayload<'TASK_FAILED'> {
  const text = textOf(error) || 'The handler failed.';
  // A lone surrogate would be refused, and the end of the task with it.
  const message = Buffer.from(text.slice(0, limits.noteCharactersMax)).toString('utf8');
  if (error instanceof TaskFailure) return { code: error.code, message, retryable: error.retryable };
  return { code: isRefusedReport(error) ? 'REPORT_REFUSED' : 'HANDLER_FAILED', message, retryable: false };
}

/** Empty for what has none: anything may be thrown. */
function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return '';
  }
}

/** What the handler reported, its result included, was too large or broke its schema. */
function isRefusedReport(error: unknown): boolean {
  return error instanceof Error && error.name === 'TaskBridgeError';
}

/** The value as the log will have it, and out of the handler's reach. */
function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function committed(said: Promise<unknown>): Promise<void> {
  return HandlePromise.by(said.then(() => undefined));
}

function settle({ resolve, reject }: Waiter, resolution: Resolution): void {
  if (resolution.outcome === 'ANSWERED') resolve(resolution.action);
  else if (resolution.outcome === 'EXPIRED')
    reject(new TaskFailure('SUSPENSION_EXPIRED', `Nobody answered ${resolution.suspendId} in time.`));
  else reject(new TaskStopped({ why: 'ended', reason: `The question ${resolution.suspendId} was withdrawn.` }));
}
