import { type Fact, isTerminalType } from 'taskbridge/wire';
import { emptyAggregate, fold, stateOf } from 'taskbridge/machines';
import { noneLost, type LostHistories } from './lost-histories.ts';
import { isLost, type WorkRecord } from './work-record.ts';
import { delivered, type Creation, type RunRecord, type SentAction, type ClientLife, type Viewing } from './run-record.ts';

/** A task's log, as the store has it at the end. */
export type Logs = ReadonlyMap<string, readonly Fact[]>;

/** What must be zero at the end. */
export const faultKinds = {
  lost: 'facts that a viewer never got, or that a log misses',
  doubled: 'facts that a viewer got twice, or steps that a log has twice',
  reordered: 'facts that came out of their order',
  strange: 'facts that the log does not have',
  gaps: 'gaps that a client was told of',
  unended: 'tasks without an end, and viewers that never saw it',
  failed: 'tasks that failed where nobody meant them to',
  misrun: 'tasks that ran twice at once for longer than a lease, or were lost where no host had ended',
  disagreements: 'final states that differ between log and client',
  twins: 'keys with more than one task, and tasks with no key',
  acceptedTwice: 'questions with two accepted answers, and answers in the log twice',
  mislisted: 'lists that lack a task of their owner, have one twice, or one of somebody else',
  vanished: 'accepted actions that the log does not have',
  unasked: 'accepted answers that nobody sent, or that were told to be rejected',
  misheard: 'answers that reached the work otherwise than they were accepted',
  unknown: 'calls whose outcome could not be found out by asking again',
  faults: 'clients that gave up',
} as const;
/** One of them. */
export type FaultKind = keyof typeof faultKinds;

/** What was found, with a line for each. */
export interface CheckResult {
  readonly counts: Readonly<Record<FaultKind, number>>;
  readonly lines: readonly string[];
  readonly appended: number;
  readonly delivered: number;
  readonly tasks: number;
  /** Outcomes of actions, each call counted. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Notes what is wrong. */
export type Note = (kind: FaultKind, line: string) => void;

/**
 * Judges a run by what the store has at the end, by which handlers ran where that is known, and by the histories that it lost, where it did: what
 * people were told of these is judged by them.
 */
export function checkRun(
  record: RunRecord,
  logs: Logs,
  work?: { readonly record: WorkRecord; readonly leaseMs: number },
  lost: LostHistories = noneLost,
): CheckResult {
  const counts = Object.fromEntries(Object.keys(faultKinds).map((kind) => [kind, 0])) as Record<FaultKind, number>;
  const lines: string[] = [];
  const note: Note = (kind, line) => {
    counts[kind] += 1;
    lines.push(`${kind}: ${line}`);
  };
  for (const creation of record.creations) judgeCreation(lost.without(creation, note), note);
  const known = new Map(record.creations.flatMap((creation) => [...creation.taskIds].map((taskId) => [taskId, creation] as const)));
  for (const [taskId, log] of logs) {
    const creation = known.get(taskId);
    if (creation) judgeLog(taskId, log, creation, note);
    else note('twins', `nobody was told of task ${taskId}`);
  }
  for (const taskId of known.keys()) if (!logs.has(taskId) && !lost.touches(taskId)) note('lost', `task ${taskId} is not in the store`);
  for (const viewing of record.viewings)
    if (lost.touches(viewing.taskId)) lost.judgeViewing(viewing, note);
    else judgeViewing(viewing, logs.get(viewing.taskId) ?? [], note);
  for (const viewing of record.viewings)
    for (const { end, begunAt } of viewing.stays)
      if (end === 'absent' && !lost.mayBeUnknown(viewing, begunAt))
        note('faults', `${viewing.viewer} was told that ${viewing.taskId} is not there`);
  for (const action of record.actions) judgeOutcomes(action, lost.mayBeUnknown(action, action.sentAt), note);
  const isPlain = (taskId: string): boolean => !lost.touches(taskId);
  judgeActions(
    record.actions.filter(({ taskId }) => isPlain(taskId)),
    new Map([...logs].filter(([taskId]) => isPlain(taskId))),
    note,
  );
  lost.judgeActions(
    record.actions.filter(({ taskId }) => !isPlain(taskId)),
    note,
  );
  for (const { viewer, taskId, reason } of record.gaps)
    if (reason !== 'reset' || isPlain(taskId)) note('gaps', `${viewer} on ${taskId}: ${reason}`);
  for (const line of record.lists.faults) note('mislisted', line);
  for (const line of work?.record.judge(record.creations, logs, work.leaseMs) ?? []) note('misrun', line);

  const outcomes: Record<string, number> = {};
  for (const { outcomes: told } of record.actions) for (const outcome of told) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const appended = [...logs.values()].reduce((sum, { length }) => sum + length, 0);
  return { counts, lines, appended, delivered: delivered(record), tasks: logs.size, outcomes };
}

function judgeCreation({ clientRequestId, taskIds, toldNew, unknown }: Creation, note: Note): void {
  if (unknown > 0 && taskIds.size === 0) note('unknown', `create ${clientRequestId}`);
  if (taskIds.size > 1) note('twins', `${clientRequestId} gave ${[...taskIds].join(' and ')}`);
  if (toldNew.length > 1) note('twins', `${clientRequestId} was told to be new ${toldNew.length} times`);
}

const nOf = (eventId: string): number => Number.parseInt(eventId, 10);

function judgeLog(taskId: string, log: readonly Fact[], { input }: Creation, note: Note): void {
  log.forEach(({ eventId }, at) => {
    if (nOf(eventId) !== at + 1) note(nOf(eventId) > at + 1 ? 'lost' : 'doubled', `${taskId} has ${eventId} in place ${at + 1}`);
  });
  const ends = log.filter(({ type }) => isTerminalType(type));
  const last = log.at(-1);
  if (ends.length === 0) return note('unended', `${taskId} is at ${last?.eventId ?? 'nothing'} (${last?.type ?? 'no fact'})`);
  if (ends.length > 1) note('doubled', `${taskId} has ${ends.length} ends`);
  if (ends[0] !== last) note('reordered', `${taskId} goes on after its end`);

  const steps = log.flatMap((fact) => (fact.type === 'TASK_PROGRESS' ? [Number(fact.payload.stage?.slice('step '.length))] : []));
  steps.forEach((step, at) => {
    const before = steps[at - 1] ?? 0;
    if (step > before + 1) note('lost', `${taskId} goes from step ${before} to ${step}`);
    else if (step === before) note('doubled', `${taskId} has step ${step} twice`);
    else if (step < before) note('reordered', `${taskId} goes from step ${before} back to ${step}`);
  });
  if (last?.type === 'TASK_COMPLETED' && steps.length < input.steps) note('lost', `${taskId} completed after ${steps.length} steps`);
  // Whether it may be lost is judged by who ran it.
  if (last && isLost(last) && !input.repeatable) return;
  if (last?.type === 'TASK_FAILED' && last.payload.code !== 'PLANNED')
    note('failed', `${taskId} with ${last.payload.code}: ${last.payload.message}`);
  else if (last?.type === 'TASK_COMPLETED' || last?.type === 'TASK_FAILED') judgeAnswers(taskId, log, last, note);
}

/** The work says what it heard: each answer as it was accepted. */
function judgeAnswers(taskId: string, log: readonly Fact[], last: Fact<'TASK_COMPLETED'> | Fact<'TASK_FAILED'>, note: Note): void {
  // Written by the job.
  const said = last.type === 'TASK_FAILED' ? last.payload.message : JSON.stringify((last.payload.result as { answers: unknown }).answers);
  const heard = JSON.parse(said) as Record<string, string>;
  const accepted = new Map<string, string>();
  for (const fact of log) {
    if (fact.type === 'TASK_ACTION_ACCEPTED')
      accepted.set(keyOf(fact.payload.suspendId), `${fact.payload.clientActionId} ${fact.payload.actionType}`);
    if (fact.type === 'TASK_SUSPENSION_CLOSED' && fact.payload.outcome === 'EXPIRED')
      accepted.set(keyOf(fact.payload.suspendId), 'expired');
  }
  for (const key of new Set([...Object.keys(heard), ...accepted.keys()]))
    if (!heard[key]?.startsWith(accepted.get(key) ?? '-')) note('misheard', `${taskId} ${key}: ${heard[key]} for ${accepted.get(key)}`);
}

const keyOf = (suspendId: string): string => suspendId.split('-')[0] ?? '';

function judgeViewing({ viewer, taskId, stays, folded, fault }: Viewing, log: readonly Fact[], note: Note): void {
  const where = `${viewer} on ${taskId}`;
  if (fault !== undefined) note('faults', `${where}: ${fault}`);
  let dealtWith = 0;
  let savedAtLeast = 0;
  stays.forEach(({ resumedAfter, ids, dealtWith: count, end }, nth) => {
    const from = resumedAfter === undefined ? 0 : nOf(resumedAfter);
    if (from > dealtWith) note('lost', `${where}: stay ${nth + 1} goes on after ${from}, but only ${dealtWith} were dealt with`);
    if (from < savedAtLeast) note('doubled', `${where}: stay ${nth + 1} goes on after ${from}, not ${savedAtLeast}`);
    let before = from;
    for (const eventId of ids) {
      const n = nOf(eventId);
      if (log[n - 1]?.eventId !== eventId) note('strange', `${where}: ${eventId}`);
      if (n > before + 1) note('lost', `${where}: ${before} is followed by ${n}`);
      if (n === before) note('doubled', `${where}: ${n}`);
      if (n < before) note('reordered', `${where}: ${n} after ${before}`);
      before = Math.max(before, n);
    }
    const until = count === 0 ? from : nOf(ids[count - 1] ?? '0');
    dealtWith = Math.max(dealtWith, until);
    // Whoever is torn may have dealt with more than he saved; whoever leaves saves what he himself was at, which may be less than that.
    savedAtLeast = end === 'left' ? until : 0;
    if (end === 'ended' && before !== log.length) note('lost', `${where}: ended at ${before} of ${log.length}`);
  });
  if (stays.at(-1)?.end !== 'ended') note('unended', `${where}: saw ${dealtWith} of ${log.length}`);
  else if (folded) {
    const aggregate = log.reduce((all, fact) => fold(all, fact), emptyAggregate);
    const own = `${folded.state} at ${folded.lastEventId}`;
    const truth = `${stateOf(aggregate.task)} at ${aggregate.lastEventId}`;
    if (own !== truth) note('disagreements', `${where}: ${own}, the log says ${truth}; its stays: ${stays.map(textOf).join('; ')}`);
  }
}

const textOf = ({ resumedAfter = 'the start', ids, dealtWith, end }: ClientLife): string =>
  `after ${resumedAfter} ${ids.length} came (${ids[0] ?? '-'} … ${ids.at(-1) ?? '-'}), ${dealtWith} dealt with, ${end ?? 'open'}`;

/** Nobody is told of an action what cannot be, and that there is no such question only by who did not have it. */
function judgeOutcomes({ taskId, suspendId, clientActionId, outcomes }: SentAction, mayBeUnknown: boolean, note: Note): void {
  const may = [...ACCEPTED, ...REJECTED, 'unknown', ...(mayBeUnknown ? ['TASK_NOT_FOUND'] : [])];
  for (const outcome of outcomes)
    if (!may.includes(outcome)) note('faults', `action ${clientActionId} of ${suspendId} of ${taskId} was told ${outcome}`);
}

const ACCEPTED: readonly string[] = ['ACCEPTED', 'DEDUPLICATED'];
const REJECTED: readonly string[] = ['REJECTED_ALREADY_RESOLVED', 'REJECTED_EXPIRED', 'IDEMPOTENCY_CONFLICT'];

function judgeActions(actions: readonly SentAction[], logs: Logs, note: Note): void {
  const inLogs = new Map<string, number>();
  for (const [taskId, log] of logs) {
    const answered = new Set<string>();
    for (const { type, payload } of log) {
      if (type !== 'TASK_ACTION_ACCEPTED') continue;
      const { suspendId, clientActionId, actionType } = payload;
      if (answered.has(suspendId)) note('acceptedTwice', `${taskId} ${suspendId}`);
      answered.add(suspendId);
      const key = [taskId, suspendId, clientActionId, actionType].join(' ');
      inLogs.set(key, (inLogs.get(key) ?? 0) + 1);
    }
  }
  for (const { taskId, suspendId, clientActionId, actionType, outcomes } of actions) {
    const key = [taskId, suspendId, clientActionId, actionType].join(' ');
    const count = inLogs.get(key) ?? 0;
    const told = outcomes.join(', ');
    const wasAccepted = outcomes.some((one) => ACCEPTED.includes(one));
    if (wasAccepted && count === 0) note('vanished', `${key} was told ${told}`);
    if (count > 1) note('acceptedTwice', `${key} is in the log ${count} times`);
    if (count > 0 && outcomes.some((one) => REJECTED.includes(one))) note('unasked', `${key} is in the log and was told ${told}`);
    if (outcomes.filter((one) => one === 'ACCEPTED').length > 1) note('acceptedTwice', `${key} was told ${told}`);
    if (outcomes.every((one) => one === 'unknown')) note('unknown', `action ${key}`);
    inLogs.delete(key);
  }
  for (const key of inLogs.keys()) note('unasked', key);
}
