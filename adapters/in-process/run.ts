import type { ContractType } from '../../machines/contract/index.ts';
import type { ReportIntent } from '../../machines/index.ts';
import type { Json } from '../../machines/wire/index.ts';
import type {
  AcceptedAction,
  AttemptRef,
  ReportRefusal,
  Resolution,
  StopOrder,
  Work,
  WorkReport,
  WorkReportOutcome,
} from '../../server/ports/index.ts';
import { assertKey, keyUsed, settle, suspendIdOf, type Asking, type Waiter } from './asking.ts';
import { handlerFailure, isForHost, isRefusal, RefusedReport } from './failure.ts';
import { HandlePromise } from './handle-promise.ts';
import { TaskFailure, TaskStopped, type Handler, type Question, type Task } from './handler.ts';
import { withAskedFor, type AskedFor } from './lazy-task.ts';
import { questionBy, questionPayload } from './question.ts';
import type { Slot } from './slots.ts';

/** What the handler reported, until it is known what became of it. */
interface QueuedReport {
  readonly intent: ReportIntent | undefined;
  readonly save: Json | undefined;
  /** It asks, or begins to wait for what it asked. */
  readonly mayWait: boolean;
  resolve(became: Became): void;
  reject(error: unknown): void;
}

/** What became of an intent: a fact, a refusal, or whatever it became when it was sent before. */
type Became = ReportRefusal | 'duplicate' | undefined;

/** Which run it is, for logs. */
export interface RunAbout extends AttemptRef {
  readonly taskType: string;
}

/** What a run needs of its work while the handler has the rest. */
type RunWork = Pick<Work, 'taskId' | 'attempt' | 'taskType' | 'report' | 'resolution' | 'now'>;

/** What runs, and where. */
export interface RunOrder {
  readonly handler: Handler;
  /** What the contract says of the type, where there is one. */
  readonly type: ContractType | undefined;
  /** The run's right to work, not yet taken. */
  readonly slot: Slot;
}

/** What all runs work with. */
export interface RunDeps {
  /** Resolves after a pause before a report is sent again. */
  pause(retry: number): Promise<void>;
  /** True for an error that no second try can mend. */
  isFinal(error: unknown): boolean;
  /** Told of an error that ended the task and was not thrown to tell people. */
  failed(error: unknown, about: RunAbout): void;
}

/** So many intents of one turn go into one report, unless a `save` holds them together. The server takes 1000. */
const REPORT_INTENTS_MAX = 500;

/** One run of a handler: turns its calls into numbered reports, its result or throw into the last one, and answers into resolved promises. */
export class Run {
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
  #queue: QueuedReport[] = [];
  #sending: Promise<void> = Promise.resolve();
  /** Questions of whose end the run was told since its last report. */
  readonly #handed = new Set<string>();
  #seq = 0;
  #over: Promise<void> | undefined;
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
  }

  get attempt(): number {
    return this.#work.attempt;
  }
  get about(): RunAbout {
    const { taskId, attempt, taskType } = this.#work;
    return { taskId, attempt, taskType };
  }

  /** True where its handler does nothing any more: what became of it may still be on its way to the store. */
  get hasReturned(): boolean {
    return this.#hasReturned;
  }

  /** Runs the handler to its end, once it has its slot, and reports the end. The same run for every call; never rejects. */
  run(): Promise<void> {
    return (this.#over ??= this.#run());
  }

  async #run(): Promise<void> {
    const [handler, slot] = [this.#handler, this.#slot];
    try {
      // Stopped before it began.
      if (!(await slot.begin())) throw this.#reason;
      // Before its first side effect: what was not said to have begun is run again, whatever happens to this process.
      await this.#enqueue({ type: 'report.started', payload: {} });
      const result = (await handler(this.#takeTask())) ?? null;
      await this.#assertHeard();
      this.#hasReturned = true;
      // Who only waits for the store to take its end keeps nobody from working.
      slot.end();
      await this.#enqueue({ type: 'report.completed', payload: { result } });
    } catch (error) {
      this.#hasReturned = true;
      slot.end();
      await this.#enqueue(this.#ending(error)).catch((refused: unknown) => this.#enqueue(this.#ending(refused)).catch(() => undefined));
    }
  }

  /** Has the handler stop. */
  stop(order: StopOrder): void {
    this.#order ??= order;
    if (order.why !== 'cancel') this.#order = order;
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
    this.#handed.add(resolution.suspendId);
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
    const { taskId, attempt, taskType, report, resolution, now } = this.#work;
    this.#work = { taskId, attempt, taskType, report, resolution, now };
    return task;
  }

  #task(work: Work): Task {
    const { taskId, taskType, owner, attempt, params } = work;
    const verbs: Omit<Task, keyof AskedFor> = {
      taskId,
      taskType,
      owner,
      attempt,
      params,
      progress: (progress, about = {}) => this.#handle(this.#progress(progress, about)),
      message: (message, level) =>
        this.#handle(this.#report({ type: 'report.message', payload: level ? { message, level } : { message } })),
      suspend: (key, question) => this.#suspend(key, question),
      save: (value) => this.#handle(this.#report(undefined, value)),
    };
    return withAskedFor(verbs, work, () => this.#signal);
  }

  async #progress(progress: number, about: { readonly stage?: string; readonly message?: string }): Promise<void> {
    // JSON has neither.
    if (!Number.isFinite(progress))
      throw new RefusedReport('REPORT_REFUSED', `A progress of ${String(progress)} was not reported: it has to be a number from 0 to 100.`);
    await this.#report({ type: 'report.progress', payload: { progress, ...about } });
  }

  async #report(intent: ReportIntent | undefined, save?: Json): Promise<void> {
    await this.#enqueue(intent, { save });
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
    void this.#enqueue(undefined, { mayWait: true }).catch(() => undefined);
  }

  /** Resolves when the question is asked, or was before; the waiter hears how it ends. */
  async #ask(key: string, suspendId: string, question: Question, waiter: Waiter): Promise<void> {
    assertKey(key);
    const asked = questionBy(this.#type, key, question);
    const asking = this.#question(suspendId);
    if (asking.isAsked) throw keyUsed(key, 'this run has asked under it already');
    asking.isAsked = asking.isOpen = true;
    const intent = { type: 'report.suspended', payload: questionPayload(suspendId, asked, this.#work.now()) } as const;
    let became = await this.#enqueue(intent, { mayWait: true });
    // Its fate was lost with an answer; asked again, it is told.
    while (became === 'duplicate') became = await this.#enqueue(intent, { mayWait: true });
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
    const known = mayBeKnown ? await this.#retry(() => this.#work.resolution(suspendId)) : undefined;
    if (known) await this.resume(known);
  }

  /** What the handler gets. It need not listen: what was refused and nobody heard of fails the task when the handler has ended. */
  #handle<T>(reported: Promise<T>): HandlePromise<T> {
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

  /** Queues a report; all of one synchronous turn goes together, and what is awaited in it. */
  #enqueue(
    intent: ReportIntent | undefined,
    { save, mayWait = false }: { readonly save?: Json | undefined; readonly mayWait?: boolean } = {},
  ): Promise<Became> {
    if (this.#order && this.#order.why !== 'cancel') return Promise.reject(this.#reason);
    return new Promise((resolve, reject) => {
      this.#queue.push({ intent: intent && asJson(intent), save: save === undefined ? undefined : asJson(save), mayWait, resolve, reject });
      if (this.#queue.length > 1) return;
      // An `await` of the same turn reaches its promise in the first microtask.
      queueMicrotask(() =>
        queueMicrotask(() => {
          const turn = this.#queue;
          this.#queue = [];
          this.#sending = this.#sending.then(() => this.#sendTurn(turn));
        }),
      );
    });
  }

  /** A turn that saves is one report, whatever its size; others are as many as it takes. */
  async #sendTurn(turn: readonly QueuedReport[]): Promise<void> {
    if (turn.some(({ save }) => save !== undefined)) return this.#send(turn);
    for (let from = 0; from < turn.length; from += REPORT_INTENTS_MAX) await this.#send(turn.slice(from, from + REPORT_INTENTS_MAX));
  }

  async #send(reports: readonly QueuedReport[]): Promise<void> {
    const saves = reports.flatMap(({ save }) => (save === undefined ? [] : [save]));
    const intents = reports.flatMap(({ intent }) => intent ?? []);
    // Who reports works, unless the same turn begins to wait.
    const awaits = reports.some(({ mayWait }) => mayWait) ? this.#awaited() : [];
    const handed = [...this.#handed];
    const report: WorkReport = {
      source: 'main',
      seq: ++this.#seq,
      intents,
      awaits,
      ...(handed.length > 0 && { handed }),
      ...(saves.length > 0 && { save: saves.at(-1) as Json }),
    };
    try {
      const outcome = await this.#deliver(report);
      for (const suspendId of handed) this.#handed.delete(suspendId);
      if (outcome.status === 'fenced') this.stop({ why: 'fenced' });
      let i = 0;
      for (const { intent, resolve, reject } of reports) {
        if (outcome.status === 'fenced') reject(this.#reason);
        else if (outcome.status === 'duplicate') resolve('duplicate');
        else resolve(intent && outcome.refusals[i++]);
      }
    } catch (error) {
      if (saves.length > 0 || reports.length === 1 || !isRefusal(error)) return reports.forEach(({ reject }) => reject(error));
      // Nothing was written. The one that is wrong does not take the others with it.
      const middle = Math.ceil(reports.length / 2);
      await this.#send(reports.slice(0, middle));
      await this.#send(reports.slice(middle));
    }
  }

  /** The questions that the handler awaits, by id. */
  #awaited(): string[] {
    return [...this.#questions].filter(([, { isAwaited, isOpen }]) => isAwaited && isOpen).map(([suspendId]) => suspendId);
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
    if (isForHost(error)) this.#deps.failed(error, this.about);
    return { type: 'report.failed', payload: handlerFailure(error) };
  }
}

/** The value as the log will have it, and out of the handler's reach. */
function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
