import type { LaneRow, TaskRow } from '../../adapters/memory/memory.ts';
import { parseEventId, type EventId } from '../../machines/wire/index.ts';
import type { Fence } from '../../server/ports/index.ts';
import type { World } from './world.ts';

/** What a run says of a value that it writes. */
export interface WrittenValue {
  readonly taskId: string;
  readonly name: string;
  readonly attempt: number;
  readonly goesOn: boolean;
  /** All that it wrote, as JSON, in its order. No two of a history are alike. */
  readonly values: string[];
}

/** A lane of one value as it really is. */
interface KnownValue {
  readonly name: string;
  version: number;
  text: string;
  /** All that it ever had, in their order. */
  readonly had: string[];
  /** The store has lost some. */
  isShortened: boolean;
  fence: Fence;
}

/**
 * Knows what was really written of each value that is replaced, and by whom: a version rises by one, to a value that the run of the attempt which has its fence wrote
 * after the one before; it is closed with the last.
 */
export class ValueCheck {
  readonly #world: World;
  readonly #tasks = new Map<string, Map<EventId, KnownValue>>();
  readonly #written: WrittenValue[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** A run begins to write a value. */
  begins(about: Omit<WrittenValue, 'values'>): WrittenValue {
    const value = { ...about, values: [] };
    this.#written.push(value);
    return value;
  }

  /** What a run is given of a value that goes on is what an earlier one wrote. */
  goesOn({ taskId, name }: WrittenValue, left: string): void {
    const known = [...this.#of(taskId).values()].filter((value) => value.name === name);
    if (!known.some(({ had }) => had.includes(left)))
      this.#world.fault('a part goes on with what was written', `${name} of ${taskId} goes on after ${left.slice(0, 60)}`);
  }

  has(taskId: string, lane: EventId): boolean {
    return this.#of(taskId).has(lane);
  }

  opened(taskId: string, name: string, fence: Fence): void {
    this.#of(taskId).set(fence.lane, { name, version: 0, text: '', had: [], isShortened: false, fence });
  }

  /** Gives what takes a flush back, where it has written something. */
  flushed(taskId: string, lane: EventId, row: LaneRow): (() => void) | undefined {
    const known = this.#of(taskId).get(lane);
    if (!known || row.length === known.version) return undefined;
    const { version, text } = known;
    const next = textOf(row);
    const name = `${parseEventId(lane)?.n} of ${taskId.slice(0, 4)}`;
    this.#world.tell('store', `value ${name} is at version ${row.length}`);
    if (row.length !== version + 1) this.#world.fault('the version of a value rises', `${name} was at ${version}, and is at ${row.length}`);
    const writers = this.#writersOf(taskId, known);
    const writer = writers.find(({ values }) => values.includes(next));
    if (!writer) this.#world.fault('a lane has what its attempt wrote, and no more', `${name} is ${next.slice(0, 60)}`);
    else if (writer.values.includes(text) && writer.values.indexOf(next) <= writer.values.indexOf(text) && !this.#isAgain(known, next))
      this.#world.fault('a value only becomes newer', `${name} was ${text.slice(0, 60)}, and is ${next.slice(0, 60)}`);
    Object.assign(known, { version: row.length, text: next });
    known.had.push(next);
    return () => {
      Object.assign(row, { length: version, buffer: Buffer.from(text), isSealed: false });
      Object.assign(known, { version, text, isShortened: true });
    };
  }

  continued(taskId: string, fence: Fence): void {
    const known = this.#of(taskId).get(fence.lane);
    if (!known) return;
    const isOther = known.fence.attempt !== fence.attempt;
    if (isOther && !this.#written.some((one) => one.taskId === taskId && one.name === known.name && one.goesOn))
      this.#world.fault('no part of an earlier attempt is open', `${known.name} goes on in attempt ${fence.attempt}, and was not to`);
    known.fence = fence;
  }

  /** Its last value, where it is closed as its fact says. */
  closed(
    taskId: string,
    lane: EventId,
    { bytes, text, outcome }: { bytes: number; text?: string | undefined; outcome: string },
    hasLost: boolean,
  ): string {
    const known = this.#of(taskId).get(lane);
    if (!known) return '';
    const name = `${parseEventId(lane)?.n} of ${taskId.slice(0, 4)}`;
    if (bytes !== known.version || (text !== undefined && text !== known.text))
      this.#world.fault('a part is closed with all of it', `${name} is at version ${known.version}, and is closed with ${bytes}`);
    const written = this.#writersOf(taskId, known).filter(({ values }) => values.length > 0);
    if (
      outcome === 'DONE' &&
      !hasLost &&
      !known.isShortened &&
      written.length > 0 &&
      !written.some(({ values }) => values.at(-1) === known.text)
    )
      this.#world.fault('a part that is done is whole', `${name} is ${known.text.slice(0, 60)}, and others were written later`);
    return known.text;
  }

  /** The store has gone back to what it had. */
  restored({ taskId, lanes }: TaskRow): void {
    for (const [lane, known] of this.#of(taskId)) {
      const row = lanes.get(lane);
      const [version, text] = row ? [row.length, textOf(row)] : [0, ''];
      if (version !== known.version) known.isShortened = true;
      Object.assign(known, { version, text, ...(row && { fence: row.fence }) });
    }
  }

  /** True where a part of that number, in any history, has or had this value. */
  isOf(taskId: string, part: number, text: string): boolean {
    return this.#ofPart(taskId, part).some(({ had }) => had.includes(text));
  }

  /** True where one of two values of a part was written after the other. */
  isNewer(taskId: string, part: number, text: string, before: string): boolean {
    return this.#ofPart(taskId, part).some(({ had }) => had.lastIndexOf(text) > had.indexOf(before));
  }

  /** True where the store has lost some of a part of that number. */
  wasShortened(taskId: string, part: number): boolean {
    return this.#ofPart(taskId, part).some(({ isShortened }) => isShortened);
  }

  hasLost(taskId: string): boolean {
    return [...this.#of(taskId).values()].some(({ isShortened }) => isShortened);
  }

  /** What was not answered is sent once more in another epoch, where it may be there already. */
  #isAgain({ text, fence }: KnownValue, next: string): boolean {
    return text === next && fence.epoch.was !== null;
  }

  #writersOf(taskId: string, { name, fence }: KnownValue): readonly WrittenValue[] {
    return this.#written.filter((one) => one.taskId === taskId && one.name === name && one.attempt === fence.attempt);
  }

  #ofPart(taskId: string, part: number): readonly KnownValue[] {
    return [...this.#of(taskId)].flatMap(([lane, known]) => (parseEventId(lane)?.n === part ? [known] : []));
  }

  #of(taskId: string): Map<EventId, KnownValue> {
    const known = this.#tasks.get(taskId) ?? new Map<EventId, KnownValue>();
    this.#tasks.set(taskId, known);
    return known;
  }
}

function textOf({ buffer, length }: LaneRow): string {
  return length === 0 ? '' : Buffer.from(buffer).toString('utf8');
}
