import { parseEventId, type Fact, type FactPayload, type TaskSnapshotResponse, type UnknownFact } from '../../machines/wire/index.ts';
import type { PartFrame } from '../../machines/parts/index.ts';
import type { PartOutcome, PartReading, PartRecord } from '../observation/part-port.ts';
import type { PartLimits } from './options.ts';
import { PartText, type PartHead } from './part-text.ts';

/** As many cursors as a server takes. */
const CURSORS_MAX = 16;
/** Stands for the epoch of a part of which nothing came. */
const NO_EPOCH = '0';
/** How a server refuses what it is told, by a close code or a status. */
const POLICY_VIOLATION = 1008;
const UNPROCESSABLE = 422;

/** Told of what becomes of the parts of a task. */
export interface PartRecordListener {
  /** Text came. */
  grew(): void;
  readonly read: PartReading;
}

/** All parts of one task that are known here. What comes twice, by whichever connection, is taken once. */
export class TaskPartRecord implements PartRecord {
  readonly #limits: PartLimits;
  readonly #listener: PartRecordListener;
  /** By the number of the fact that opened them, in the order in which they were heard of. */
  #parts = new Map<number, PartText>();
  /** The epochs that each connection has come to. */
  readonly #epochs = new WeakMap<object, Map<number, string>>();
  readonly #waiting = new Set<() => void>();
  /** Closed parts whose text is asked for, or could not be had. */
  readonly #asked = new Map<PartText, 'asked' | 'failed'>();
  /** Text is asked for as long as somebody waits for it. */
  #reading = new AbortController();
  #isTelling = false;
  /** Whether a server was told how far the parts have come, when it last could be, and whether it is to be. */
  #hasTold = false;
  #isMute = false;

  constructor(limits: PartLimits, listener: PartRecordListener) {
    this.#limits = limits;
    this.#listener = listener;
  }

  /** In the order in which they were opened. */
  get parts(): readonly PartText[] {
    return [...this.#parts.values()].sort((a, b) => a.part - b.part);
  }

  /** The part of this number, or the latest of this name. */
  find(which: number | string): PartText | undefined {
    return typeof which === 'number' ? this.#parts.get(which) : this.parts.findLast(({ name }) => name === which);
  }

  get cursors(): string {
    const all = this.#isMute
      ? []
      : this.parts
          .filter(({ lane, epoch, bytes, isInline }) => lane !== undefined && (epoch !== undefined || bytes === 0) && !isInline)
          .reverse();
    const cursors = [...all.filter(({ outcome }) => !outcome), ...all.filter(({ outcome }) => outcome)].slice(0, CURSORS_MAX);
    this.#hasTold = cursors.length > 0;
    // Of which epoch nothing is, nobody asks.
    return cursors.map(({ lane, bytes, epoch = NO_EPOCH }) => `${lane}.${bytes}.${epoch}`).join();
  }

  doubts({ kind, closeCode, status }: Parameters<PartRecord['doubts']>[0]): boolean {
    // A policy violation on a WebSocket, and what does not validate on the others: nodes of an older version know no such cursors.
    if (!this.#hasTold || (kind === 'closed' ? closeCode !== POLICY_VIOLATION : status !== UNPROCESSABLE)) return false;
    this.#isMute = true;
    return true;
  }

  /** Calls back once for all that one turn has changed; returns what ends that. */
  listen(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => {
      if (!this.#waiting.delete(listener) || this.#waiting.size > 0) return;
      this.#reading.abort();
      this.#reading = new AbortController();
    };
  }

  frame(given: { readonly type?: unknown }, connection: object): PartOutcome {
    if (given.type !== 'PART') return 'known';
    if (!isPartFrame(given)) return 'torn';
    const { part: number, eventId, epoch } = given;
    this.#isMute = false;
    const known = this.#parts.get(number);
    const part = eventId === undefined ? known : this.#open({ ...given, lane: eventId });
    // Nobody can say of what it is: it comes again with its name.
    if (!part) return 'torn';
    const epochs = this.#epochs.get(connection) ?? new Map<number, string>();
    this.#epochs.set(connection, epochs);
    if (epoch !== undefined) epochs.set(number, epoch);
    const outcome = part.take(given, epochs.get(number) ?? part.epoch);
    if (outcome === 'news' || part !== known) this.#grew();
    return outcome;
  }

  fact({ type, eventId, payload }: Fact | UnknownFact): void {
    if (type === 'TASK_PART_OPENED') {
      // Of another server it may say less: then it opens none.
      const { name, kind } = payload as Partial<FactPayload<'TASK_PART_OPENED'>>;
      const part = parseEventId(eventId)?.n;
      if (part === undefined || typeof name !== 'string' || typeof kind !== 'string') return;
      this.#open({ part, lane: eventId, name, kind });
    } else if (type === 'TASK_PART_CLOSED') {
      const { part, bytes, outcome, text, kind } = payload as Partial<FactPayload<'TASK_PART_CLOSED'>>;
      if (typeof part !== 'number' || typeof bytes !== 'number') return;
      const closed = this.#parts.get(part) ?? this.#open({ part, lane: undefined });
      // Who did not see it opened knows by this that it is a value.
      closed.describe({ kind });
      closed.close(outcome === 'DONE' ? 'DONE' : 'ABANDONED', bytes, typeof text === 'string' ? text : undefined);
      closed.isInline ||= typeof text === 'string';
      closed.closedBy = parseEventId(eventId)?.n ?? 0;
    } else return;
    this.#grew();
  }

  snapshot(task: TaskSnapshotResponse): void {
    // Servers that know none do not list them.
    const { parts } = task as { readonly parts?: unknown };
    for (const listed of Array.isArray(parts) ? (parts as readonly unknown[]) : []) this.#takeListed(listed);
    this.#grew();
  }

  /** Has the text of a closed part read where it never came. True while it may come. */
  want(part: PartText | undefined): boolean {
    if (!part?.outcome || part.isComplete || part.isReleased || (part.length ?? 0) > this.#limits.textBytesMax) return false;
    if (!this.#asked.has(part)) {
      this.#asked.set(part, 'asked');
      void this.#read(part);
    }
    return this.#asked.get(part) === 'asked';
  }

  /** What is missing of it; all of it where what is here may be of another epoch, or is only counted. */
  async #read(part: PartText): Promise<void> {
    const { epoch, kind } = part;
    const { signal } = this.#reading;
    const isLatest = kind === 'latest';
    let { text, bytes: at } = epoch === undefined || isLatest || part.isReleased ? { text: '', bytes: 0 } : part;
    let begun = text.length;
    try {
      for (;;) {
        const page = await this.#listener.read(part.part, at, signal);
        // By what has closed it meanwhile, else by what the server says, which is the last word where it is closed there.
        const { length: known, outcome } = part;
        const length = known ?? page.bytes;
        if ((part.lane ?? page.eventId) !== page.eventId || page.at !== at || (page.to <= at && at < length))
          throw new Error('Of another part.');
        if (known === undefined && page.open) throw new Error('Not closed there.');
        const goesOn = text.length === 0 || text.length > begun || page.epoch === epoch;
        text = goesOn ? text + page.text : '';
        at = goesOn ? page.to : 0;
        if (!goesOn) begun = 0;
        else if (isLatest || at >= length) {
          // Of a value that is replaced the length counts versions.
          part.close(page.outcome ?? outcome, isLatest ? Math.max(part.bytes, known ?? 0) : length, text);
          break;
        }
      }
    } catch {
      if (signal.aborted) this.#asked.delete(part);
      else this.#asked.set(part, 'failed');
    }
    this.#grew();
  }

  /** A part as it was stored: who looks already is told of it. */
  restore(head: PartHead): PartText {
    this.#changed();
    return this.#open(head);
  }

  reset(): void {
    this.#parts = new Map();
    this.#grew();
  }

  ended(): void {
    for (const part of this.#parts.values()) part.end();
    this.#changed();
  }

  #takeListed(listed: unknown): void {
    const { part: number, eventId: lane, name, kind, bytes, outcome, epoch, text } = Object(listed) as Partial<ListedPart>;
    if (typeof number !== 'number' || typeof lane !== 'string' || typeof bytes !== 'number') return;
    const part = this.#open({ part: number, lane, name, kind });
    if (outcome) part.close(outcome, bytes, text);
    // Of another epoch one of the two is old: what comes next says which.
    else if (text !== undefined && (part.epoch ?? epoch) === epoch) part.take({ at: 0, to: bytes, text }, epoch);
  }

  #open(head: PartHead): PartText {
    const known = this.#parts.get(head.part);
    // Of one whose end alone came, the lane is not known before.
    if (known && (known.lane ?? head.lane) === head.lane) {
      known.describe(head);
      return known;
    }
    // One of its number in another history is another part.
    const part = new PartText(head, this.#limits.textBytesMax);
    this.#parts.set(head.part, part);
    return part;
  }

  #grew(): void {
    this.#bound();
    this.#listener.grew();
    this.#changed();
  }

  /** What is open is needed to go on; what is closed can be read again. */
  #bound(): void {
    let kept = 0;
    for (const { text } of this.#parts.values()) kept += text.length;
    for (const part of this.parts) {
      if (kept <= this.#limits.taskTextBytesMax) return;
      if (part.outcome === undefined || part.text === '') continue;
      kept -= part.text.length;
      part.release();
    }
  }

  #changed(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      for (const listener of [...this.#waiting]) listener();
    });
  }
}

/** A part as a snapshot lists it. */
interface ListedPart extends Omit<PartHead, 'lane'> {
  readonly eventId: string;
  readonly bytes: number;
  readonly outcome: 'DONE' | 'ABANDONED';
  readonly epoch: string;
  readonly text: string;
}

/** As far as its text is used. */
function isPartFrame(given: object): given is PartFrame {
  const { part, at, to, text } = given as Partial<Record<keyof PartFrame, unknown>>;
  return Number.isSafeInteger(part) && Number.isSafeInteger(at) && Number.isSafeInteger(to) && typeof text === 'string';
}
