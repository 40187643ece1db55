import { isTerminalType, parseEventId } from '../../machines/wire/index.ts';
import { historiesOf, type Oracle } from './oracle.ts';
import type { World } from './world.ts';

interface Seat {
  /** The last number that was sent, or asked to go on from; undefined where the next one may be any. */
  last: number | undefined;
  /** The id of that one. */
  lastId: string | undefined;
  /** Earlier subscriptions of the same task on the same socket that the client left. */
  left: number;
}

interface Frame {
  readonly type: string;
  readonly taskId: string;
  readonly eventId: string;
  readonly code?: number;
}

/** Looks at what a node sends over one connection: of each task one gap-free run of its log, and no end before the last fact. */
export class StreamCheck {
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #seats = new Map<string, Seat>();

  constructor(world: World, oracle: Oracle) {
    this.#world = world;
    this.#oracle = oracle;
  }

  /** The node hears that a task is asked for. */
  begin(taskId: string, cursor: string | undefined): void {
    const left = this.#seats.get(taskId)?.left;
    const last = cursor === undefined ? undefined : parseEventId(cursor)?.n;
    this.#seats.set(taskId, { last, lastId: cursor, left: left === undefined ? 0 : left + 1 });
  }

  /** The node hears that a task is not asked for any more. */
  leave(taskId: string): void {
    const seat = this.#seats.get(taskId);
    if (seat) seat.left += 1;
  }

  /** One frame, or one piece of a stream of events. */
  sent(text: string): void {
    for (const line of text.split('\n')) {
      const json = line.startsWith('data:') ? line.slice(5) : line;
      if (json.trimStart().startsWith('{')) this.#frame(JSON.parse(json) as Frame);
    }
  }

  /** The connection is closed in the way that says that all that was asked for has ended. */
  ended(): void {
    for (const [taskId, seat] of this.#seats) this.#assertEnd(taskId, seat);
  }

  #assertEnd(taskId: string, { last }: Seat): void {
    const task = this.#oracle.tasks.get(taskId);
    const ends = task ? historiesOf(task).map(({ facts }) => facts.at(-1)) : [];
    if (!ends.some((end) => end && isTerminalType(end.type) && last === parseEventId(end.eventId)?.n))
      this.#world.fault('no end before the last fact', `a stream of ${taskId} ended after fact ${last ?? 'none'}`);
  }

  #frame({ type, taskId, eventId, code }: Frame): void {
    const seat = this.#seats.get(taskId);
    if (type === 'GAP' && seat) seat.last = seat.lastId = undefined;
    if (type === 'SUBSCRIPTION_ENDED' && seat) this.#end(taskId, seat, code);
    if (!type.startsWith('TASK_')) return;
    if (!seat) return this.#world.fault('nobody sees what was not asked for', `${type} ${eventId} of ${taskId} was sent`);
    const n = parseEventId(eventId)?.n ?? 0;
    const task = this.#oracle.of(taskId);
    const histories = historiesOf(task);
    const theirs = histories.filter(({ facts }) => facts[n - 1]?.eventId === eventId && facts[n - 1]?.type === type);
    const before = seat.lastId;
    if (theirs.length === 0) this.#world.fault('only what is committed is shown', `${type} ${eventId} of ${taskId} is not in the log`);
    if (seat.last !== undefined && n !== seat.last + 1)
      this.#world.fault('a viewer sees one gap-free run', `fact ${n} of ${taskId} was sent after ${seat.last}`);
    if (
      histories.length > 1 &&
      before !== undefined &&
      seat.last === n - 1 &&
      // Where that one is no longer kept, there is nothing to compare a cursor with.
      n - 1 >= task.firstRetained &&
      !theirs.some(({ facts }) => n === 1 || facts[n - 2]?.eventId === before)
    )
      this.#world.fault('nobody sees two histories as one', `fact ${eventId} of ${taskId} was sent after ${before}`);
    seat.last = n;
    seat.lastId = eventId;
  }

  #end(taskId: string, seat: Seat, code: number | undefined): void {
    if (seat.left > 0) {
      seat.left -= 1;
      return;
    }
    if (code === 1000) this.#assertEnd(taskId, seat);
    this.#seats.delete(taskId);
  }
}
