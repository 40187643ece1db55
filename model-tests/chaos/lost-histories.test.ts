import type { Fact } from 'taskbridge/wire';
import { describe, expect, it } from 'vitest';
import { checkRun, faultKinds, type FaultKind } from './checker.ts';
import { lostHistoriesOf } from './lost-histories.ts';
import { emptyRunRecord, type ClientLife, type RunRecord } from './run-record.ts';

const TASK = 'aa'.padEnd(32, '0');
const AT = '2026-01-01T00:00:00.000Z';
/** When the old master was given up, by the judge's own clock. */
const GIVEN_UP_AT = 1000;

/** The second number of an id tells one history from another. */
function fact(n: number, history: number, type: Fact['type'], payload: object): Fact {
  // Only what a judge reads is here.
  return { type, taskId: TASK, eventId: `${n}-${history}`, createdAt: AT, payload } as Fact;
}
const question = (n: number, history: number): Fact =>
  fact(n, history, 'TASK_SUSPENDED', {
    suspendId: 'q1-x',
    kind: 'USER_ACTION_REQUIRED',
    reasonCode: 'GO_ON',
    allowedActions: ['yes'],
    schemaVersion: 1,
  });
const answer = (n: number, history: number, clientActionId: string): Fact =>
  fact(n, history, 'TASK_ACTION_ACCEPTED', { suspendId: 'q1-x', clientActionId, actionType: 'yes', acceptedAt: AT });

/** Two that begin alike: the master that was given up had accepted `a1`, and there `a2` is what was accepted. */
const shared = [fact(1, 0, 'TASK_STARTED', {}), question(2, 0)];
const lostLog = [...shared, answer(3, 1, 'a1'), fact(4, 1, 'TASK_PROGRESS', { progress: 100, stage: 'step 1' })];
const finalLog = [
  ...shared,
  answer(3, 2, 'a2'),
  fact(4, 2, 'TASK_PROGRESS', { progress: 100, stage: 'step 1' }),
  fact(5, 2, 'TASK_COMPLETED', { result: { answers: { q1: 'a2 yes {}' } } }),
];
const idsOf = (log: readonly Fact[], from = 0): string[] => log.slice(from).map(({ eventId }) => eventId);

/** Somebody who saw all of the lost history, was told `reset`, and then saw all of the other one. */
function soundRecord(): RunRecord {
  const record = emptyRunRecord();
  const input = { steps: 1, paceMs: 1, asks: [], end: 'complete', repeatable: true } as const;
  record.creations.push({
    owner: 'o',
    clientRequestId: 'r',
    input,
    taskIds: new Set([TASK]),
    sent: 1,
    toldNew: [TASK],
    answered: 1,
    unknown: 0,
  });
  for (const clientActionId of ['a1', 'a2'])
    record.actions.push({
      owner: 'o',
      taskId: TASK,
      suspendId: 'q1-x',
      clientActionId,
      actionType: 'yes',
      payload: { by: 'v' },
      sentAt: 0,
      outcomes: ['ACCEPTED'],
    });
  const ids = [...idsOf(lostLog), ...idsOf(finalLog)];
  record.viewings.push({
    viewer: 'v',
    owner: 'o',
    taskId: TASK,
    stays: [{ begunAt: 0, resumedAfter: undefined, ids, dealtWith: ids.length, resets: 1, end: 'ended' }],
    folded: { state: 'completed', lastEventId: '5-2' },
  });
  record.gaps.push({ viewer: 'v', taskId: TASK, reason: 'reset' });
  return record;
}

/** Kinds that were found. */
function found(spoil: (record: RunRecord, logs: Map<string, readonly Fact[]>) => void, given = new Map([[TASK, lostLog]])): FaultKind[] {
  const [record, logs] = [soundRecord(), new Map<string, readonly Fact[]>([[TASK, finalLog]])];
  spoil(record, logs);
  const { counts } = checkRun(record, logs, undefined, lostHistoriesOf([{ logs: given, at: GIVEN_UP_AT }], logs));
  return (Object.keys(faultKinds) as FaultKind[]).filter((kind) => counts[kind] > 0);
}

function lifeOf(record: RunRecord): ClientLife {
  const stay = record.viewings[0]?.stays[0];
  if (!stay) throw new Error('There is no life.');
  return stay;
}

describe('the judge of a run that lost a history', () => {
  it('finds nothing where reset was told, and counts what was lost', () => {
    expect(found(() => undefined)).toEqual([]);
    const logs = new Map([[TASK, finalLog]]);
    expect(lostHistoriesOf([{ logs: new Map([[TASK, lostLog]]), at: GIVEN_UP_AT }], logs)).toMatchObject({ facts: 2, tasks: 0 });
    expect(lostHistoriesOf([{ logs: new Map([[TASK, finalLog.slice(0, 4)]]), at: GIVEN_UP_AT }], logs)).toMatchObject({
      facts: 0,
      tasks: 0,
    });
  });

  it('finds nothing where a life ends on the lost history, or a later one begins on what both have', () => {
    expect(
      found((record) => {
        const { stays } = record.viewings[0] ?? { stays: [] };
        stays.splice(
          0,
          1,
          { begunAt: 0, resumedAfter: undefined, ids: idsOf(lostLog), dealtWith: 4, end: 'torn' },
          { begunAt: 0, resumedAfter: '2-0', ids: idsOf(finalLog, 2), dealtWith: 3, end: 'ended' },
        );
      }),
    ).toEqual([]);
  });

  it('finds nothing where all of a task is lost, and nobody saw its end', () => {
    expect(
      found((record, logs) => {
        logs.delete(TASK);
        record.actions.pop();
        Object.assign(lifeOf(record), { ids: idsOf(lostLog), resets: 0, end: 'left' });
        Object.assign(record.viewings[0] ?? {}, { fault: 'TASK_NOT_FOUND', folded: undefined });
      }),
    ).toEqual([]);
  });

  it.each<[FaultKind, string, (record: RunRecord, logs: Map<string, readonly Fact[]>) => void]>([
    ['reordered', 'a history that begins anew, and no reset', (record) => void (lifeOf(record).resets = 0)],
    [
      'strange',
      'a history that goes on as another one, and no reset',
      (record) => Object.assign(lifeOf(record), { ids: [...idsOf(lostLog), '5-2'], resets: 0 }),
    ],
    ['lost', 'a hole after a reset', (record) => void lifeOf(record).ids.splice(4, 1)],
    ['lost', 'an end that is none', (record) => void lifeOf(record).ids.pop()],
    ['strange', 'a fact of no history', (record) => void (lifeOf(record).ids[8] = '5-3')],
    ['strange', 'a checkpoint of no history', (record) => void Object.assign(lifeOf(record), { begunAt: 0, resumedAfter: '2-7' })],
    ['unended', 'a viewer that never saw the end', (record) => Object.assign(lifeOf(record), { end: 'left' })],
    [
      'disagreements',
      'a fold of neither',
      (record) => Object.assign(record.viewings[0] ?? {}, { folded: { state: 'failed', lastEventId: '5-2' } }),
    ],
    ['faults', 'a client that gave up', (record) => Object.assign(record.viewings[0] ?? {}, { fault: 'NO_TRANSPORT' })],
    [
      'vanished',
      'an accepted answer that neither has',
      ({ actions }) => void actions.push(...actions.slice(0, 1).map((action) => ({ ...action, clientActionId: 'a3' }))),
    ],
    ['acceptedTwice', 'an answer that is told to be accepted twice', (record) => void record.actions[0]?.outcomes.push('ACCEPTED')],
    [
      'acceptedTwice',
      'a question with two answers in one history',
      (_record, logs) => void logs.set(TASK, [...finalLog.slice(0, 3), answer(4, 2, 'a1'), ...finalLog.slice(3)]),
    ],
    ['unasked', 'an answer that nobody sent', (record) => void record.actions.pop()],
    ['lost', 'a task that is gone, and that no lost history has', (record) => void record.creations[0]?.taskIds.add('bb')],
    ['gaps', 'a hole that is no reset', (record) => void record.gaps.push({ viewer: 'v', taskId: TASK, reason: 'trimmed' })],
  ])('finds under "%s" %s', (kind, _what, spoil) => expect(found(spoil)).toContain(kind));

  it('excuses nobody where nothing was lost', () => {
    expect(found(() => undefined, new Map())).toContain('vanished');
    const logs = new Map([[TASK, finalLog]]);
    expect(checkRun(soundRecord(), logs).counts.gaps).toBe(1);
  });
});
