import type { Aggregate, Decision, Intent, RefusalCode } from '../../machines/index.ts';
import type { Fact, FactPayload } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { LaneChanges } from '../ports/lanes.ts';
import { closingText, messagesOf } from './closing-text.ts';
import {
  openingEpoch,
  laneChanges,
  sealedKey,
  withOpenLane,
  withWishes,
  withoutOpenLane,
  type OpenPartLane,
  type SealedLane,
  type SealedLanes,
  type TaskLanes,
} from './lane-record.ts';
import { LanesToSeal } from './seal-lanes.ts';

/** What a unit of work needs of a store that has lanes. */
export interface UnitLanes {
  /** What is known of the lanes that it closes, or lets go on. */
  readonly sealed: SealedLanes;
  /** Draws the mark of an epoch. */
  mark(): string;
}

/** What a part is opened with beside what its fact says; see {@link OpenPartLane}. */
export type PartOpening = Pick<OpenPartLane, 'key' | 'onRerun' | 'closeAs'>;

/** A part that is open for the chart. */
type OpenPart = Aggregate['task']['context']['openParts'][number];
type Outcome = FactPayload<'TASK_PART_CLOSED'>['outcome'];

/** What the parts of a unit of work are decided with. */
export interface UnitPartsDeps {
  readonly taskId: string;
  /** As they were recorded before the unit. */
  readonly before: TaskLanes;
  /** Absent where the store has none: then no part is opened with one, and none can be closed. */
  readonly lanes: UnitLanes | undefined;
  readonly factBytesMax: number;
  decide(intent: Intent): Decision;
  /** Bytes stay that are in no fact. */
  stored(bytes: number): void;
}

/** Stands in a fence where a node does: work that an outside system keeps is no node's. */
const OUTSIDE = 'outside';
const noSealedLanes: SealedLanes = new Map();

/** The lanes of a task's parts within a unit of work: what its facts open and close, its commit opens and closes. */
export class UnitParts {
  readonly #deps: UnitPartsDeps;
  #lanes: TaskLanes;

  constructor(deps: UnitPartsDeps) {
    this.#deps = deps;
    this.#lanes = deps.before;
  }

  /** As they are with all that was decided. */
  get lanes(): TaskLanes {
    return this.#lanes;
  }

  /** Takes them back to where they stood. */
  goBack(lanes: TaskLanes): void {
    this.#lanes = lanes;
  }

  /** What the commit has to change; undefined for nothing. */
  changes(): LaneChanges | undefined {
    const { taskId, before, lanes } = this.#deps;
    return laneChanges(taskId, before, this.#lanes, lanes?.sealed ?? noSealedLanes);
  }

  /** Closes a part, with all that it is, and says it once more as messages where that was wished when it was opened. Gives why not, where it was refused. */
  close(part: number, outcome: Outcome): RefusalCode | undefined {
    const { decide, factBytesMax } = this.#deps;
    const lane = this.#lanes.open[part];
    const again = lane?.closeAs === 'message' && outcome === 'DONE' ? (this.#sealed([lane])[0]?.text ?? '') : '';
    // How long it is, its lane says: see `withText`.
    const { refusal } = decide(
      outcome === 'DONE'
        ? { type: 'report.part.closed', payload: { part, bytes: 0, outcome } }
        : { type: 'part.abandon', payload: { part, bytes: 0 } },
    );
    if (refusal !== undefined) return refusal;
    for (const message of messagesOf(again, factBytesMax)) decide({ type: 'report.message', payload: { message } });
    return undefined;
  }

  /** Closes all that are open, before the end. What an earlier attempt left and this one did not take up is whole for nobody. */
  closeAll(openParts: readonly OpenPart[], outcome: Outcome): void {
    // Those that are not sealed are all named at once.
    this.#sealed(this.#lanesOf(openParts));
    for (const { opened } of openParts) this.close(opened, this.#lanes.open[opened]?.isLeft ? 'ABANDONED' : outcome);
  }

  /**
   * No attempt begins beside a part that another one left open: here, and nowhere else, each is abandoned, or given to the new attempt where the old one
   * wished so. Whoever wrote to it is fenced in both cases.
   */
  handOver(openParts: readonly OpenPart[], next: Pick<OpenPartLane, 'attempt' | 'node'>): void {
    this.#sealed(this.#lanesOf(openParts));
    for (const { opened } of openParts) {
      const lane = this.#lanes.open[opened];
      if (lane?.onRerun !== 'continue') this.close(opened, 'ABANDONED');
      else {
        const { key: _, ...goingOn } = lane;
        this.#letGoOn(opened, { ...goingOn, ...next, isLeft: true });
      }
    }
  }

  /**
   * Gives an open part that an earlier attempt left to this one, by whose key it is known from here on. False where there is none, or it is taken up under another key
   * already; under this one it may be decided again, since no fact shows whether that was written.
   */
  adopt(part: number, key: string): boolean {
    const lane = this.#lanes.open[part];
    if (lane?.isLeft !== true) return lane?.key === key;
    const { isLeft: _, ...adopted } = lane;
    this.#lanes = withOpenLane(this.#lanes, part, { ...adopted, key });
    return true;
  }

  /** Lets the lane of an open part go on in a new epoch, for the same attempt: it was sealed by whoever did not come to close it. False where there is none. */
  goOn(part: number): boolean {
    const lane = this.#lanes.open[part];
    if (lane) this.#letGoOn(part, lane);
    return lane !== undefined;
  }

  /** An intent that closes a part, with the length of its lane, and its text where a fact has room for that; any other as it is. */
  withText(intent: Intent): Intent {
    if (intent.type !== 'report.part.closed' && intent.type !== 'part.abandon') return intent;
    const lane = this.#lanes.open[intent.payload.part];
    const [sealed] = lane ? this.#sealed([lane]) : [];
    if (!sealed) return intent;
    const whole = closingText(sealed, this.#deps.factBytesMax);
    const { part } = intent.payload;
    return intent.type === 'part.abandon'
      ? { type: intent.type, payload: { part, ...whole } }
      : { type: intent.type, payload: { part, outcome: intent.payload.outcome, ...whole } };
  }

  /** The fact that opens a part is taken: its lane is named by the whole id of it, which is known from here on. */
  noteOpened(
    { eventId: lane, payload: { name, kind } }: Fact<'TASK_PART_OPENED'>,
    part: number,
    { attempt, node }: { readonly attempt: number; readonly node: string | null },
  ): void {
    const { lanes } = this.#deps;
    if (!lanes) return;
    const opened = { lane, epoch: openingEpoch(lanes.mark()), attempt, node: node ?? OUTSIDE, name, kind };
    this.#lanes = withOpenLane(this.#lanes, part, opened);
  }

  /** What the work wishes of a part that it has just opened. */
  noteOpening(part: number, opening: PartOpening): void {
    const lane = this.#lanes.open[part];
    if (lane) this.#lanes = withOpenLane(this.#lanes, part, withWishes(lane, opening));
  }

  /** The fact that closes a part is taken; it is of that number. */
  noteClosed(closed: FactPayload<'TASK_PART_CLOSED'>, by: number): void {
    if (!Object.hasOwn(this.#lanes.open, closed.part)) return;
    if (closed.text === undefined) this.#deps.stored(this.#bytesKept(closed));
    this.#lanes = withoutOpenLane(this.#lanes, closed, by);
  }

  /** Of a closed part whose text no fact has: what its lane takes. */
  #bytesKept({ part, bytes, kind }: FactPayload<'TASK_PART_CLOSED'>): number {
    const lane = this.#lanes.open[part];
    return kind === 'latest' && lane ? Buffer.byteLength(this.#sealed([lane])[0]?.text ?? '') : bytes;
  }

  #letGoOn(part: number, lane: OpenPartLane): void {
    const { lanes, before } = this.#deps;
    const [sealed] = this.#sealed([lane]);
    // One that this unit opens has nothing in it yet, and begins so.
    const isNew = !Object.hasOwn(before.open, part);
    const epoch = isNew || !sealed || !lanes ? lane.epoch : { mark: lanes.mark(), was: lane.epoch.mark, from: sealed.bytes };
    this.#lanes = withOpenLane(this.#lanes, part, { ...lane, epoch });
  }

  #lanesOf(openParts: readonly OpenPart[]): readonly OpenPartLane[] {
    return openParts.map(({ opened }) => {
      const lane = this.#lanes.open[opened];
      if (!lane) throw partsOpen();
      return lane;
    });
  }

  /** What is known of lanes. Throws {@link LanesToSeal} where that is not certain yet. */
  #sealed(open: readonly OpenPartLane[]): readonly SealedLane[] {
    const { before, lanes } = this.#deps;
    if (!lanes) throw partsOpen();
    const known = new Set(Object.values(before.open).map(({ lane }) => lane));
    const find = (lane: OpenPartLane): SealedLane | undefined =>
      known.has(lane.lane) ? lanes.sealed.get(sealedKey(lane)) : { bytes: 0, text: '', ...(lane.kind === 'latest' && { latest: true }) };
    const unknown = open.filter((lane) => !find(lane));
    if (unknown.length > 0) throw new LanesToSeal(unknown);
    return open.flatMap((lane) => find(lane) ?? []);
  }
}

/** No end, and no new attempt, leaves a part open, and this node can close none: it knows no lane of it. */
function partsOpen(): TaskBridgeError {
  return new TaskBridgeError('STORE_UNAVAILABLE', 'A newer version of this service has to close the parts of the task; try again later.', {
    retryAfterSeconds: 5,
  });
}
