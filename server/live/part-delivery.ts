import type { PartCursors, PartFrame } from '../../machines/parts/index.ts';
import type { EventId, FactPayload } from '../../machines/wire/index.ts';
import type { Epoch, Lanes, NewestOfTask, PartPage } from '../ports/lanes.ts';
import type { Entry, EventStore } from '../ports/store.ts';
import { positionOf } from './log-position.ts';
import type { TextCache } from './text-cache.ts';
import type { LogRun } from './log-read.ts';
import {
  beginsWithin,
  chunkFrame,
  chunksOf,
  endOf,
  FRAME_BYTES_MAX,
  frameOf,
  partFactOf,
  type PartChunk,
  type PartFact,
} from './part-frames.ts';
import type { Topic } from './topic.ts';

/** What the delivery of parts works with. */
export interface PartDeliveryDeps {
  readonly topic: Pick<Topic, 'taskId' | 'once'>;
  readonly store: Pick<EventStore, 'read'>;
  readonly lanes: Lanes;
  /** How far its client says that it has come, by lane. */
  readonly cursors: PartCursors;
  /** What other viewers of this node were shown; absent where nothing is kept. */
  readonly texts?: TextCache | undefined;
}

/** What is to be shown of parts with a page of the log. */
export interface PartsRead {
  /** So many facts of the page come first; the others are read again. */
  readonly facts: number;
  /** Shared by all viewers who read at once. */
  readonly frames: readonly PartChunk[];
  /** There is more of parts. */
  readonly hasMore: boolean;
}

/** What a viewer has of a part. */
interface Shown {
  readonly lane: EventId;
  readonly part: number;
  readonly name?: string;
  readonly kind?: FactPayload<'TASK_PART_OPENED'>['kind'];
  /** Of which epoch; undefined as long as it has nothing. */
  mark: string | undefined;
  sent: number;
  /** How long its lane was, when that was last read. */
  known: number;
  /** How long it is at least, as somebody told since the last read began. */
  told: number;
  /** It is closed, and this is all of what is kept of it: its lane says so, which may have lost some and grown again unseen. */
  isWhole: boolean;
  /** Its lane has less than the fact that closes it says, or there is none: the log is read again before that is shown. */
  isDoubted: boolean;
  /** What is to be said with the next frame: all at first, and what has changed later. */
  says: 'all' | 'epoch' | 'reset' | undefined;
}

/** Text that is read at once, at most, in bytes: two frames. */
const READ_BYTES_MAX = 2 * FRAME_BYTES_MAX;

/** How what was shown leaves the viewer. */
type PartStanding = 'log.level' | 'log.torn';

/**
 * What one viewer was given of the parts of a task: `sent` bytes of each, no matter how they came. Facts come before the text of the parts that they open, and
 * text before the fact that closes its part, unless that has all of it.
 */
export class PartDelivery {
  readonly #deps: PartDeliveryDeps;
  readonly #shown = new Map<EventId, Shown>();
  /** Of those, the one that was last asked for: mostly text grows in one part at a time. */
  #current: Shown | undefined;
  #cursors: PartCursors;
  /** What was told since the last read began of lanes of which nothing is shown yet: how long each is at least. */
  #toldOfOthers: Map<EventId, number> | undefined;

  constructor(deps: PartDeliveryDeps) {
    this.#deps = deps;
    this.#cursors = deps.cursors;
  }

  /** A lane is that long, at least. */
  noteTold(lane: EventId, length: number): void {
    const shown = this.#shownOf(lane);
    if (shown) {
      if (length > shown.told) shown.told = length;
      return;
    }
    const others = (this.#toldOfOthers ??= new Map<EventId, number>());
    others.set(lane, Math.max(length, others.get(lane) ?? 0));
  }

  /** True where a lane that the viewer may see has more than it was shown. `upTo` is the number of its last fact. */
  isBehind(upTo: number): boolean {
    for (const { lane, told, sent } of this.#shown.values()) if (told > sent && positionOf(lane).n <= upTo) return true;
    for (const [lane, length] of this.#toldOfOthers ?? []) if (length > 0 && positionOf(lane).n <= upTo) return true;
    return false;
  }

  /** How many of these facts may be shown now: none that closes a part, and does not have its text, before a read has found that this is shown. */
  fitting(entries: readonly Entry[]): number {
    const whole = new Set([...this.#shown.values()].flatMap(({ part, isWhole }) => (isWhole ? [part] : [])));
    const nth = entries.map(partFactOf).findIndex((fact) => needsText(fact) && !whole.has(fact.part));
    return nth < 0 ? entries.length : nth;
  }

  /** These facts were shown. */
  noteFacts(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const fact = partFactOf(entry);
      if (fact?.type === 'opened') this.#begin(fact.lane, fact);
      else if (fact?.type === 'closed') this.#forget(fact.part);
    }
  }

  /** The frames of what the tail told of; `log.torn` where the viewer lacks what is before it. */
  follow(chunk: PartChunk): readonly Entry[] | PartStanding {
    const shown = this.#shownOf(chunk.lane);
    if (!shown) return 'log.torn';
    const end = endOf(chunk);
    const isFirst = shown.mark === undefined && chunk.at === 0 && chunk.epoch.was === null;
    if (!isFirst && shown.mark !== chunk.epoch.mark) return 'log.torn';
    if (end <= shown.sent) return 'log.level';
    // A value needs nothing before it.
    if (chunk.latest ? chunk.bytes.byteLength === 0 : chunk.at !== shown.sent) return 'log.torn';
    return this.#framed(shown, chunk);
  }

  /** The frames of a read, one after the other: what one of them says, the next need not, once it was shown. */
  *framesOf({ frames }: PartsRead): Generator<{ readonly entries: readonly Entry[]; readonly chunk: PartChunk }> {
    for (const frame of frames) {
      const shown = this.#shownOf(frame.lane);
      if (shown) yield { entries: this.#framed(shown, frame), chunk: frame };
    }
  }

  /** It was shown so much more of a lane. */
  noteShown(chunk: PartChunk): void {
    const shown = this.#shownOf(chunk.lane);
    if (!shown) return;
    shown.mark = chunk.epoch.mark;
    shown.sent = endOf(chunk);
    shown.says = undefined;
  }

  /** True where lanes are longer than what was shown of them: that can be read without a look at the log. */
  get hasRest(): boolean {
    for (const { sent, known } of this.#shown.values()) if (sent < known) return true;
    return false;
  }

  /** Reads on in such lanes. */
  async readOn(bytesMax: number): Promise<PartsRead> {
    const frames: PartChunk[] = [];
    let room = bytesMax;
    for (const [lane, shown] of this.#shown) {
      if (shown.sent >= shown.known) continue;
      if (room <= 0) return { facts: 0, frames, hasMore: true };
      const read = (await this.#laneBytes(lane, shown, room)) ?? [];
      const last = read.at(-1);
      // It is gone, or nobody knows where its next character ends: the log says more.
      if (!last) shown.known = 0;
      else if (endOf(last) < shown.known) return { facts: 0, frames: [...frames, ...read], hasMore: true };
      frames.push(...read);
      for (const { bytes } of read) room -= bytes.byteLength;
    }
    return { facts: 0, frames, hasMore: false };
  }

  /** Reads what is to be shown with a page: the text that its facts wait for, or what open parts have where it reaches the end of the log. */
  async read(run: LogRun, bytesMax: number): Promise<PartsRead> {
    for (const shown of this.#shown.values()) shown.told = 0;
    this.#toldOfOthers = undefined;
    if (run.gap?.reason === 'reset') {
      this.#shown.clear();
      this.#current = undefined;
      // They are of the history that is gone.
      this.#cursors = new Map();
    }
    const opened = new Map<number, Extract<PartFact, { readonly type: 'opened' }>>();
    for (const [nth, entry] of run.entries.entries()) {
      const fact = partFactOf(entry);
      if (fact?.type === 'opened') opened.set(positionOf(fact.lane).n, fact);
      if (!needsText(fact)) continue;
      const known = await this.#known(fact.part, opened);
      if (!known || known[1].isWhole) continue;
      const [lane, shown] = known;
      // Those before it are shown first; then this page is read again.
      if (nth > 0) return { facts: nth, frames: [], hasMore: true };
      const frames = (await this.#laneBytes(lane, shown, bytesMax)) ?? [];
      // With nothing more of it this page may be of a history that was lost meanwhile.
      const isDoubted = frames.length === 0 && shown.sent < fact.bytes && !shown.isDoubted;
      shown.isDoubted = isDoubted;
      if (frames.length > 0 || isDoubted) return { facts: 0, frames, hasMore: true };
      // There is no more of it, or it is gone, and nobody can show it any more.
      shown.isWhole = true;
    }
    const reached = run.after + run.entries.length;
    if (reached < run.last.n || run.ended) return { facts: run.entries.length, frames: [], hasMore: false };
    // Lanes of parts that this very page opens come with the next one.
    const frames = await this.#readOpen(run, bytesMax);
    return { facts: run.entries.length, ...frames, hasMore: frames.hasMore || opened.size > 0 };
  }

  async #readOpen({ after: upTo, last: newestFact }: LogRun, bytesMax: number): Promise<Pick<PartsRead, 'frames' | 'hasMore'>> {
    const { topic, lanes } = this.#deps;
    // Not with who asked before a fact that closes one of them.
    const [newest] = await topic.once<readonly NewestOfTask[]>(`newest after ${newestFact.n}`, () => lanes.newest([topic.taskId]));
    const frames: PartChunk[] = [];
    let room = bytesMax;
    for (const { lane, epoch, length } of newest?.lanes ?? []) {
      const { n } = positionOf(lane);
      if (n > upTo) continue;
      const shown = (await this.#known(n, new Map(), lane))?.[1] ?? this.#begin(lane, {});
      // It may be of before what was shown, where another viewer had asked: that a lane is shorter, or of another epoch, only its bytes say.
      if (length === 0 && shown.mark === undefined) shown.mark = epoch.mark;
      if (shown.mark === epoch.mark && shown.sent === length) continue;
      if (room <= 0) return { frames, hasMore: true };
      const read = (await this.#laneBytes(lane, shown, room, { epoch, length })) ?? [];
      frames.push(...read);
      for (const { bytes } of read) room -= bytes.byteLength;
      const last = read.at(-1);
      if (last && endOf(last) < length) return { frames, hasMore: true };
    }
    return { frames, hasMore: false };
  }

  /** Frames of what a lane has beyond what was shown; undefined where there is no lane any more. */
  async #laneBytes(
    lane: EventId,
    shown: Shown,
    bytesMax: number,
    newest?: Pick<PartPage, 'epoch' | 'length'>,
  ): Promise<readonly PartChunk[] | undefined> {
    const { topic, lanes, texts } = this.#deps;
    // Of what is known to be there, no more is asked for: a store gives the whole of a little at once.
    const rest = shown.known > shown.sent ? shown.known - shown.sent : FRAME_BYTES_MAX;
    const limit = Math.max(4, Math.min(bytesMax, rest, READ_BYTES_MAX));
    const kept = this.#keptOf(lane, shown, limit, newest);
    if (kept.length > 0) return kept;
    const readAt = (at: number) =>
      topic.once(`${lane} ${at} ${shown.mark} ${limit}`, async () => {
        const page = await lanes.readPart(topic.taskId, lane, at, limit);
        return page && { ...page, chunks: chunksOf(lane, page, at) };
      });
    let page = await readAt(shown.sent);
    if (!page) return undefined;
    const at = shown.sent;
    this.#enter(shown, page.epoch, page.length);
    if (beginsWithin(page.bytes)) this.#restart(shown);
    if (shown.sent !== at) page = await readAt(shown.sent);
    // A value is replaced before others ask for it.
    for (const chunk of page?.latest ? [] : (page?.chunks ?? [])) texts?.keep(topic.taskId, chunk);
    return page?.chunks;
  }

  /** What is kept of a lane beyond what was shown, where that is known to be of this epoch, and as long; nothing where the lane has to be read. */
  #keptOf(lane: EventId, shown: Shown, bytesMax: number, newest?: Pick<PartPage, 'epoch' | 'length'>): readonly PartChunk[] {
    const { topic, texts } = this.#deps;
    const [mark, length] = newest ? [newest.epoch.mark, newest.length] : [shown.mark, shown.known];
    const found: PartChunk[] = [];
    if (!texts || mark === undefined || (shown.mark ?? mark) !== mark || (shown.mark === undefined && shown.sent > 0)) return found;
    let room = bytesMax;
    for (let at = shown.sent; ;) {
      const chunk = texts.find(topic.taskId, lane, mark, at);
      if (!chunk || chunk.bytes.byteLength > room || endOf(chunk) > length) break;
      found.push(chunk);
      room -= chunk.bytes.byteLength;
      at = endOf(chunk);
    }
    if (found.length > 0 && newest) this.#enter(shown, newest.epoch, newest.length);
    return found;
  }

  /** What it has is of this epoch, or of the one before it and not beyond its beginning; else it begins anew. */
  #enter(shown: Shown, { mark, was, from }: Epoch, length: number): void {
    shown.known = length;
    if (shown.mark === undefined) shown.mark = mark;
    const isSame = shown.mark === mark && shown.sent <= length;
    if (isSame) return;
    const goesOn = shown.mark === was && shown.sent <= from;
    shown.mark = mark;
    if (!goesOn) this.#restart(shown);
    else shown.says ??= 'epoch';
  }

  #restart(shown: Shown): void {
    // Before anything was shown of it, it may turn out to have gone on in yet another epoch.
    if (shown.says !== 'reset') shown.says = shown.sent > 0 ? 'reset' : 'all';
    shown.sent = 0;
  }

  /** A run of bytes as this viewer gets it: made once for all who get it so. */
  #framed(shown: Shown, chunk: PartChunk): readonly Entry[] {
    if (shown.says === undefined) return chunkFrame(this.#deps.topic.taskId, shown.part, chunk);
    const made = (): readonly Entry[] => frameOf(chunk.lane, this.#about(shown, chunk), chunk.bytes);
    // Who does not know what the part is called says less.
    return shown.says === 'all' && shown.name !== undefined ? (chunk.firstFrames ??= made()) : made();
  }

  /** All of a frame but its text. */
  #about(shown: Shown, frame: PartChunk): Omit<PartFrame, 'text'> {
    const { lane, epoch, at, latest } = frame;
    const { part, name, kind = latest && 'latest', says } = shown;
    const about = { eventId: lane, ...(name !== undefined && { name }), ...(kind !== undefined && { kind }), snapshot: true } as const;
    return {
      type: 'PART',
      taskId: this.#deps.topic.taskId,
      part,
      at,
      to: endOf(frame),
      ...((says === 'all' || says === 'reset') && about),
      ...(says === 'reset' && { reset: true }),
      ...(says !== undefined && { epoch: epoch.mark }),
    };
  }

  #begin(lane: EventId, about: Pick<Shown, 'name' | 'kind'>): Shown {
    const known = this.#shown.get(lane);
    if (known) return known;
    const cursor = this.#cursors.get(lane);
    const { name, kind } = about;
    const shown: Shown = {
      lane,
      part: positionOf(lane).n,
      ...(name !== undefined && { name }),
      ...(kind !== undefined && { kind }),
      // Who has nothing of it has nothing of any epoch.
      mark: cursor && cursor.offset > 0 ? cursor.epoch : undefined,
      sent: cursor?.offset ?? 0,
      known: 0,
      told: this.#toldOfOthers?.get(lane) ?? 0,
      isWhole: false,
      isDoubted: false,
      says: 'all',
    };
    this.#toldOfOthers?.delete(lane);
    this.#shown.set(lane, shown);
    return shown;
  }

  #shownOf(lane: EventId): Shown | undefined {
    if (this.#current?.lane === lane) return this.#current;
    const shown = this.#shown.get(lane);
    if (shown) this.#current = shown;
    return shown;
  }

  /** What is shown of a part, which may have been opened before all that the viewer has seen. */
  async #known(
    part: number,
    opened: ReadonlyMap<number, Extract<PartFact, { readonly type: 'opened' }>>,
    is?: EventId,
  ): Promise<readonly [EventId, Shown] | undefined> {
    for (const entry of this.#shown) if (entry[1].part === part && (is === undefined || entry[0] === is)) return entry;
    const { topic, store } = this.#deps;
    const page = opened.has(part)
      ? undefined
      : await topic.once(`fact ${part}`, () => store.read(topic.taskId, part, { facts: 1, bytes: 0 }));
    const entry = page?.entries[0];
    const fact = opened.get(part) ?? (entry && partFactOf(entry));
    if (fact?.type === 'opened' && positionOf(fact.lane).n === part && (is === undefined || fact.lane === is))
      return [fact.lane, this.#begin(fact.lane, fact)];
    // It is no longer kept. Its client knows what it is called; another history has no lane of that name.
    const known = [...this.#cursors.keys()].find((lane) => positionOf(lane).n === part && (is === undefined || lane === is));
    return known && [known, this.#begin(known, {})];
  }

  #forget(part: number): void {
    for (const [lane, shown] of this.#shown) if (shown.part === part) this.#shown.delete(lane);
    if (this.#current?.part === part) this.#current = undefined;
  }
}

/** True for a fact that closes a part and does not have its text. */
function needsText(fact: PartFact | undefined): fact is Extract<PartFact, { readonly type: 'closed' }> {
  return fact?.type === 'closed' && !fact.isInline && fact.bytes > 0;
}
