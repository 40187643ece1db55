import type { ReportIntent } from '../../machines/index.ts';
import type { Json } from '../../machines/wire/index.ts';
import type { HeardEnd, PartReport, ReportRefusal, Resolution, WorkReport, WorkReportOutcome } from '../../server/ports/index.ts';
import { isRefusal } from './failure.ts';
import type { TaskStopped } from './handler.ts';

/** What became of an intent: a fact, a refusal, or whatever it became when it was sent before. */
export type Became = ReportRefusal | 'duplicate' | undefined;

/** An intent, or what gives one when it is to be sent; undefined for none. */
export type QueuedIntent = ReportIntent | (() => PartReport | undefined) | undefined;

/** What goes with an intent. */
export interface QueuedWith {
  readonly save?: Json | undefined;
  /** It asks, or begins to wait for what it asked. */
  readonly mayWait?: boolean;
  /** It opens a part: what follows in the same turn may wait for its text, and goes in another report. */
  readonly opens?: boolean;
  /** Done before the report is sent. */
  readonly before?: (() => Promise<unknown>) | undefined;
}

/** What the handler reported, until it is known what became of it. */
interface QueuedReport extends Required<QueuedWith> {
  readonly intent: QueuedIntent;
  resolve(became: Became): void;
  reject(error: unknown): void;
}

/** What the queue asks of its run. */
export interface ReportQueueDeps {
  /** Sends until it is known what became of the report. */
  deliver(report: WorkReport): Promise<WorkReportOutcome>;
  /** The questions that the handler awaits, by id. */
  awaited(): string[];
  /** The run counts no more: stops it, and gives the reason. */
  fenced(): TaskStopped;
}

/** So many intents of one turn go into one report, unless a `save` holds them together. The server takes 1000. */
const REPORT_INTENTS_MAX = 500;

const now = Promise.resolve();
const nothing = (): void => undefined;

/** What a handler reports, turn by turn: all of one synchronous turn goes together, and what is awaited in it, in numbered reports, one after the other. */
export class ReportQueue {
  readonly #deps: ReportQueueDeps;
  #turn: QueuedReport[] = [];
  #sending: Promise<void> = Promise.resolve();
  #seq = 0;
  /** Of which ends of questions the run was told since its last report, by the id of the question. */
  readonly #handed = new Map<string, HeardEnd>();

  constructor(deps: ReportQueueDeps) {
    this.#deps = deps;
  }

  /** The run was told how a question ended: said with the next report. What it was told first is what it goes by. */
  noteHanded(resolution: Resolution): void {
    const { suspendId, outcome } = resolution;
    if (this.#handed.has(suspendId)) return;
    const clientActionId = resolution.outcome === 'ANSWERED' ? resolution.action.clientActionId : undefined;
    this.#handed.set(suspendId, { suspendId, outcome, ...(clientActionId !== undefined && { clientActionId }) });
  }

  /** Takes what the handler says now; resolves when it is known what became of it. */
  enqueue(given: QueuedIntent, { save, mayWait = false, opens = false, before }: QueuedWith = {}): Promise<Became> {
    return new Promise((resolve, reject) => {
      const intent = typeof given === 'object' ? asJson(given) : given;
      this.#turn.push({ intent, save: save === undefined ? undefined : asJson(save), mayWait, opens, before, resolve, reject });
      if (this.#turn.length > 1) return;
      // An `await` of the same turn reaches its promise in the first microtask. By promises: what `queueMicrotask` keeps of each costs as much as its work.
      void now.then(nothing).then(() => {
        const turn = this.#turn;
        this.#turn = [];
        this.#sending = this.#sending.then(() => this.#sendTurn(turn));
      });
    });
  }

  /** A turn that saves is one report, whatever its size, but for parts that it opens: these come before. Others are as many as it takes. */
  async #sendTurn(turn: readonly QueuedReport[]): Promise<void> {
    const opening = turn.filter(({ opens }) => opens);
    if (turn.some(({ save }) => save !== undefined)) {
      for (const report of opening) await this.#sendReady([report]);
      return this.#sendReady(turn.filter(({ opens }) => !opens));
    }
    for (let from = 0, to = from; from < turn.length; from = to) {
      while (to < turn.length && to - from < REPORT_INTENTS_MAX && !(to > from && turn[to - 1]?.opens)) to += 1;
      await this.#sendReady(turn.slice(from, to));
    }
  }

  /** Does first what is to be done before. */
  async #sendReady(reports: readonly QueuedReport[]): Promise<void> {
    try {
      for (const { before } of reports) await before?.();
    } catch (error) {
      for (const { reject } of reports) reject(error);
      return;
    }
    return this.#send(reports);
  }

  async #send(reports: readonly QueuedReport[]): Promise<void> {
    const saves = reports.flatMap(({ save }) => (save === undefined ? [] : [save]));
    const heard = [...this.#handed.values()];
    const said = reports.map(({ intent }) => (typeof intent === 'function' ? intent() : intent));
    const report: WorkReport = {
      source: 'main',
      seq: ++this.#seq,
      intents: said.flatMap((intent) => intent ?? []),
      // Who reports works, unless the same turn begins to wait.
      awaits: reports.some(({ mayWait }) => mayWait) ? this.#deps.awaited() : [],
      ...(heard.length > 0 && { handed: heard.map(({ suspendId }) => suspendId), heard }),
      ...(saves.length > 0 && { save: saves.at(-1) as Json }),
    };
    try {
      const outcome = await this.#deps.deliver(report);
      for (const { suspendId } of heard) this.#handed.delete(suspendId);
      const stopped = outcome.status === 'fenced' ? this.#deps.fenced() : undefined;
      let i = 0;
      for (const [nth, { resolve, reject }] of reports.entries()) {
        if (outcome.status === 'fenced') reject(stopped);
        else if (outcome.status === 'duplicate') resolve('duplicate');
        else resolve(said[nth] && outcome.refusals[i++]);
      }
    } catch (error) {
      if (saves.length > 0 || reports.length === 1 || !isRefusal(error)) return reports.forEach(({ reject }) => reject(error));
      // Nothing was written. The one that is wrong does not take the others with it.
      const middle = Math.ceil(reports.length / 2);
      await this.#send(reports.slice(0, middle));
      await this.#send(reports.slice(middle));
    }
  }
}

/** The value as the log will have it, and out of the handler's reach. */
function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
