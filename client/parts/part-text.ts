import type { PartFrame } from '../../machines/parts/index.ts';
import type { FactPayload } from '../../machines/wire/index.ts';
import type { PartOutcome } from '../observation/part-port.ts';

/** What a part is, by the fact that opened it. */
export type PartKind = FactPayload<'TASK_PART_OPENED'>['kind'];

/** A part at one moment. Never changes: another moment is another object. */
export interface PartView {
  /** The number of the fact that opened it. */
  readonly part: number;
  /** Undefined as long as nobody has said it, as `kind`. */
  readonly name: string | undefined;
  /** Of `latest` the text is one JSON value, which is replaced; all others only grow. */
  readonly kind: PartKind | undefined;
  /** What has come of it: the beginning of what the server has, and all of that once it is `done` and not `truncated`. */
  readonly text: string;
  /** How long it is as far as that is known, in bytes of UTF-8; of `latest`, how often it was written. */
  readonly bytes: number;
  /** Something may follow. */
  readonly open: boolean;
  /** How it was closed. `ABANDONED`: its work goes no further, and what there is of it stays; also, until it is read, where the log has ended and that fact did not come. */
  readonly outcome: 'DONE' | 'ABANDONED' | undefined;
  /** `text` is not all that has come: the rest is beyond a limit, or was never shown to this client. */
  readonly truncated: boolean;
  /** How often the text began anew, since what was shown did not count any more. */
  readonly restarts: number;
}

const encoder = new TextEncoder();
/** How many bytes of UTF-8 a text has. */
export const utf8Length = (text: string): number => encoder.encode(text).length;

/** The longest beginning of a text that has so many bytes at most. */
export function beginningOf(text: string, bytesMax: number): string {
  const bytes = encoder.encode(text);
  let end = Math.min(bytes.length, bytesMax);
  // Not within a character.
  while (end < bytes.length && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end));
}

/** What is known of a part before any of its text. */
export interface PartHead {
  readonly part: number;
  /** The id of the fact that opened it; undefined where only its end is known. */
  readonly lane: string | undefined;
  readonly name?: string | undefined;
  readonly kind?: PartKind | undefined;
}

/** The text of one part, which only grows, until the server says that it begins anew. */
export class PartText {
  readonly part: number;
  lane: string | undefined;
  name: string | undefined;
  kind: PartKind | undefined;
  epoch: string | undefined;
  text = '';
  /** So far it is known: as much as `text` has, but for what is beyond the limit. */
  bytes = 0;
  restarts = 0;
  outcome: PartView['outcome'];
  /** The number of the fact that closed it; 0 where that did not come. */
  closedBy = 0;
  /** The text was let go, or is not kept any further. */
  isReleased = false;
  /** The fact that closed it has all of its text: then no server has to be asked for it. */
  isInline = false;
  /** How long it is, by the fact that closed it; 0 before, undefined where the log has ended without that fact. */
  length: number | undefined = 0;
  readonly #bytesMax: number;
  #view: PartView | undefined;

  constructor({ part, lane, name, kind }: PartHead, bytesMax: number) {
    this.part = part;
    this.lane = lane;
    this.name = name;
    this.kind = kind;
    this.#bytesMax = bytesMax;
  }

  /** The same object until something has changed. */
  get view(): PartView {
    const { part, name, kind, text, outcome, restarts } = this;
    const isShort = this.isReleased || (outcome !== undefined && !this.isComplete);
    const bytes = Math.max(this.bytes, this.length ?? 0);
    return (this.#view ??= { part, name, kind, text, bytes, open: outcome === undefined, outcome, truncated: isShort, restarts });
  }

  /** It is closed, and all of its text came. */
  get isComplete(): boolean {
    return this.outcome !== undefined && this.bytes >= (this.length ?? Infinity);
  }

  /** What a frame says of it beside its text. */
  describe({ lane, name, kind }: Partial<PartHead>): void {
    this.lane ??= lane;
    this.name ??= name;
    this.kind ??= kind;
    this.#view = undefined;
  }

  /** `epoch` is the one that its connection has come to. */
  take({ at, to, text, reset, epoch: said }: Pick<PartFrame, 'at' | 'to' | 'text' | 'reset' | 'epoch'>, epoch?: string): PartOutcome {
    const isOther = epoch !== this.epoch && this.epoch !== undefined;
    // Of a connection that has not heard of the other one yet.
    if (isOther && said === undefined) return 'known';
    const isLatest = this.kind === 'latest';
    const begins = (at === 0 || isLatest) && (reset === true || isOther);
    if (!begins && !isLatest && (at > this.bytes || (isOther && at < this.bytes))) return 'torn';
    const bytes = encoder.encode(text);
    if (!isLatest && bytes.length !== to - at) return 'torn';
    // Another connection may not know that it is the same text: then it goes on.
    if (begins && (isLatest || this.isReleased || !text.startsWith(this.text))) this.#restart();
    this.epoch = epoch;
    if (to <= this.bytes) return begins ? 'news' : 'known';
    if (isLatest) this.text = '';
    this.#append(at === this.bytes || isLatest ? text : new TextDecoder().decode(bytes.subarray(this.bytes - at)), to);
    return 'news';
  }

  /** It is said to be; `text` is all of it. */
  close(outcome: PartView['outcome'], length: number, text?: string): void {
    const isLatest = this.kind === 'latest';
    this.outcome = outcome;
    this.length = length;
    this.#view = undefined;
    if (text === undefined || this.isInline) return;
    // Of versions that the store has lost another value may be the last.
    if (isLatest ? length <= this.bytes && text !== this.text : !this.isReleased && !text.startsWith(this.text)) this.#restart();
    if (isLatest) this.text = '';
    if (isLatest || this.bytes < length) this.#append(text.slice(this.text.length), Math.max(this.bytes, length));
  }

  /** The log has ended, and the fact that closed it was not among what came: there may be more of it. */
  end(): void {
    if (this.outcome !== undefined) return;
    this.outcome = 'ABANDONED';
    this.length = undefined;
    this.#view = undefined;
  }

  /** Keeps no text of it any more. */
  release(): void {
    this.text = '';
    this.isReleased = true;
    this.#view = undefined;
  }

  /** As it was stored. */
  restore(text: string, bytes: number, epoch: string | undefined): void {
    this.text = text;
    this.bytes = bytes;
    this.epoch = epoch;
    this.#view = undefined;
  }

  #append(text: string, to: number): void {
    this.bytes = to;
    this.#view = undefined;
    // What is kept stays a beginning of it.
    if (this.isReleased || (this.kind !== 'latest' && to > this.#bytesMax)) this.isReleased = true;
    else this.text += text;
  }

  #restart(): void {
    if (this.bytes > 0) this.restarts += 1;
    this.text = '';
    this.bytes = 0;
    this.isReleased = false;
    this.#view = undefined;
  }
}
