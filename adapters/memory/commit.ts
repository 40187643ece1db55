import { parseEventId, type EventId } from '../../machines/wire/index.ts';
import type { Commit } from '../../server/ports/index.ts';

/** Where a log stands before a commit. */
export interface LogEnd {
  readonly lastEventId: EventId | null;
  readonly ended: boolean;
}

/** The lanes of a task before a commit. */
export interface LanesBefore {
  /** Undefined where there is no such lane. A store that hears of closed ones only when it writes refuses by itself to open one again. */
  standing(lane: EventId): 'open' | 'closed' | undefined;
  readonly openCount: number;
}

/**
 * Throws for a commit that no store may write and that would not succeed a second time either: its facts are not dense after the last
 * one, the log has ended, or its lanes are none that it may change so. `lanes` is left out by a store that keeps none: then it may change none. A mistake of the
 * caller, unlike a conflict.
 */
export function refuseBrokenCommit(commit: Commit, { lastEventId, ended }: LogEnd, lanes?: LanesBefore): void {
  const { taskId, facts } = commit;
  if (commit.lanes && !lanes)
    throw new Error(`A commit of task ${taskId} changes lanes, and this store keeps none. Ask for \`store.lanes\` first.`);
  if (ended && facts.length > 0) throw new Error(`The log of task ${taskId} has ended with ${lastEventId}. Nothing can follow it.`);
  let last = numberOf(lastEventId);
  for (const { eventId } of facts) {
    last += 1;
    if (numberOf(eventId) !== last) throw new Error(`Fact ${eventId} of task ${taskId} is out of line: number ${last} comes next.`);
  }
  if (lanes && (commit.lanes || commit.ended)) refuseBrokenLanes(commit, lanes);
}

function refuseBrokenLanes({ taskId, ended, lanes = {} }: Commit, before: LanesBefore): void {
  const { open = [], continue: continued = [], close = [] } = lanes;
  for (const fence of [...open, ...continued])
    if (fence.taskId !== taskId) throw new Error(`A commit of task ${taskId} has a fence of task ${fence.taskId}.`);
  const named = [...open, ...continued, ...close].map(({ lane }) => lane);
  if (new Set(named).size < named.length) throw new Error(`A commit of task ${taskId} names a lane twice.`);
  for (const { lane, epoch } of open) {
    if (before.standing(lane) !== undefined) throw new Error(`Lane ${lane} of task ${taskId} is there already.`);
    if (epoch.from !== 0 || epoch.was !== null)
      throw new Error(`Lane ${lane} of task ${taskId} is new: its epoch begins at 0, after none.`);
  }
  for (const { lane } of [...continued, ...close])
    if (before.standing(lane) !== 'open') throw new Error(`Task ${taskId} has no open lane ${lane}.`);
  if (ended && before.openCount + open.length > close.length) throw new Error(`The log of task ${taskId} cannot end beside open lanes.`);
}

function numberOf(eventId: EventId | null): number {
  return eventId === null ? 0 : (parseEventId(eventId)?.n ?? Number.NaN);
}
