import type { ContractType } from '../../machines/contract/index.ts';
import type { ReportIntent } from '../../machines/index.ts';
import type { Json } from '../../machines/wire/index.ts';
import type {
  AcceptedAction,
  Clock,
  NewWorkAttachment,
  Resolution,
  StopOrder,
  Work,
  WorkParts,
  WorkReport,
  WorkReportOutcome,
} from '../../server/ports/index.ts';
import { assertKey, keyUsed, settle, suspendIdOf, type Asking, type Waiter } from './asking.ts';
import { handlerFailure, isForHost, RefusedReport } from './failure.ts';
import { HandlePromise } from './handle-promise.ts';
import { TaskFailure, TaskStopped, type Handler, type Question, type Task } from './handler.ts';
import { withAskedFor, type AskedFor } from './lazy-task.ts';
import { questionBy, questionPayload } from './question.ts';
import { ReportQueue, type Became, type QueuedIntent, type QueuedWith } from './report-queue.ts';
import type { RunAbout, RunDeps, RunOrder } from './run-deps.ts';
import { partBy, RunParts, type RunPartsDeps } from './run-parts.ts';
import type { WaitingBytes } from './part-writer.ts';
import type { Slot } from './slots.ts';

/** What a run needs of its work while the handler has the rest. */
type RunWork = Pick<Work, 'taskId' | 'attempt' | 'taskType' | 'report' | 'attach' | 'resolution' | 'now' | 'parts' | 'lost'>;

/** How a run ended. */
export type RunEnd =
  | { readonly status: 'completed' }
  /** By what its handler threw, or by what the log did not take of it: so the log says. */
  | { readonly status: 'threw'; readonly error: unknown }
  /** By that, and the log took no word of it. */
  | { readonly status: 'unwritten'; readonly error: unknown };

/** One run of a handler: turns its calls into numbered reports, its result or throw into the last one, and answers into resolved promises. */
export class Run implements RunPartsDeps {
  /** Without what it was created with, once that is the handler's: it may be large, and a person may take long. */
  #work: Work | RunWork;
  /** What it was created with, as long as the handler holds it. */
  #given: WeakRef<Work> | undefined;
  readonly #handler: Handler;
  readonly #type: ContractType | undefined;
  readonly #slot: Slot;
  readonly #deps: RunDeps;
  /** Made when the handler asks for its signal. */
  #aborting: AbortController | undefined;
  /** Why it has to stop, since it was first told to. */
  #stopped: StopOrder | undefined;
  /** The same for who is told: an error costs as much as a commit, and most runs that are over have nobody to tell. */
  #failure: TaskStopped | undefined;
  #hasReturned = false;
  /** By id. */
  readonly #questions = new Map<string, Asking>();
  readonly #reports: ReportQueue;
  /** Made when the handler opens a part. */
  #parts: RunParts | undefined;
  #over: Promise<RunEnd> | undefined;
  #order: StopOrder | undefined;
  /** Reports of whose fate nothing is known yet; undefined for none. */
  #reporting: Set<Promise<unknown>> | undefined;
  /** Reports that were refused for good, and who may have heard of it. */
  readonly #refused: { readonly error: unknown; readonly handle: HandlePromise<unknown> }[] = [];

  constructor(work: Work, { handler, type, slot }: RunOrder, deps: RunDeps) {
    this.#work = work;
    this.#handler = handler;
    this.#type = type;
    this.#slot = slot;
    this.#deps = deps;
    this.#reports = new ReportQueue({
      deliver: (report) => this.deliver(report),
      awaited: () => this.#awaited(),
      fenced: () => {
        this.stop({ why: 'fenced' });
        return this.#reason;
      },
    });
  }

  get attempt(): number {
    return this.#work.attempt;
  }
  get about(): RunAbout {
    const { taskId, attempt, taskType } = this.#work;
    return { taskId, attempt, taskType };
  }

  get clock(): Clock {
    return this.#deps.clock;
  }
  get unsent(): WaitingBytes {
    return this.#deps.unsent;
  }
  get parts(): WorkParts | undefined {
    return this.#work.parts;
  }

  /** True where its handler does nothing any more: what became of it may still be on its way to the store. */
  get hasReturned(): boolean {
    return this.#hasReturned;
  }

  /** Runs the handler to its end, once it has its slot, and reports the end. The same run for every call; never rejects. */
  run(): Promise<RunEnd> {
    return (this.#over ??= this.#run());
  }

  async #run(): Promise<RunEnd> {
    const [handler, slot] = [this.#handler, this.#slot];
    try {
      // Stopped before it began.
      if (!(await slot.begin())) throw this.#reason;
      // Before its first side effect: what was not said to have begun is run again, whatever happens to this process.
      await this.enqueue({ type: 'report.started', payload: {} });
      const result = (await handler(this.#takeTask())) ?? null;
      this.#parts?.end();
      await this.#assertHeard();
      this.#hasReturned = true;
      // Who only waits for the store to take its end keeps nobody from working.
      slot.end();
      await this.enqueue({ type: 'report.completed', payload: { result } });
      return { status: 'completed' };
    } catch (error) {
      this.#hasReturned = true;
      this.#parts?.end();
      slot.end();
      return this.#writeEnd(error);
    }
  }

  /** Reports an end that came by a throw, or how that report was refused. */
  async #writeEnd(error: unknown): Promise<RunEnd> {
    try {
      await this.enqueue(this.#ending(error)).catch((refused: unknown) => this.enqueue(this.#ending(refused)));
      return { status: 'threw', error };
    } catch (unwritten) {
      return { status: 'unwritten', error: unwritten };
    }
  }

  /** Has the handler stop. */
  stop(order: StopOrder): void {
    this.#order ??= order;
    if (order.why !== 'cancel') {
      this.#order = order;
      this.#parts?.stop();
    }
    this.#stopped ??= order;
    this.#aborting?.abort(this.#reason);
    for (const asking of this.#questions.values()) {
      asking.waiter?.reject(new TaskStopped(order));
      asking.waiter = undefined;
      asking.isOpen = false;
    }
    // What it does from now on counts for nothing, and keeps nobody from working.
    if (order.why === 'cancel') this.#slot.withdraw();
    else this.#slot.free();
  }

  /** Hands over how a question ended, once the run may work again. */
  async resume(resolution: Resolution): Promise<void> {
    const asking = this.#question(resolution.suspendId);
    this.#reports.noteHanded(resolution);
    asking.resolution = resolution;
    if (!asking.waiter || !(await this.#slot.goOn())) return;
    const { waiter } = asking;
    if (!waiter) return;
    asking.waiter = asking.resolution = undefined;
    asking.isOpen = false;
    settle(waiter, resolution);
  }

  #question(suspendId: string): Asking {
    const asking = this.#questions.get(suspendId) ?? { isAsked: false, isOpen: false, isAwaited: false };
    this.#questions.set(suspendId, asking);
    return asking;
  }

  get #signal(): AbortSignal {
    if (!this.#aborting) {
      this.#aborting = new AbortController();
      if (this.#stopped) this.#aborting.abort(this.#reason);
    }
    return this.#aborting.signal;
  }

  reason(): TaskStopped {
    return this.#reason;
  }
  signal(): AbortSignal {
    return this.#signal;
  }
  fenced(): void {
    this.stop({ why: 'fenced' });
  }
  lost(): void {
    this.fenced();
    this.#work.lost?.();
  }

  /** Why it stops. */
  get #reason(): TaskStopped {
    return (this.#failure ??= new TaskStopped(this.#stopped ?? { why: 'fenced' }));
  }

  /** Makes what the handler is given, once: from then on it is the handler's alone. */
  #takeTask(): Task {
    // Nobody but this function, which is called once, puts anything else there.
    const work = this.#work as Work;
    const task = this.#task(work);
    this.#given = new WeakRef(work);
    const { taskId, attempt, taskType, report, attach, resolution, now, parts, lost } = this.#work;
    this.#work = { taskId, attempt, taskType, report, attach, resolution, now, ...(parts && { parts }), ...(lost && { lost }) };
    return task;
  }

  #task(work: Work): Task {
    const { taskId, taskType, owner, attempt, params, traceContext } = work;
    const verbs: Omit<Task, keyof AskedFor> = {
      taskId,
      taskType,
      owner,
      attempt,
      params,
      ...(traceContext && { traceContext }),
      progress: (progress, about = {}) => this.handle(this.#progress(progress, about)),
      message: (message, level) => this.handle(this.#report({ type: 'report.message', payload: level ? { message, level } : { message } })),
      suspend: (key, question) => this.#suspend(key, question),
      attach: (name, content, contentType) => this.handle(this.#attach({ name, content, contentType })),
      // What it gives is of the kind that was asked for.
      stream: ((name, options) => (this.#parts ??= new RunParts(this)).open(name, partBy(this.#type, name, options))) as Task['stream'],
      save: (value) => this.handle(this.#report(undefined, value)),
    };
    return withAskedFor(verbs, work, () => this.#signal);
  }

  async #progress(progress: number, about: { readonly stage?: string; readonly message?: string }): Promise<void> {
    // JSON has neither.
    if (!Number.isFinite(progress))
      throw new RefusedReport('REPORT_REFUSED', `A progress of ${String(progress)} was not reported: it has to be a number from 0 to 100.`);
    await this.#report({ type: 'report.progress', payload: { progress, ...about } });
  }

  /** Its bytes come once, what lists it is asked until there is an answer. */
  async #attach(file: NewWorkAttachment): Promise<void> {
    if (this.#order && this.#order.why !== 'cancel') throw this.#reason;
    const list = await this.#work.attach(file);
    const outcome = await this.retry(list);
    // Asked of a run that counts no more, it takes the file away.
    if (outcome === undefined) void list().catch(() => undefined);
    if (outcome === 'fenced') this.stop({ why: 'fenced' });
    if (outcome !== 'listed') throw this.#reason;
  }

  async #report(intent: ReportIntent | undefined, save?: Json): Promise<void> {
    await this.enqueue(intent, { save });
  }

  #suspend(key: string, question: Question): HandlePromise<AcceptedAction> {
    const suspendId = suspendIdOf(this.#work.taskId, key);
    const asking = this.#question(suspendId);
    const isRepeated = asking.isAsked;
    const { handle, ...waiter } = HandlePromise.unsettled<AcceptedAction>();
    const asked = this.#ask(key, suspendId, question, waiter);
    asked.catch(waiter.reject);
    if (!isRepeated) handle.whenAwaited(() => this.#noteAwaited(asking));
    return this.#noteReport(handle, asked);
  }

  /** A run that waits says so, with its question where it awaits that at once. */
  #noteAwaited(asking: Asking): void {
    if (!asking.isOpen) return;
    asking.isAwaited = true;
    void this.enqueue(undefined, { mayWait: true }).catch(() => undefined);
  }

  /** Resolves when the question is asked, or was before; the waiter hears how it ends. */
  async #ask(key: string, suspendId: string, question: Question, waiter: Waiter): Promise<void> {
    assertKey(key);
    const asked = questionBy(this.#type, key, question);
    const asking = this.#question(suspendId);
    if (asking.isAsked) throw keyUsed(key, 'this run has asked under it already');
    asking.isAsked = asking.isOpen = true;
    const intent = { type: 'report.suspended', payload: questionPayload(suspendId, asked, this.#work.now()) } as const;
    let became = await this.enqueue(intent, { mayWait: true });
    // Its fate was lost with an answer; asked again, it is told.
    while (became === 'duplicate') became = await this.enqueue(intent, { mayWait: true });
    if (became === undefined || became === 'ALREADY_ASKED') {
      await this.#wait(suspendId, waiter, became === 'ALREADY_ASKED');
    } else if (became === 'CANCELLING') {
      // The order to stop is on its way. What the handler does next ends a task that is cancelled.
      this.stop({ why: 'cancel' });
      throw this.#reason;
    } else {
      asking.isOpen = false;
      if (became === 'ASKED_OTHERWISE') throw keyUsed(key, 'an earlier run asked something else under it');
      throw new TaskFailure(became, `The question ${JSON.stringify(key)} was not asked: ${became}.`);
    }
  }

  /** Who waits for a person works no more; the answer has him work again. It may be here already, or be that of an earlier run. */
  async #wait(suspendId: string, waiter: Waiter, mayBeKnown: boolean): Promise<void> {
    if (this.#stopped) return waiter.reject(this.#reason);
    const asking = this.#question(suspendId);
    asking.waiter = waiter;
    if (asking.resolution) return this.resume(asking.resolution);
    this.#slot.free();
    this.#given?.deref()?.rest?.();
    const known = mayBeKnown ? await this.retry(() => this.#work.resolution(suspendId)) : undefined;
    if (known) await this.resume(known);
  }

  /** What the handler gets. It need not listen: what was refused and nobody heard of fails the task when the handler has ended. */
  handle<T>(reported: Promise<T>): HandlePromise<T> {
    return this.#noteReport(HandlePromise.by(reported), reported);
  }

  #noteReport<T>(handle: HandlePromise<T>, reported: Promise<unknown>): HandlePromise<T> {
    const reporting = (this.#reporting ??= new Set());
    const known: Promise<unknown> = reported
      .catch((error: unknown) => {
        if (!(error instanceof TaskStopped)) this.#refused.push({ error, handle });
      })
      .then(() => {
        reporting.delete(known);
        if (reporting.size === 0 && this.#reporting === reporting) this.#reporting = undefined;
      });
    reporting.add(known);
    return handle;
  }

  /** Throws the first refusal that nobody heard of, once it is known what became of all reports. */
  async #assertHeard(): Promise<void> {
    if (this.#reporting) await Promise.all(this.#reporting);
    const unheard = this.#refused.find(({ handle }) => !handle.isHeard);
    if (unheard) throw unheard.error;
  }

  /** Queues a report; see {@link ReportQueue}. */
  enqueue(intent: QueuedIntent, about: QueuedWith = {}): Promise<Became> {
    if (this.#order && this.#order.why !== 'cancel') return Promise.reject(this.#reason);
    // What is opened waits for no text of others.
    const flushed = about.opens ? undefined : this.#parts?.flushed();
    const { before } = about;
    const both = before && flushed && (() => before().then(flushed));
    return this.#reports.enqueue(intent, flushed ? { ...about, before: both ?? flushed } : about);
  }

  /** The questions that the handler awaits, by id. */
  #awaited(): string[] {
    return [...this.#questions].filter(([, { isAwaited, isOpen }]) => isAwaited && isOpen).map(([suspendId]) => suspendId);
  }

  /** Sends until it is known what became of the report. */
  async deliver(report: WorkReport): Promise<WorkReportOutcome> {
    return (await this.retry(() => this.#work.report(report))) ?? { status: 'fenced' };
  }

  /** Asks until there is an answer, or undefined once this run no longer counts: a store that is down makes the work wait, not fail. */
  async retry<T>(ask: () => Promise<T>): Promise<T | undefined> {
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
    if (isForHost(error)) this.#deps.failed(error, this.about);
    return { type: 'report.failed', payload: handlerFailure(error) };
  }
}
