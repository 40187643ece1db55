import { emptyAggregate, fold, stateOf } from 'taskbridge/machines';
import { isTerminalType, type Fact } from 'taskbridge/wire';
import type { Logs, Note } from './checker.ts';
import type { ClientLife, Creation, SentAction, Viewing } from './run-record.ts';

/** All that a server had when it was given up for another one. */
export interface GivenUp {
  /** The logs of its tasks, those without a fact among them. */
  readonly logs: Logs;
  /** When all had left it, in milliseconds of the judge's own clock: whoever begins to watch later hears nothing of what it alone had. */
  readonly at: number;
}

/** A log of a task: as it stands, or as a server had it that was given up. */
interface History {
  readonly facts: readonly Fact[];
  readonly givenUpAt: number;
}

/**
 * What people may have been told by a server whose last writes were given up for another one's. Whoever saw facts of a history that is gone was told
 * `reset`, and has all of one history since; of a task that is gone with it, that it is not there. An answer that was accepted stands in one of them,
 * once. Of every other task nothing may be told but what stands.
 */
export interface LostHistories {
  /** True for a task that has a lost history. */
  touches(taskId: string): boolean;
  /** True where a server that was asked at that time or later did not have the task, or not this question of it, and was given up or is what stands. */
  mayBeUnknown(of: { readonly taskId: string; readonly suspendId?: string }, since: number): boolean;
  /** A creation without tasks that are in lost histories only. */
  without(creation: Creation, note: Note): Creation;
  judgeViewing(viewing: Viewing, note: Note): void;
  judgeActions(actions: readonly SentAction[], note: Note): void;
  /** How many facts and whole tasks were lost. */
  readonly facts: number;
  readonly tasks: number;
}

/** Where no write was ever given up. */
export const noneLost: LostHistories = {
  touches: () => false,
  mayBeUnknown: () => false,
  without: (creation) => creation,
  judgeViewing: () => undefined,
  judgeActions: () => undefined,
  facts: 0,
  tasks: 0,
};

const nOf = (eventId: string): number => Number.parseInt(eventId, 10);
const hasAt = ({ facts }: Pick<History, 'facts'>, eventId: string): boolean => facts[nOf(eventId) - 1]?.eventId === eventId;

/** Compares what servers had when they were given up with what there is at the end. */
export function lostHistoriesOf(given: readonly GivenUp[], logs: Logs): LostHistories {
  const lost = new Map<string, History[]>();
  for (const { logs: had, at } of given)
    for (const [taskId, facts] of had) {
      const log = logs.get(taskId);
      if (!log || facts.some(({ eventId }) => !hasAt({ facts: log }, eventId)))
        lost.set(taskId, [...(lost.get(taskId) ?? []), { facts, givenUpAt: at }]);
    }
  const isGone = (taskId: string): boolean => !logs.has(taskId) && lost.has(taskId);
  const historiesOf = (taskId: string): readonly History[] => {
    const facts = logs.get(taskId);
    return [...(facts ? [{ facts, givenUpAt: Infinity }] : []), ...(lost.get(taskId) ?? [])];
  };
  return {
    touches: (taskId) => lost.has(taskId),
    mayBeUnknown({ taskId, suspendId }, since) {
      const asked = given.filter(({ at }) => at > since).map((one) => one.logs.get(taskId));
      if (isGone(taskId)) return true;
      if (suspendId === undefined) return asked.some((facts) => facts === undefined);
      const standing = logs.get(taskId) ?? [];
      const isOnlyLost = (fact: Fact): boolean => !hasAt({ facts: standing }, fact.eventId);
      // Of what stands it was unknown as long as it was asked only in what is lost.
      const wasLost = lost.get(taskId)?.some(({ facts }) => questionIn(facts, suspendId).some(isOnlyLost));
      return wasLost === true || asked.some((facts) => questionIn(facts, suspendId).length === 0);
    },
    without(creation, note) {
      const { toldNew, clientRequestId } = creation;
      for (const taskId of new Set(toldNew))
        if (isGone(taskId) && toldNew.filter((each) => each === taskId).length > 1)
          note('twins', `${clientRequestId}: ${taskId}, which is gone, was told to be new more than once`);
      return {
        ...creation,
        taskIds: new Set([...creation.taskIds].filter((taskId) => !isGone(taskId))),
        toldNew: toldNew.filter((taskId) => !isGone(taskId)),
      };
    },
    judgeViewing: (viewing, note) => judgeViewing(viewing, historiesOf(viewing.taskId), isGone(viewing.taskId), note),
    judgeActions(actions, note) {
      for (const [taskId, histories] of lost) {
        for (const { facts } of histories) judgeOrder(taskId, facts, note);
        judgeAnswers(taskId, actions, historiesOf(taskId), note);
      }
    },
    facts: [...lost].reduce((sum, [taskId, histories]) => sum + countLost(logs.get(taskId) ?? [], histories), 0),
    tasks: [...lost.keys()].filter((taskId) => !logs.has(taskId)).length,
  };
}

/** Where a question is asked. */
const questionIn = (facts: readonly Fact[] | undefined, suspendId: string): readonly Fact[] =>
  facts?.filter(({ type, payload }) => type === 'TASK_SUSPENDED' && payload.suspendId === suspendId) ?? [];

function countLost(facts: readonly Fact[], histories: readonly History[]): number {
  const ids = histories.flatMap((history) => history.facts.map(({ eventId }) => eventId));
  return new Set(ids.filter((eventId) => !hasAt({ facts }, eventId))).size;
}

/** Where a history is lost, it is still one: without a hole, and with one end at most. */
function judgeOrder(taskId: string, facts: readonly Fact[], note: Note): void {
  facts.forEach(({ eventId, type }, at) => {
    if (nOf(eventId) !== at + 1) note(nOf(eventId) > at + 1 ? 'lost' : 'doubled', `${taskId}, given up, has ${eventId} in place ${at + 1}`);
    if (isTerminalType(type) && at + 1 < facts.length) note('reordered', `${taskId}, given up, goes on after its end`);
  });
}

/** Each life of a client had one history without a hole, and another one from its first fact on wherever it was told `reset`. */
function judgeViewing({ viewer, taskId, stays, folded, fault }: Viewing, histories: readonly History[], isGone: boolean, note: Note): void {
  const where = `${viewer} on ${taskId}`;
  let last: readonly History[] = [];
  stays.forEach((stay, nth) => (last = judgeLife(stay, `${where}: stay ${nth + 1}`, histories, note)));
  const hasEnded = stays.at(-1)?.end === 'ended';
  if (isGone && !hasEnded) {
    // Who has not seen its end is told that it is not there, and nothing else.
    if (fault === undefined) note('unended', `${where}: was never told that it is gone`);
    else if (!fault.startsWith('TASK_NOT_FOUND')) note('faults', `${where}, which is gone: ${fault}`);
    return;
  }
  if (fault !== undefined) note('faults', `${where}: ${fault}`);
  if (!hasEnded) return note('unended', where);
  if (!folded) return;
  const truths = last.map(({ facts }) => {
    const aggregate = facts.reduce((all, fact) => fold(all, fact), emptyAggregate);
    return `${stateOf(aggregate.task)} at ${aggregate.lastEventId}`;
  });
  const own = `${folded.state} at ${folded.lastEventId}`;
  if (!truths.includes(own)) note('disagreements', `${where}: ${own}, its history says ${truths.join(' or ')}`);
}

/** Gives the histories that it may have been in at its end. */
function judgeLife(
  { begunAt, resumedAfter, ids, resets = 0, end }: ClientLife,
  where: string,
  histories: readonly History[],
  note: Note,
): readonly History[] {
  // What it brings along may be of any; what it hears is of one that somebody still had.
  const left = histories.filter(({ givenUpAt }) => givenUpAt > begunAt);
  let resetsLeft = resets;
  let before = resumedAfter === undefined ? 0 : nOf(resumedAfter);
  let now = resumedAfter === undefined ? left : histories.filter((history) => hasAt(history, resumedAfter));
  if (now.length === 0 && resumedAfter !== undefined) note('strange', `${where}: it goes on after ${resumedAfter}`);
  for (const eventId of ids) {
    const n = nOf(eventId);
    const isOf = (history: History): boolean => hasAt(history, eventId);
    const following = now.filter((history) => left.includes(history) && isOf(history));
    if (n === before + 1 && following.length > 0) now = following;
    else if (!left.some(isOf)) {
      const whose = histories.some(isOf) ? 'a history that was given up before' : 'no history';
      note('strange', `${where}: ${eventId} is of ${whose}`);
      now = histories.filter(isOf);
    } else if (n === 1 && resetsLeft > 0) {
      resetsLeft -= 1;
      now = left.filter(isOf);
    } else if (n > before + 1) note('lost', `${where}: ${before} is followed by ${eventId}, ${resetsLeft} resets told`);
    else if (n === before + 1)
      note('strange', `${where}: ${eventId} is of another history than what came before it, and no reset was told`);
    else note(n === before ? 'doubled' : 'reordered', `${where}: ${eventId} after ${before}, ${resetsLeft} resets told`);
    before = n;
  }
  const whole = now.filter(({ facts }) => facts.length === before && isTerminalType(facts.at(-1)?.type ?? ''));
  if (end === 'ended' && whole.length === 0)
    note('lost', `${where}: ended at ${before} of ${now.map(({ facts }) => facts.length).join(' or ')}`);
  return whole;
}

const ACCEPTED: readonly string[] = ['ACCEPTED', 'DEDUPLICATED'];
const REJECTED: readonly string[] = ['REJECTED_ALREADY_RESOLVED', 'REJECTED_EXPIRED', 'IDEMPOTENCY_CONFLICT'];

/** In each history each question has one answer, and what somebody was told to be accepted stands in one of them. */
function judgeAnswers(taskId: string, sent: readonly SentAction[], histories: readonly History[], note: Note): void {
  const own = sent.filter((action) => action.taskId === taskId);
  const keyOf = (suspendId: string, clientActionId: string, actionType: string): string => `${suspendId} ${clientActionId} ${actionType}`;
  /** The facts by which an action was accepted, and in how many histories. */
  const found = new Map<string, { readonly ids: Set<string>; histories: number }>();
  for (const { facts } of histories) {
    const answered = new Set<string>();
    for (const { type, payload, eventId } of facts) {
      if (type !== 'TASK_ACTION_ACCEPTED') continue;
      if (answered.has(payload.suspendId)) note('acceptedTwice', `${taskId} ${payload.suspendId}`);
      answered.add(payload.suspendId);
      const key = keyOf(payload.suspendId, payload.clientActionId, payload.actionType);
      const known = found.get(key) ?? { ids: new Set(), histories: 0 };
      known.ids.add(eventId);
      known.histories += 1;
      found.set(key, known);
    }
  }
  for (const { suspendId, clientActionId, actionType, outcomes } of own) {
    const key = keyOf(suspendId, clientActionId, actionType);
    const told = `${taskId} ${key} was told ${outcomes.join(', ')}`;
    const { ids, histories: count } = found.get(key) ?? { ids: new Set(), histories: 0 };
    if (outcomes.some((one) => ACCEPTED.includes(one)) && count === 0) note('vanished', told);
    if (outcomes.filter((one) => one === 'ACCEPTED').length > Math.max(1, ids.size)) note('acceptedTwice', told);
    if (outcomes.every((one) => one === 'unknown')) note('unknown', `action ${taskId} ${key}`);
    if (count === histories.length && outcomes.some((one) => REJECTED.includes(one))) note('unasked', `${told}, and is in each history`);
  }
  const keys = new Set(own.map(({ suspendId, clientActionId, actionType }) => keyOf(suspendId, clientActionId, actionType)));
  for (const key of found.keys()) if (!keys.has(key)) note('unasked', `${taskId} ${key}`);
}
