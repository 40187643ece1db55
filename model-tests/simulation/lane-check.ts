import type { LaneRow, TaskRow } from '../../adapters/memory/memory.ts';
import { parseEventId, type EventId, type Fact, type FactPayload } from '../../machines/wire/index.ts';
import { parseExecutionRecord } from '../../server/attempt/execution-record.ts';
import type { Commit, Fence } from '../../server/ports/index.ts';
import { ValueCheck } from './value-check.ts';
import type { World } from './world.ts';

/** What a run says of a part that it writes. */
export interface WrittenPart {
  readonly taskId: string;
  readonly name: string;
  readonly attempt: number;
  readonly goesOn: boolean;
  readonly closesAsMessage: boolean;
  /** All that it wrote. */
  text: string;
}

/** A lane as it really is. */
interface KnownLane {
  readonly name: string;
  bytes: Buffer;
  /** What the store had of it, and lost. */
  readonly lost: Buffer[];
  fence: Fence;
  /** How often it went on. */
  continued: number;
}

interface LanesOfTask {
  readonly lanes: Map<EventId, KnownLane>;
  /** Flushes since the last commit: how long which lane was before. */
  flushes: { readonly lane: EventId; readonly length: number; readonly undo?: () => void }[];
}

/**
 * Knows what was really written of each part, and by whom: a lane only grows, by whole characters, by what the run of the attempt that has its fence wrote and
 * nothing else; it is closed with all of it; none is open beside another attempt, unless it goes on, nor after the end.
 */
export class LaneCheck {
  /** Those of one value, which is replaced. */
  readonly values: ValueCheck;
  readonly #world: World;
  readonly #tasks = new Map<string, LanesOfTask>();
  readonly #written: WrittenPart[] = [];
  /** How long a lane was when the first epoch of an attempt began, by the mark of each of its epochs. */
  readonly #bases = new Map<string, number>();
  /** All of a part, by task and the id of the fact that closed it; by its number, of all histories. */
  readonly #closed = new Map<string, readonly Buffer[]>();

  constructor(world: World) {
    this.#world = world;
    this.values = new ValueCheck(world);
  }

  /** A run begins to write a part. */
  begins(about: Omit<WrittenPart, 'text'>): WrittenPart {
    const part = { ...about, text: '' };
    this.#written.push(part);
    return part;
  }

  /** What a run is given of a part that goes on is what an earlier one wrote. */
  goesOn({ taskId, name }: WrittenPart, left: string): void {
    if (left === '') return;
    const bytes = Buffer.from(left);
    const known = [...this.#of(taskId).lanes.values()].filter((lane) => lane.name === name);
    if (!known.some((lane) => versionsOf(lane).some((version) => version.subarray(0, bytes.length).equals(bytes))))
      this.#world.fault('a part goes on with what was written', `${name} of ${taskId} goes on after ${JSON.stringify(left.slice(-30))}`);
  }

  /** Bytes may have been added to a lane. */
  flushed(row: TaskRow, lane: EventId): void {
    const found = row.lanes.get(lane);
    const undo = found && this.values.flushed(row.taskId, lane, found);
    if (undo) this.#of(row.taskId).flushes.push({ lane, length: 0, undo });
    const known = this.#of(row.taskId).lanes.get(lane);
    if (!known || !found || found.length === known.bytes.length) return;
    const before = known.bytes;
    known.bytes = bytesOf(found);
    this.#of(row.taskId).flushes.push({ lane, length: before.length });
    this.#world.tell('store', `part ${nameOf(row.taskId, lane)} has ${known.bytes.length} bytes`);
    if (!known.bytes.subarray(0, before.length).equals(before))
      this.#world.fault('a lane only grows', `${nameOf(row.taskId, lane)} had ${before.length} bytes, and they are others now`);
    this.#judge(row.taskId, lane, known);
  }

  /** A commit was written: `facts` are its own. */
  committed(
    { lanes: { open = [], continue: continued = [], close = [] } = {} }: Commit,
    row: TaskRow,
    facts: readonly Fact[],
    hasLost: boolean,
  ): void {
    const task = this.#of(row.taskId);
    task.flushes = [];
    for (const fence of open) {
      const fact = facts.find(({ eventId }) => eventId === fence.lane);
      if (fact?.type !== 'TASK_PART_OPENED') return this.#world.fault('a lane is opened by its fact', nameOf(row.taskId, fence.lane));
      if (fence.latest) this.values.opened(row.taskId, fact.payload.name, fence);
      else task.lanes.set(fence.lane, { name: fact.payload.name, bytes: Buffer.alloc(0), lost: [], fence, continued: 0 });
      this.#bases.set(fence.epoch.mark, 0);
    }
    for (const fence of continued) this.#continued(row.taskId, fence);
    for (const { lane } of close) this.#close(row.taskId, lane, facts, hasLost);
    for (const [lane, { isOpen, fence }] of row.lanes) if (isOpen) this.#judgeOpen(row, lane, fence);
  }

  /** The store has gone back to what it had. */
  restored(row: TaskRow): void {
    this.values.restored(row);
    const { lanes } = this.#of(row.taskId);
    for (const [lane, known] of lanes) {
      const found = row.lanes.get(lane);
      const bytes = found ? bytesOf(found) : Buffer.alloc(0);
      if (!bytes.equals(known.bytes)) known.lost.push(known.bytes);
      known.bytes = bytes;
      if (found) known.fence = found.fence;
    }
    this.#of(row.taskId).flushes = [];
  }

  /** Takes the newest flushes of a task back, so many at most, and what was sealed after them; gives how many. */
  undo(row: TaskRow, count: number): number {
    const { lanes, flushes } = this.#of(row.taskId);
    const undone = flushes.splice(-count).toReversed();
    for (const { lane, length, undo } of undone) {
      undo?.();
      const known = lanes.get(lane);
      const found = row.lanes.get(lane);
      if (!known || !found) continue;
      Object.assign(found, { length, buffer: found.buffer.slice(0, length), isSealed: false });
      known.lost.push(known.bytes);
      known.bytes = bytesOf(found);
    }
    return undone.length;
  }

  /** True where a text is the beginning of a lane, as it is or as it was before the store lost something. */
  isPrefix(taskId: string, lane: string, text: string): boolean {
    const bytes = Buffer.from(text);
    const known = this.#of(taskId).lanes.get(lane as EventId);
    return known !== undefined && versionsOf(known).some((version) => version.subarray(0, bytes.length).equals(bytes));
  }

  /** The same of any part of that number, in any history; `before` is what it went on from, and was such a beginning. */
  isPrefixOfPart(taskId: string, part: number, text: string, before = ''): boolean {
    const lanes = this.#ofPart(taskId, part);
    const [only] = lanes;
    if (lanes.length === 1 && only?.lost.length === 0 && text.startsWith(before)) {
      // The bytes of before were compared before, and a lane only grows.
      const from = Buffer.byteLength(before);
      const added = Buffer.from(text.slice(before.length));
      return only.bytes.subarray(from, from + added.length).equals(added);
    }
    const bytes = Buffer.from(text);
    return lanes.some((lane) => versionsOf(lane).some((version) => version.subarray(0, bytes.length).equals(bytes)));
  }

  /** True where a part of that number may be shown from its beginning once more: the store has lost some of it, or it went on more than once since somebody looked. */
  mayBeginAnew(taskId: string, part: number): boolean {
    return this.#ofPart(taskId, part).some(({ lost, continued }) => lost.length > 0 || continued > 1);
  }

  /** True where that is all of a part of that number, in any history. */
  isWhole(taskId: string, part: number, text: string): boolean {
    return this.#closed.get(`${taskId} part ${part}`)?.some((bytes) => bytes.equals(Buffer.from(text))) ?? false;
  }

  #ofPart(taskId: string, part: number): readonly KnownLane[] {
    return [...this.#of(taskId).lanes].flatMap(([lane, known]) => (parseEventId(lane)?.n === part ? [known] : []));
  }

  /** True where the store has lost bytes of a task. */
  hasLost(taskId: string): boolean {
    return this.values.hasLost(taskId) || [...this.#of(taskId).lanes.values()].some(({ lost }) => lost.length > 0);
  }

  /** True where the store has lost some of a lane. */
  wasShortened(taskId: string, lane: string): boolean {
    return (this.#of(taskId).lanes.get(lane as EventId)?.lost.length ?? 0) > 0;
  }

  /** All of a part, by the fact that closed it. */
  closedText(taskId: string, closedBy: string): string | undefined {
    return this.#closed.get(`${taskId} ${closedBy}`)?.[0]?.toString('utf8');
  }

  #continued(taskId: string, fence: Fence): void {
    const { lane, epoch, attempt } = fence;
    this.values.continued(taskId, fence);
    const known = this.#of(taskId).lanes.get(lane);
    if (!known) return;
    const isOther = known.fence.attempt !== attempt;
    this.#bases.set(epoch.mark, isOther ? epoch.from : (this.#bases.get(epoch.was ?? '') ?? 0));
    if (isOther && !this.#written.some((part) => part.taskId === taskId && part.name === known.name && part.goesOn))
      this.#world.fault('no part of an earlier attempt is open', `${nameOf(taskId, lane)} goes on in attempt ${attempt}, and was not to`);
    known.fence = fence;
    known.continued += 1;
  }

  #close(taskId: string, lane: EventId, facts: readonly Fact[], hasLost: boolean): void {
    const known = this.#of(taskId).lanes.get(lane);
    const part = parseEventId(lane)?.n;
    const at = facts.findIndex((fact) => fact.type === 'TASK_PART_CLOSED' && fact.payload.part === part);
    const fact = facts[at];
    if (fact?.type === 'TASK_PART_CLOSED' && this.values.has(taskId, lane))
      return this.#noteClosed(taskId, fact, Buffer.from(this.values.closed(taskId, lane, fact.payload, hasLost)));
    if (!known || fact?.type !== 'TASK_PART_CLOSED') return this.#world.fault('a lane is closed by its fact', nameOf(taskId, lane));
    const { bytes, text, outcome } = fact.payload;
    const name = nameOf(taskId, lane);
    this.#noteClosed(taskId, fact, known.bytes);
    if (bytes !== known.bytes.length || (text !== undefined && !Buffer.from(text).equals(known.bytes)))
      this.#world.fault('a part is closed with all of it', `${name} has ${known.bytes.length} bytes, and is closed with ${bytes}`);
    if (outcome !== 'DONE' || hasLost || known.lost.length > 0) return;
    const base = this.#bases.get(known.fence.epoch.mark) ?? 0;
    const written = this.#writersOf(taskId, known);
    // What an earlier attempt left and this one did not go on with is closed as it is.
    if (written.length > 0 && !written.some((one) => Buffer.from(one.text).equals(known.bytes.subarray(base))))
      this.#world.fault('a part that is done is whole', `${name} has ${known.bytes.length} bytes, and others were written`);
    if (written.some(({ closesAsMessage }) => closesAsMessage)) this.#judgeMessages(name, known, facts.slice(at + 1));
  }

  #noteClosed(taskId: string, { eventId, payload: { part } }: Fact<'TASK_PART_CLOSED'>, bytes: Buffer): void {
    const ofPart = `${taskId} part ${part}`;
    this.#closed.set(`${taskId} ${eventId}`, [bytes]);
    this.#closed.set(ofPart, [...(this.#closed.get(ofPart) ?? []), bytes]);
  }

  #judgeMessages(name: string, { bytes }: KnownLane, after: readonly Fact[]): void {
    const end = after.findIndex(({ type }) => type !== 'TASK_MESSAGE');
    const said = (end < 0 ? after : after.slice(0, end)).map(({ payload }) => (payload as FactPayload<'TASK_MESSAGE'>).message).join('');
    if (!said.startsWith(bytes.toString('utf8'))) this.#world.fault('a part is said as messages where that was wished', name);
  }

  #judge(taskId: string, lane: EventId, known: KnownLane): void {
    const { bytes, fence } = known;
    const name = nameOf(taskId, lane);
    if (!Buffer.from(bytes.toString('utf8')).equals(bytes)) this.#world.fault('no character of a part is cut in two', name);
    const added = bytes.subarray(this.#bases.get(fence.epoch.mark) ?? 0);
    const isTheirs = this.#writersOf(taskId, known).some(({ text }) => isBeginning(added, text));
    if (!isTheirs)
      this.#world.fault(
        'a lane has what its attempt wrote, and no more',
        `${name} ends in ${JSON.stringify(bytes.toString('utf8').slice(-40))}`,
      );
  }

  #judgeOpen(row: TaskRow, lane: EventId, fence: Fence): void {
    const attempt = attemptOf(row);
    const name = nameOf(row.taskId, lane);
    if (row.ended) this.#world.fault('no part is open after the end', name);
    if (fence.attempt !== attempt)
      this.#world.fault('no part of an earlier attempt is open', `${name} of attempt ${fence.attempt} beside attempt ${attempt}`);
  }

  #writersOf(taskId: string, { name, fence }: KnownLane): readonly WrittenPart[] {
    return this.#written.filter((part) => part.taskId === taskId && part.name === name && part.attempt === fence.attempt);
  }

  #of(taskId: string): LanesOfTask {
    const known = this.#tasks.get(taskId) ?? { lanes: new Map<EventId, KnownLane>(), flushes: [] };
    this.#tasks.set(taskId, known);
    return known;
  }
}

/** True where bytes are those that a text begins with. Where work ends in the midst of a character, that stands for what there is of it. */
function isBeginning(bytes: Buffer, text: string): boolean {
  if (Buffer.from(text).subarray(0, bytes.length).equals(bytes)) return true;
  const shown = bytes.toString('utf8');
  const last = shown.length - 1;
  return shown[last] === '\ufffd' && text.startsWith(shown.slice(0, last)) && /[\ud800-\udbff]/.test(text[last] ?? '');
}

function versionsOf({ bytes, lost }: KnownLane): readonly Buffer[] {
  return [bytes, ...lost];
}

function bytesOf({ buffer, length }: LaneRow): Buffer {
  return Buffer.from(buffer.slice(0, length));
}

function nameOf(taskId: string, lane: EventId): string {
  return `${parseEventId(lane)?.n} of ${taskId.slice(0, 4)}`;
}

/** The newest attempt, as the store has it. */
function attemptOf({ fields }: TaskRow): number {
  return parseExecutionRecord({ ledger: fields.get('ledger') ?? '', sources: '{}' }).attempt.context.attempt;
}
