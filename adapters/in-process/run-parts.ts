import type {
  Clock,
  FlushOutcome,
  LaneFlush,
  OpenedPart,
  PartReport,
  WorkParts,
  WorkReport,
  WorkReportOutcome,
} from '../../server/ports/index.ts';
import { partFault, type ContractType } from '../../machines/contract/index.ts';
import type { FactPayload, Json } from '../../machines/wire/index.ts';
import { RefusedReport } from './failure.ts';
import { TaskFailure, TaskStopped, type PartOptions, type PartStream, type ValueOptions, type ValueStream } from './handler.ts';
import type { HandlePromise } from './handle-promise.ts';
import { PartWriter, type FlushPolicy, type PartWriterDeps, type WaitingBytes } from './part-writer.ts';
import type { Became, QueuedIntent, QueuedWith } from './report-queue.ts';
import { ValueWriter } from './value-writer.ts';

/** What the parts of a run ask of it. */
export interface RunPartsDeps extends Pick<PartWriterDeps, 'reason' | 'lost'> {
  readonly attempt: number;
  /** What the keys of its parts begin with, where several runs of one attempt have parts. */
  readonly keyPrefix?: string;
  readonly clock: Clock;
  readonly unsent: WaitingBytes;
  /** Absent where the store keeps none: then the report that opens one is refused, and says so. */
  readonly parts: WorkParts | undefined;
  enqueue(intent: QueuedIntent, about: QueuedWith): Promise<Became>;
  /** Sends a report past the queue, until it is known what became of it. */
  deliver(report: WorkReport): Promise<WorkReportOutcome>;
  /** Asks until there is an answer, or undefined once the run counts no more. */
  retry<T>(ask: () => Promise<T>): Promise<T | undefined>;
  /** What the handler gets; see the run's. */
  handle<T>(reported: Promise<T>): HandlePromise<T>;
  /** The run counts no more. */
  fenced(): void;
  signal(): AbortSignal;
}

/** The defaults of how often the text of a part is sent. */
const flushDefaults: FlushPolicy = { flushMs: 50, flushBytes: 4 * 1024 };
/** The shortest rest, in milliseconds. */
const FLUSH_MS_MIN = 10;
/** A source of its own: it is said while other reports wait for the flush that was fenced. */
const SOURCE = 'parts';

/** How any part is opened, and what writes to it. */
type AnyOptions = PartOptions | ValueOptions;
type AnyWriter = Pick<PartWriter, 'part' | 'begin' | 'flushed' | 'end' | 'fail'>;

/** The parts that a run has open. Their writers are given this itself: a function of each would be most of what an open part takes. */
export class RunParts implements PartWriterDeps {
  readonly #deps: RunPartsDeps;
  /** Few: a set would take more than a writer. */
  #writers: readonly AnyWriter[] = [];
  /** Those of an earlier attempt that this run goes on with; undefined for none. */
  #adopted: Set<number> | undefined;
  #count = 0;
  #seq = 0;

  constructor(deps: RunPartsDeps) {
    this.#deps = deps;
  }

  get clock(): Clock {
    return this.#deps.clock;
  }
  get unsent(): WaitingBytes {
    return this.#deps.unsent;
  }

  flush(flush: LaneFlush): Promise<FlushOutcome | undefined> {
    return this.#deps.retry(() => (this.#deps.parts as WorkParts).flush(flush));
  }
  lost(): void {
    this.#deps.lost();
  }
  refused(error: unknown): void {
    // Nobody else may hear of it: it fails the task when the handler has ended.
    void this.#deps.handle(Promise.reject(error as Error));
  }
  reason(): TaskStopped {
    return this.#deps.reason();
  }

  async regain({ part, fence }: OpenedPart): Promise<OpenedPart | undefined> {
    const deps = this.#deps;
    const outcome = await deps.deliver({
      source: `${deps.keyPrefix ?? ''}${SOURCE}`,
      seq: (this.#seq += 1),
      intents: [{ type: 'report.part.continued', payload: { part } }],
    });
    if (outcome.status === 'fenced') deps.fenced();
    if (outcome.status !== 'committed' || outcome.refusals[0] !== undefined) return undefined;
    return deps.retry(async () => deps.parts?.opened(part, fence.epoch.mark));
  }

  /** Opens a part, or goes on with what an earlier attempt left. Throws a `RangeError` for a policy that cannot be. */
  open(name: string, options: AnyOptions): PartStream | ValueStream {
    return options.kind === 'latest' ? this.#openValue(name, options) : this.#openText(name, options);
  }

  #openValue(name: string, options: ValueOptions): ValueStream {
    const deps = this.#deps;
    const writer = new ValueWriter(this, name);
    const opening = this.#opened(name, options, writer).then((text) => (text === '' ? undefined : (JSON.parse(text) as Json)));
    const value = deps.handle(opening);
    return {
      value,
      write: (next) => {
        const refused = writer.write(next);
        return refused && deps.handle(refused);
      },
      end: () => deps.handle(this.#end(writer, value)),
    };
  }

  #openText(name: string, options: PartOptions): PartStream {
    const policy = policyOf(options);
    const deps = this.#deps;
    const writer = new PartWriter(this, policy);
    const text = deps.handle(this.#opened(name, options, writer));
    return {
      text,
      write: (piece) => {
        const full = writer.write(piece);
        return full && deps.handle(full);
      },
      pipe: (source) => deps.handle(this.#pipe(source, writer)),
      end: () => deps.handle(this.#end(writer, text)),
    };
  }

  /** What is to be done before a report that is made now: all that was written by now is to be in the store. Undefined for nothing. */
  flushed(): (() => Promise<unknown>) | undefined {
    const flushes = this.#writers.flatMap((writer) => writer.flushed() ?? []);
    if (flushes.length === 0) return undefined;
    const all = Promise.all(flushes);
    all.catch(() => undefined);
    return () => all;
  }

  /** Nothing is written any more: the handler has ended. */
  end(): void {
    for (const writer of this.#writers) writer.end();
  }

  /** The run counts no more. */
  stop(): void {
    for (const writer of this.#writers) writer.fail(this.#deps.reason());
    this.#writers = [];
  }

  /** What an earlier attempt left of it; '' for nothing. */
  #opened(name: string, options: AnyOptions, writer: AnyWriter): Promise<string> {
    const key = `${this.#deps.keyPrefix ?? ''}p${(this.#count += 1)}`;
    this.#writers = this.#writers.concat(writer);
    const opening = this.#open(name, options, key, writer);
    opening.catch((error: unknown) => {
      this.#forget(writer);
      writer.fail(error);
    });
    return opening;
  }

  #forget(writer: AnyWriter): void {
    this.#writers = this.#writers.filter((each) => each !== writer);
  }

  async #open(name: string, options: AnyOptions, key: string, writer: AnyWriter): Promise<string> {
    const deps = this.#deps;
    let left: OpenedPart | undefined;
    const opens: PartReport = { type: 'report.part.opened', key, payload: payloadOf(name, options), ...wishesOf(options) };
    const adopts = (part: number): PartReport => ({ type: 'report.part.adopted', key, payload: { part } });
    const became = await deps.enqueue(() => (left ? adopts(left.part) : opens), {
      opens: true,
      ...(this.#mayGoOn(options) && { before: async () => void (left = await this.#adopt(name, options)) }),
    });
    if (became !== undefined && became !== 'duplicate')
      throw new TaskFailure(became, `The part ${JSON.stringify(name)} was not opened: ${became}.`);
    const opened = left ?? (await deps.retry(async () => deps.parts?.opened(key)));
    if (!opened) throw this.reason();
    const text = left ? await deps.retry(async () => deps.parts?.read(opened)) : '';
    if (text === undefined) throw this.reason();
    writer.begin(opened);
    return text;
  }

  #mayGoOn({ onRerun }: AnyOptions): boolean {
    return onRerun === 'continue' && this.#deps.attempt > 1 && this.#deps.parts !== undefined;
  }

  async #adopt(name: string, { kind }: AnyOptions): Promise<OpenedPart | undefined> {
    const deps = this.#deps;
    const left = (await deps.retry(async () => deps.parts?.left(name))) ?? [];
    // A value does not go on as a text.
    const adopted = left.find(({ part, fence }) => !this.#adopted?.has(part) && (fence.latest === true) === (kind === 'latest'));
    if (adopted) (this.#adopted ??= new Set()).add(adopted.part);
    return adopted;
  }

  async #end(writer: AnyWriter, opening: PromiseLike<unknown>): Promise<void> {
    writer.end();
    const closes = (): PartReport | undefined =>
      writer.part === undefined ? undefined : { type: 'report.part.closed', payload: { part: writer.part } };
    // Nothing was written to it, maybe: then no flush has waited for its number.
    const closing = this.#deps.enqueue(closes, { before: async () => opening.then(nothing, nothing) });
    closing.catch(() => undefined);
    // Where it was never opened, that is the reason, and whoever hears of this one has heard of that.
    await opening;
    const became = await closing;
    this.#forget(writer);
    if (became !== undefined && became !== 'duplicate') throw new TaskFailure(became, `A part was not closed: ${became}.`);
  }

  async #pipe(source: AsyncIterable<string>, writer: PartWriter): Promise<void> {
    const signal = this.#deps.signal();
    for await (const piece of source) {
      if (signal.aborted) throw signal.reason instanceof TaskStopped ? signal.reason : this.#deps.reason();
      await writer.write(piece);
    }
  }
}

const nothing = (): void => undefined;

function policyOf({ flushMs = flushDefaults.flushMs, flushBytes = flushDefaults.flushBytes }: PartOptions): FlushPolicy {
  if (!Number.isSafeInteger(flushMs) || flushMs < FLUSH_MS_MIN)
    throw new RangeError(`flushMs (${flushMs}) must be a whole number of at least ${FLUSH_MS_MIN}.`);
  if (!Number.isSafeInteger(flushBytes) || flushBytes < 1)
    throw new RangeError(`flushBytes (${flushBytes}) must be a whole number of at least 1.`);
  return flushMs === flushDefaults.flushMs && flushBytes === flushDefaults.flushBytes ? flushDefaults : { flushMs, flushBytes };
}

/** A part of a contract as work opens it: its kind is the contract's to say. Throws for a name that is none of a part. */
export function partBy(type: ContractType | undefined, name: string, asked: Partial<AnyOptions> = {}): AnyOptions {
  const kind = type?.parts?.get(name);
  // Untyped work says all of it.
  if (!type || (!kind && !type.parts)) return asked as AnyOptions;
  const fault = partFault(type, name, asked.kind);
  if (!kind || fault !== undefined) throw new RefusedReport('REPORT_REFUSED', `The part ${JSON.stringify(name)} ${fault}.`);
  return { ...asked, kind } as AnyOptions;
}

function payloadOf(name: string, { kind, attributes }: AnyOptions): FactPayload<'TASK_PART_OPENED'> {
  return { name, kind, ...(attributes && { attributes }) };
}

function wishesOf(options: AnyOptions): Pick<PartOptions, 'onRerun' | 'closeAs'> {
  const { onRerun } = options;
  const closeAs = options.kind === 'latest' ? undefined : options.closeAs;
  return { ...(onRerun && { onRerun }), ...(closeAs && { closeAs }) };
}
