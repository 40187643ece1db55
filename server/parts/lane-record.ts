import { NewerVersionError } from '../../machines/index.ts';
import type { EventId, FactPayload } from '../../machines/wire/index.ts';
import type { Epoch, Fence, LaneChanges } from '../ports/lanes.ts';

/** What is recorded of the lane of an open part: who may write to it, and what becomes of it. */
export interface OpenPartLane extends Omit<Fence, 'taskId' | 'latest'> {
  /** What the work named it by when it opened it, or took it up: no two of one attempt are alike. Absent where an earlier attempt did. */
  readonly key?: string;
  /** An earlier attempt left it open, and this one has not taken it up. */
  readonly isLeft?: true;
  /** Left out, another attempt begins without it. */
  readonly onRerun?: 'continue';
  /** Left out, nothing but its closing fact has its text. */
  readonly closeAs?: 'message';
  /** As its fact has it. */
  readonly name?: string;
  readonly kind?: FactPayload<'TASK_PART_OPENED'>['kind'];
}

/** What is recorded of a part that is closed. */
export interface ClosedPart
  extends Omit<FactPayload<'TASK_PART_CLOSED'>, 'text' | 'kind'>, Pick<FactPayload<'TASK_PART_OPENED'>, 'name' | 'kind'> {
  readonly lane: EventId;
  /** The number of the fact that has its text; absent where its lane has it. */
  readonly textIn?: number;
}

/** So many closed parts are recorded, the newest; of others the log tells. */
const CLOSED_PARTS_MAX = 16;

/** The lanes of a task, by the number of the fact that opened each. Never changed in place. */
export interface TaskLanes {
  readonly open: Readonly<Record<string, OpenPartLane>>;
  /** Of closed parts whose text no fact has: what their lanes are called. */
  readonly kept: Readonly<Record<string, EventId>>;
  /** The newest that are closed, the oldest of them first. */
  readonly closed: readonly ClosedPart[];
}

/** What sealing a lane found. */
export interface SealedLane {
  readonly bytes: number;
  /** It is one value, and `bytes` how often that was written. */
  readonly latest?: true;
  /** All of it, where it is short enough for a fact or wanted as a message, and is text. */
  readonly text?: string;
}

/** By lane and mark: one that has gone on in another epoch is another one. */
export type SealedLanes = ReadonlyMap<string, SealedLane>;

/** The lanes of a task that never had any. */
export const noLanes: TaskLanes = { open: {}, kept: {}, closed: [] };

const LANES_VERSION = 1;

/** The fence of an open lane. */
export function fenceOf(taskId: string, { lane, epoch, attempt, node, kind }: OpenPartLane): Fence {
  return kind === 'latest' ? { taskId, lane, epoch, attempt, node, latest: true } : { taskId, lane, epoch, attempt, node };
}

/** What a lane is known by among those that were sealed. */
export function sealedKey({ lane, epoch }: Pick<OpenPartLane, 'lane' | 'epoch'>): string {
  return `${lane} ${epoch.mark}`;
}

/** A lane's first epoch. */
export function openingEpoch(mark: string): Epoch {
  return { mark, was: null, from: 0 };
}

/** A lane with what its work wishes. Field by field, and not spread: each object would have a shape of its own, which takes more memory than what it holds. */
export function withWishes(
  { lane, epoch, attempt, node, name, kind }: OpenPartLane,
  { key, onRerun, closeAs }: Pick<OpenPartLane, 'key' | 'onRerun' | 'closeAs'>,
): OpenPartLane {
  const wished: { -readonly [Field in keyof OpenPartLane]: OpenPartLane[Field] } = { lane, epoch, attempt, node };
  if (name !== undefined) wished.name = name;
  if (kind !== undefined) wished.kind = kind;
  if (key !== undefined) wished.key = key;
  if (onRerun !== undefined) wished.onRerun = onRerun;
  if (closeAs !== undefined) wished.closeAs = closeAs;
  return wished;
}

/** Records a lane anew. */
export function withOpenLane(lanes: TaskLanes, part: number, lane: OpenPartLane): TaskLanes {
  return { ...lanes, open: { ...lanes.open, [part]: lane } };
}

/** Records that a part is closed, by the fact of that number. Its bytes stay where that does not have them. */
export function withoutOpenLane(
  { open, kept, closed }: TaskLanes,
  { part, bytes, outcome, text }: FactPayload<'TASK_PART_CLOSED'>,
  by: number,
): TaskLanes {
  const { [part]: lane, ...others } = open;
  if (!lane) return { open, kept, closed };
  const { name, kind } = lane;
  // One that an earlier version opened is told by the log.
  const described = name !== undefined && kind !== undefined && { part, bytes, outcome, name, kind, lane: lane.lane };
  const newest = described && { ...described, ...(text !== undefined && { textIn: by }) };
  return {
    open: others,
    kept: text === undefined ? { ...kept, [part]: lane.lane } : kept,
    closed: newest ? [...closed, newest].slice(-CLOSED_PARTS_MAX) : closed,
  };
}

/** What a commit has to change of the lanes of a task; undefined for nothing. Every lane that it closes or lets go on was sealed. */
export function laneChanges(taskId: string, before: TaskLanes, after: TaskLanes, sealed: SealedLanes): LaneChanges | undefined {
  if (before === after) return undefined;
  const openNow = Object.entries(after.open);
  const opened = openNow.filter(([part]) => !Object.hasOwn(before.open, part));
  const continued = openNow.filter(([part, { epoch }]) => (before.open[part]?.epoch.mark ?? epoch.mark) !== epoch.mark);
  const closed = Object.entries(before.open).filter(([part]) => !Object.hasOwn(after.open, part));
  if (opened.length + continued.length + closed.length === 0) return undefined;
  const fences = (lanes: typeof openNow): readonly Fence[] => lanes.map(([, lane]) => fenceOf(taskId, lane));
  return {
    ...(opened.length > 0 && { open: fences(opened) }),
    ...(continued.length > 0 && { continue: fences(continued) }),
    ...(closed.length > 0 && {
      close: closed.map(([part, lane]) => ({
        lane: lane.lane,
        bytes: sealed.get(sealedKey(lane))?.bytes ?? 0,
        keeps: Object.hasOwn(after.kept, part),
      })),
    }),
  };
}

/** The lanes as JSON. */
export function serializeLanes({ open, kept, closed }: TaskLanes): string {
  return JSON.stringify({ v: LANES_VERSION, open, kept, ...(closed.length > 0 && { closed }) });
}

/** Reads {@link serializeLanes}'s text back, none where there is no text; throws `NewerVersionError` for that of a later version. */
export function parseLanes(text: string | undefined): TaskLanes {
  if (text === undefined) return noLanes;
  // Our own text: only this module writes it.
  const { v, open, kept, closed = [] } = JSON.parse(text) as Omit<TaskLanes, 'closed'> & Partial<TaskLanes> & { readonly v: number };
  if (v > LANES_VERSION) throw new NewerVersionError(v, LANES_VERSION);
  return { open, kept, closed };
}
