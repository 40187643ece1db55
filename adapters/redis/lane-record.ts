import type { EventId } from '../../machines/wire/index.ts';
import type { ClosedLane, Epoch, Fence, LaneChanges } from '../../server/ports/index.ts';
import type { Keys } from './keys.ts';
import { textOfSteps, type PlanSteps } from './plans.ts';

/**
 * What Redis keeps of a lane beside its bytes, one text that is compared as a whole: `o`, `s` once it is sealed, `c` once it is closed; `g` where it grows,
 * `v` where it is one value; then its fence as JSON, `[mark, was, from, attempt, node]`.
 */
export function openRecord({ epoch, attempt, node, latest }: Fence): string {
  return `o${latest ? 'v' : 'g'}${JSON.stringify([epoch.mark, epoch.was, epoch.from, attempt, node])}`;
}

/** The keys that a script about a lane is given. */
export function laneKeys(keys: Keys, taskId: string, lane: EventId): string[] {
  return [keys.parts(taskId), keys.lane(taskId, lane)];
}

/** The epoch of a record. */
export function epochOf(record: string): Epoch {
  // Written above only.
  const [mark, was, from] = JSON.parse(record.slice(2)) as [string, string | null, number];
  return { mark, was, from };
}

/** Whether a record is that of one value, as a fence says it. */
export function latestOf(record: string): { readonly latest?: true } {
  return record[1] === 'v' ? { latest: true } : {};
}

/** The open lanes of a task as they stand in its hash, in the order in which they were opened; undefined for a task that never had one. */
export function parseOpenLanes(text: string | undefined): readonly EventId[] | undefined {
  if (text === undefined) return undefined;
  // Written below only.
  return text === '' ? [] : (text.split(',') as EventId[]);
}

export function textOfOpenLanes(lanes: readonly EventId[]): string {
  return lanes.join(',');
}

/** The open lanes after a commit. */
export function openLanesAfter(before: readonly EventId[] | undefined, changes: LaneChanges | undefined): readonly EventId[] | undefined {
  const { open = [], close = [] } = changes ?? {};
  if (open.length + close.length === 0) return before;
  const closed = new Set(close.map(({ lane }) => lane));
  // Not spread: that leaves room for more, in each head that is kept.
  return (before ?? []).filter((lane) => !closed.has(lane)).concat(open.map(({ lane }) => lane));
}

/** The steps of a commit with what it changes of lanes: see `scripts/lane-steps.ts`. They come before the others. */
export function stepsWithLanes(
  keys: Keys,
  taskId: string,
  { open = [], continue: continued = [], close = [] }: LaneChanges,
  steps: PlanSteps,
): PlanSteps {
  const changes = [
    ...open.map((fence) => ({ name: 'laneopen', lane: fence.lane, args: [openRecord(fence), '', '0'] })),
    ...continued.map((fence) => ({
      name: 'lanenext',
      lane: fence.lane,
      args: [openRecord(fence), beginningBefore(fence), String(fence.epoch.from)],
    })),
    ...close.map(({ lane, bytes, keeps }: ClosedLane) => ({ name: keeps ? 'lanekeep' : 'lanedrop', lane, args: ['', '', String(bytes)] })),
  ];
  const allKeys = [...changes.flatMap(({ lane }) => [keys.parts(taskId), keys.lane(taskId, lane)]), ...steps.keys];
  const args = [...changes.flatMap(({ lane, args: rest }) => [lane, ...rest]), ...steps.args];
  const names = [...changes.map(({ name }) => name), ...steps.text.split(' ').slice(2)];
  return { text: textOfSteps(names, allKeys.length, args.length), keys: allKeys, args };
}

/** How the record of a lane goes on after its first letter, where it is of the kind and the epoch that a fence goes on from. */
function beginningBefore({ epoch, latest }: Fence): string {
  return `${latest ? 'v' : 'g'}[${JSON.stringify(epoch.was)},`;
}
