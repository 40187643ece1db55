import { emptyAggregate, fold, stateOf } from 'taskbridge/machines';
import type { Fact } from 'taskbridge/wire';
import type { Logs, Note } from './checker.ts';
import type { ClientLife, Creation, GapTold, SentAction, Viewing } from './run-record.ts';

type History = readonly Fact[];

/**
 * What people may have been told by a server whose last writes were given up for another one's: whoever saw facts of a history that is gone was told
 * `reset`, and has all of one history since; an answer that was accepted stands in one of them, once.
 */
export interface LostHistories {
  /** True for a task that has a lost history, or of which somebody was told `reset`. */
  touches(taskId: string): boolean;
  /** A creation without tasks that are in lost histories only. */
  without(creation: Creation): Creation;
  judgeViewing(viewing: Viewing, note: Note): void;
  judgeActions(actions: readonly SentAction[], note: Note): void;
  /** How many facts and tasks were lost. */
  readonly facts: number;
  readonly tasks: number;
}

/** Where no write was ever given up. */
export const noneLost: LostHistories = {
  touches: () => false,
  without: (creation) => creation,
  judgeViewing: () => undefined,
  judgeActions: () => undefined,
  facts: 0,
  tasks: 0,
};

const nOf = (eventId: string): number => Number.parseInt(eventId, 10);
const hasAt = (history: History, eventId: string): boolean => history[nOf(eventId) - 1]?.eventId === eventId;

/** Compares what servers had when they were given up with what there is at the end. */
export function lostHistoriesOf(given: readonly Logs[], logs: Logs, gaps: readonly GapTold[]): LostHistories {
  const lost = new Map<string, History[]>();
  for (const had of given)
    for (const [taskId, history] of had) {
      const log = logs.get(taskId) ?? [];
      if (history.some(({ eventId }) => !hasAt(log, eventId))) lost.set(taskId, [...(lost.get(taskId) ?? []), history]);
    }
  const touched = new Set([...lost.keys(), ...gaps.filter(({ reason }) => reason === 'reset').map(({ taskId }) => taskId)]);
  const isGone = (taskId: string): boolean => !logs.has(taskId) && lost.has(taskId);
  const historiesOf = (taskId: string): readonly History[] => {
    const log = logs.get(taskId);
    return [...(log ? [log] : []), ...(lost.get(taskId) ?? [])];
  };
  return {
    touches: (taskId) => touched.has(taskId),
    without(creation) {
      const kept = new Set([...creation.taskIds].filter((taskId) => !isGone(taskId)));
      const gone = creation.taskIds.size - kept.size;
      return { ...creation, taskIds: kept, created: creation.created - gone, unknown: gone > 0 ? 0 : creation.unknown };
    },
    judgeViewing: (viewing, note) => judgeViewing(viewing, historiesOf(viewing.taskId), isGone(viewing.taskId), note),
    judgeActions: (actions, note) => {
      for (const taskId of touched) judgeAnswers(taskId, actions, historiesOf(taskId), note);
    },
    facts: [...lost].reduce((sum, [taskId, histories]) => sum + countLost(logs.get(taskId) ?? [], histories), 0),
    tasks: [...lost.keys()].filter((taskId) => !logs.has(taskId)).length,
  };
}

function countLost(log: History, histories: readonly History[]): number {
  return new Set(histories.flat().flatMap(({ eventId }) => (hasAt(log, eventId) ? [] : [eventId]))).size;
}

/** Each life of a client had one history without a hole, and another one from its first fact on wherever it was told `reset`. */
function judgeViewing({ viewer, taskId, stays, folded, fault }: Viewing, histories: readonly History[], isGone: boolean, note: Note): void {
  const where = `${viewer} on ${taskId}`;
  let last: readonly History[] = [];
  stays.forEach((stay, nth) => (last = judgeLife(stay, `${where}: stay ${nth + 1}`, histories, note)));
  // Of a task that is gone nobody sees the end, and the client says so.
  if (isGone) return;
  if (fault !== undefined) note('faults', `${where}: ${fault}`);
  if (stays.at(-1)?.end !== 'ended') return note('unended', where);
  if (!folded) return;
  const truths = last.map((history) => {
    const aggregate = history.reduce((all, fact) => fold(all, fact), emptyAggregate);
    return `${stateOf(aggregate.task)} at ${aggregate.lastEventId}`;
  });
  const own = `${folded.state} at ${folded.lastEventId}`;
  if (!truths.includes(own)) note('disagreements', `${where}: ${own}, its history says ${truths.join(' or ')}`);
}

/** Gives the histories that it may have been in at its end. */
function judgeLife(
  { resumedAfter, ids, resets = 0, end }: ClientLife,
  where: string,
  histories: readonly History[],
  note: Note,
): readonly History[] {
  let left = resets;
  let before = resumedAfter === undefined ? 0 : nOf(resumedAfter);
  let now = resumedAfter === undefined ? histories : histories.filter((history) => hasAt(history, resumedAfter));
  if (now.length === 0) note('strange', `${where}: it goes on after ${resumedAfter}`);
  for (const eventId of ids) {
    const n = nOf(eventId);
    const following = now.filter((history) => hasAt(history, eventId));
    if (n === before + 1 && following.length > 0) now = following;
    else if (n === 1 && left > 0) {
      left -= 1;
      now = histories.filter((history) => hasAt(history, eventId));
      if (now.length === 0) note('strange', `${where}: ${eventId}`);
    } else if (n > before + 1) note('lost', `${where}: ${before} is followed by ${eventId}, ${left} resets told`);
    else if (n === before + 1)
      note('strange', `${where}: ${eventId} is of another history than what came before it, and no reset was told`);
    else note(n === before ? 'doubled' : 'reordered', `${where}: ${eventId} after ${before}, ${left} resets told`);
    before = n;
  }
  const whole = now.filter(({ length }) => length === before);
  if (end === 'ended' && whole.length === 0)
    note('lost', `${where}: ended at ${before} of ${now.map(({ length }) => length).join(' or ')}`);
  return whole;
}

const ACCEPTED: readonly string[] = ['ACCEPTED', 'DEDUPLICATED'];

/** In each history each question has one answer, and what somebody was told to be accepted stands in one of them. */
function judgeAnswers(taskId: string, sent: readonly SentAction[], histories: readonly History[], note: Note): void {
  const own = sent.filter((action) => action.taskId === taskId);
  const keyOf = (suspendId: string, clientActionId: string, actionType: string): string => `${suspendId} ${clientActionId} ${actionType}`;
  const found = new Map<string, number>();
  for (const history of histories) {
    const answered = new Set<string>();
    for (const { type, payload } of history) {
      if (type !== 'TASK_ACTION_ACCEPTED') continue;
      if (answered.has(payload.suspendId)) note('acceptedTwice', `${taskId} ${payload.suspendId}`);
      answered.add(payload.suspendId);
      const key = keyOf(payload.suspendId, payload.clientActionId, payload.actionType);
      found.set(key, (found.get(key) ?? 0) + 1);
    }
  }
  for (const { suspendId, clientActionId, actionType, outcomes } of own) {
    const key = keyOf(suspendId, clientActionId, actionType);
    const told = outcomes.join(', ');
    const count = found.get(key) ?? 0;
    if (outcomes.some((one) => ACCEPTED.includes(one)) && count === 0) note('vanished', `${taskId} ${key} was told ${told}`);
    if (outcomes.filter((one) => one === 'ACCEPTED').length > Math.max(1, count))
      note('acceptedTwice', `${taskId} ${key} was told ${told}`);
    if (outcomes.every((one) => one === 'unknown')) note('unknown', `action ${taskId} ${key}`);
  }
  const keys = new Set(own.map(({ suspendId, clientActionId, actionType }) => keyOf(suspendId, clientActionId, actionType)));
  for (const key of found.keys()) if (!keys.has(key)) note('unasked', `${taskId} ${key}`);
}
