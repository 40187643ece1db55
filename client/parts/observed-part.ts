import { closed, invalidArgument, TaskBridgeClientError } from '../errors.ts';
import type { Observation } from '../observation/observation.ts';
import type { TaskPartRecord } from './part-record.ts';
import type { PartText, PartView } from './part-text.ts';

/** What came of a part since the piece before. */
export interface PartPiece {
  readonly text: string;
  /** The pieces before do not count any more: the part begins anew with this one. */
  readonly reset: boolean;
}

/** A part of a task under observation. What it says is as of now. */
export interface ObservedPart extends AsyncIterable<PartPiece> {
  /** All that has come of it; `''` before. */
  readonly text: string;
  /** True while something may follow; false before it is opened. */
  readonly open: boolean;
  /** Undefined before it is opened. */
  readonly kind: PartView['kind'];
  /** The same object until something has changed; undefined before it is opened. */
  getSnapshot(): PartView | undefined;
  /** Calls back after `getSnapshot()` has changed, once for all that came at once; returns what ends that. */
  subscribe(listener: () => void): () => void;
  /**
   * The text in pieces, from its beginning: waits until the part is opened. Who takes them slowly gets fewer and longer ones, and holds nobody up. Of a number: ends
   * when the part is closed. Of a name: of the latest part of that name; where work goes no further with it and opens another, the pieces of that one follow, the
   * first with `reset`; ends when one is closed as done, and with the task. Fails as an iterator of facts does, and with code `TEXT_RELEASED` where text is not kept here.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<PartPiece>;
}

/** Anything that observes a task, whatever its types. */
type AnyObservation = Pick<Observation, 'taskId'>;
/** The names of its parts: those of its contract, where that names some. */
type PartNameIn<O> = O extends { readonly '~parts': infer N extends string } ? N : string;

const observed = new WeakMap<object, { readonly observation: Observation; readonly record: TaskPartRecord }>();

/** Remembers whose parts these are. */
export function noteObserved(observation: Observation, record: TaskPartRecord): void {
  observed.set(observation, { observation, record });
}

function partsTaken(observation: AnyObservation) {
  const entry = observed.get(observation);
  if (entry) return entry;
  throw invalidArgument(
    'This client takes no parts: give createTaskBridgeClient the option `parts: taskParts()`, of taskbridge/client/parts.',
  );
}

/** All parts of a task that this client has heard of, in the order in which they were opened. Throws with code `INVALID_ARGUMENT` where its client takes none. */
export function partsOf(observation: AnyObservation): readonly PartView[] {
  return partsTaken(observation).record.parts.map(({ view }) => view);
}

/**
 * A part of a task: the latest of a name, or the one that a fact of this number has opened. It need not be open yet. Whoever takes its pieces, or subscribes, counts as a
 * subscriber of the observation. Throws with code `INVALID_ARGUMENT` where its client takes no parts.
 */
export function partOf<O extends AnyObservation>(observation: O, which: PartNameIn<O> | number): ObservedPart {
  const { observation: of, record } = partsTaken(observation);
  const view = (): PartView | undefined => record.find(which)?.view;
  return {
    get text() {
      return view()?.text ?? '';
    },
    get open() {
      return view()?.open ?? false;
    },
    get kind() {
      return view()?.kind;
    },
    getSnapshot: view,
    subscribe(listener) {
      let shown = view();
      record.want(record.find(which));
      const subscription = of.subscribe(() => undefined);
      const unlisten = record.listen(() => {
        const now = view();
        record.want(record.find(which));
        if (now === shown) return;
        shown = now;
        listener();
      });
      return () => {
        unlisten();
        subscription.unsubscribe();
      };
    },
    [Symbol.asyncIterator]: () => new PartPieces(of, record, which),
  };
}

/** One reader's place in a part. */
class PartPieces implements AsyncIterableIterator<PartPiece> {
  readonly #observation: Observation;
  readonly #record: TaskPartRecord;
  readonly #which: string | number;
  readonly #free: () => void;
  #part: PartText | undefined;
  /** Characters that were taken, of which beginning; of `latest` the version. */
  #taken = 0;
  #restarts = 0;
  /** Pieces of another part, or of what does not count any more, were taken. */
  #hasOld = false;
  #isOver = false;
  #wake = (): void => undefined;
  /** One piece after the other, however they are asked for. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(observation: Observation, record: TaskPartRecord, which: string | number) {
    this.#observation = observation;
    this.#record = record;
    this.#which = which;
    const wake = (): void => this.#wake();
    const unlisten = record.listen(wake);
    const subscription = observation.subscribe({ next: wake, error: wake, complete: wake });
    this.#free = () => {
      this.#isOver = true;
      unlisten();
      subscription.unsubscribe();
      wake();
    };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<PartPiece, undefined>> {
    const piece = this.#last.then(() => this.#next());
    this.#last = piece.catch(() => undefined);
    return piece;
  }

  return(): Promise<IteratorResult<PartPiece, undefined>> {
    this.#free();
    return Promise.resolve({ done: true, value: undefined });
  }

  async #next(): Promise<IteratorResult<PartPiece, undefined>> {
    try {
      while (!this.#isOver) {
        const piece = this.#take();
        if (piece) return { done: false, value: piece };
        if (this.#hasEnded()) break;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } catch (error) {
      this.#free();
      throw error;
    }
    this.#free();
    return { done: true, value: undefined };
  }

  #take(): PartPiece | undefined {
    const part = this.#follow();
    if (!part) return undefined;
    const isLatest = part.kind === 'latest';
    if (part.restarts !== this.#restarts) this.#beginAnew(part);
    const end = isLatest ? part.bytes : part.text.length;
    if (end < this.#taken || (part.isReleased && part.text.length <= this.#taken && part.bytes > 0)) throw released(part);
    // A part that begins anew, and is closed without a text, says so, too.
    if (end === this.#taken && !(this.#hasOld && part.outcome)) return undefined;
    const piece = { text: isLatest ? part.text : part.text.slice(this.#taken), reset: this.#hasOld };
    this.#taken = end;
    this.#hasOld = false;
    return piece;
  }

  /** The part whose pieces come now: another one where nothing more comes of it. */
  #follow(): PartText | undefined {
    const part = this.#part;
    const found = this.#record.find(this.#which);
    const isGone = part !== undefined && this.#record.find(part.part) !== part;
    const isRead = part?.outcome === 'ABANDONED' && part.text.length <= this.#taken;
    if (found && found !== part && (!part || isGone || isRead)) {
      this.#part = found;
      this.#beginAnew(found);
    }
    return this.#part;
  }

  #beginAnew(part: PartText): void {
    this.#hasOld ||= this.#taken > 0;
    this.#taken = 0;
    this.#restarts = part.restarts;
  }

  #hasEnded(): boolean {
    const part = this.#part;
    const isClosed = part?.outcome === 'DONE' || (part?.outcome !== undefined && typeof this.#which === 'number');
    const { state, error } = this.#observation.getSnapshot().connection;
    if (part && part.outcome !== undefined && !part.isComplete && (isClosed || state === 'done')) {
      if (this.#record.want(part)) return false;
      throw released(part);
    }
    if (isClosed || state === 'done') return true;
    if (state === 'failed' || state === 'closed') throw error ?? closed('observation');
    return false;
  }
}

function released({ part }: PartText): TaskBridgeClientError {
  return new TaskBridgeClientError(
    'TEXT_RELEASED',
    `Text of part ${part} is not kept here any more, or never came. Take its pieces sooner, or raise limits.textBytesMax.`,
  );
}
