import type { PartFrame } from '../../machines/parts/index.ts';
import { eventNumber, type Fact } from '../../machines/wire/index.ts';

/** What a reader has of a part. */
interface Read {
  readonly lane: string;
  text: string;
  bytes: number;
  epoch: string | undefined;
}

/**
 * A client that is shown a log and its parts, and holds what comes to the law: the text of a part only grows, each piece begins where the one before ended, facts
 * come before the text of what they open, and at the fact that closes a part the text is whole. It survives its connections.
 */
export class PartReader {
  /** The rules that were broken, in their order. */
  readonly broken: string[] = [];
  readonly #open = new Map<number, Read>();
  readonly #closed = new Map<number, string>();
  #isAnnounced = new Set<number>();
  #cursor: string | undefined;

  /** The id of the last fact. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Where it goes on in parts, as it is sent. */
  get partCursors(): string {
    return [...this.#open.values()].flatMap(({ lane, bytes, epoch }) => (epoch === undefined ? [] : [`${lane}.${bytes}.${epoch}`])).join();
  }

  /** The text of a part, as far as it is known. */
  textOf(part: number): string {
    return this.#closed.get(part) ?? this.#open.get(part)?.text ?? '';
  }

  /** The numbers of the parts that it saw closed. */
  get closed(): readonly number[] {
    return [...this.#closed.keys()];
  }

  /** It is connected anew. */
  connect(): void {
    this.#isAnnounced = new Set();
  }

  /** Takes what a connection brings, in its order. */
  take(frame: Fact | PartFrame): void {
    if (frame.type === 'PART') this.#takePart(frame);
    else this.#takeFact(frame);
  }

  #takeFact({ type, eventId, payload }: Fact): void {
    this.#cursor = eventId;
    const part = eventNumber(eventId);
    if (type === 'TASK_PART_OPENED') this.#open.set(Number(part), { lane: eventId, text: '', bytes: 0, epoch: undefined });
    if (type !== 'TASK_PART_CLOSED') return;
    const read = this.#open.get(payload.part);
    if (!read) return this.#break(`part ${payload.part} is closed and was not open`);
    if (payload.text === undefined && read.bytes !== payload.bytes)
      this.#break(`part ${payload.part} is closed at ${payload.bytes} and was shown to ${read.bytes}`);
    if (payload.text !== undefined && !payload.text.startsWith(read.text))
      this.#break(`part ${payload.part} is closed with another text than was shown`);
    this.#open.delete(payload.part);
    this.#closed.set(payload.part, payload.text ?? read.text);
  }

  #takePart({ part, at, to, text, snapshot, reset, epoch }: PartFrame): void {
    const read = this.#open.get(part);
    if (!read) return this.#break(`text of part ${part} came while it was not open`);
    if (this.#isAnnounced.has(part) === (snapshot === true) && reset !== true) this.#break(`part ${part} says snapshot ${snapshot}`);
    this.#isAnnounced.add(part);
    if (reset || (snapshot && at === 0 && read.bytes > 0)) Object.assign(read, { text: '', bytes: 0 });
    if (at !== read.bytes) this.#break(`text of part ${part} came at ${at} after ${read.bytes}`);
    if (Buffer.byteLength(text) !== to - at) this.#break(`text of part ${part} from ${at} to ${to} has ${Buffer.byteLength(text)} bytes`);
    if (text.includes('\ufffd')) this.#break(`a character of part ${part} is cut in two`);
    read.text += text;
    read.bytes = to;
    read.epoch = epoch ?? read.epoch;
  }

  #break(rule: string): void {
    this.broken.push(rule);
  }
}
