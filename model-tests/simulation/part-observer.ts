import type { PartFrame } from '../../machines/parts/index.ts';
import { eventNumber, type Fact, type FactPayload } from '../../machines/wire/index.ts';
import type { Oracle } from './oracle.ts';
import type { World } from './world.ts';

/** What somebody has of an open part. */
interface Seen {
  readonly lane: string;
  text: string;
  bytes: number;
  epoch: string | undefined;
  isAnnounced: boolean;
  /** It is one value, which is replaced. */
  isValue: boolean;
}

/**
 * What somebody was shown of the parts of a task, through all connections; holds each piece to the law: the text is always a prefix of what the store has, it
 * only grows, and it is whole at the fact that closes the part. Of a value the version only rises, and each is a later one than that before. What the store has lost is begun anew, and said to be.
 */
export class PartObserver {
  readonly #deps: { readonly name: string; readonly world: World; readonly oracle: Oracle; readonly taskId: () => string | undefined };
  readonly #open = new Map<number, Seen>();
  /** Facts are missing, and that was said. */
  #isPartial = false;
  #cursor: string | undefined;

  constructor(deps: { readonly name: string; readonly world: World; readonly oracle: Oracle; readonly taskId: () => string | undefined }) {
    this.#deps = deps;
  }

  /** The id of the last fact. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Where it goes on in parts, as it is sent. */
  get partCursors(): string {
    return [...this.#open.values()].map(({ lane, bytes, epoch = '0' }) => `${lane}.${bytes}.${epoch}`).join();
  }

  /** There is a new connection. */
  connect(): void {
    for (const seen of this.#open.values()) seen.isAnnounced = false;
  }

  /** It was said that facts are missing, or that history was replaced. */
  gap(reason: 'trimmed' | 'reset'): void {
    this.#isPartial = true;
    if (reason === 'trimmed') return;
    this.#open.clear();
    this.#cursor = undefined;
  }

  take(frame: Fact | PartFrame): void {
    if (frame.type === 'PART') return this.#takePart(frame);
    const part = Number(eventNumber(frame.eventId));
    // What is no longer kept is not said to be missing to who comes for the first time.
    if (this.#cursor === undefined && part > 1) this.#isPartial = true;
    this.#cursor = frame.eventId;
    if (frame.type === 'TASK_PART_OPENED') this.#begin(part, frame.eventId, frame.payload.kind === 'latest');
    if (frame.type === 'TASK_PART_CLOSED') this.#close(frame.eventId, frame.payload);
  }

  #begin(part: number, lane: string, isValue: boolean): Seen {
    const seen = { lane, text: '', bytes: 0, epoch: undefined, isAnnounced: false, isValue };
    this.#open.set(part, seen);
    return seen;
  }

  #takePart({ part, at, to, text, eventId, kind, snapshot, reset, epoch }: PartFrame): void {
    const known = this.#open.get(part);
    // Of one that was opened before the first fact that is kept, its first frame tells.
    const seen =
      known ?? (this.#isPartial && snapshot && eventId !== undefined ? this.#begin(part, eventId, kind === 'latest') : undefined);
    if (!seen) return this.#fault('text of a part comes while it is open', `part ${part} from ${at} to ${to}`);
    if (!seen.isAnnounced && !snapshot) this.#fault('the first frame of a part says so', `part ${part} at ${at}`);
    seen.isAnnounced = true;
    if (reset) Object.assign(seen, { text: '', bytes: 0 });
    if (seen.isValue) this.#judgeValue(part, seen, to, text);
    else if (at !== seen.bytes) this.#fault('the text of a part only grows', `part ${part} goes on at ${at} after ${seen.bytes}`);
    if (!seen.isValue && Buffer.byteLength(text) !== to - at)
      this.#fault('no character of a part is cut in two', `part ${part} from ${at} to ${to}`);
    seen.text = seen.isValue ? text : seen.text + text;
    seen.bytes = to;
    seen.epoch = epoch ?? seen.epoch;
    const { oracle } = this.#deps;
    if (!seen.isValue && !oracle.lanes.isPrefix(this.#taskId, seen.lane, seen.text))
      this.#fault('what is shown of a part is a prefix of it', `part ${part} is shown as …${JSON.stringify(seen.text.slice(-40))}`);
  }

  #judgeValue(part: number, { text: before, bytes }: Seen, version: number, text: string): void {
    const { values } = this.#deps.oracle.lanes;
    if (version <= bytes) this.#fault('the version of a value rises', `part ${part} is shown at ${version} after ${bytes}`);
    if (!values.isOf(this.#taskId, part, text))
      this.#fault('what is shown of a value was written', `part ${part} is shown as ${text.slice(0, 60)}`);
    else if (before !== '' && !values.isNewer(this.#taskId, part, text, before))
      this.#fault('a value only becomes newer', `part ${part} is shown as ${text.slice(0, 60)} after ${before.slice(0, 60)}`);
  }

  #close(closedBy: string, { part, bytes, text }: FactPayload<'TASK_PART_CLOSED'>): void {
    const { oracle } = this.#deps;
    const seen = this.#open.get(part);
    this.#open.delete(part);
    // One that the same commit has opened never had a lane.
    const truth = oracle.lanes.closedText(this.#taskId, closedBy) ?? '';
    if (text !== undefined && text !== truth) this.#fault('a part is whole where it is closed', `part ${part} is closed with another text`);
    if (!seen) {
      if (!this.#isPartial) this.#fault('only what was opened is closed', `part ${part}`);
      return;
    }
    if (text === undefined && bytes > 0 && seen.text !== truth)
      this.#fault('a part is whole where it is closed', `part ${part} is closed at ${bytes}, and was shown to ${seen.bytes}`);
    const mayBeOther = oracle.lanes.wasShortened(this.#taskId, seen.lane);
    if (text !== undefined && !mayBeOther && !seen.isValue && !text.startsWith(seen.text))
      this.#fault('the text of a part only grows', `part ${part} is closed with another text than was shown`);
  }

  get #taskId(): string {
    return this.#deps.taskId() ?? '';
  }

  #fault(rule: string, message: string): void {
    this.#deps.world.fault(rule, `${this.#deps.name}: ${message}`);
  }
}
