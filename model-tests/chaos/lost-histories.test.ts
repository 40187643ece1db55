import type { Fact } from 'taskbridge/wire';
import { describe, expect, it } from 'vitest';
import { checkRun, faultKinds, type FaultKind, type Logs } from './checker.ts';
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
function found(
  spoil: (record: RunRecord, logs: Map<string, readonly Fact[]>) => void,
  given: Logs = new Map([[TASK, lostLog]]),
): FaultKind[] {
  const [record, logs] = [soundRecord(), new Map<string, readonly Fact[]>([[TASK, finalLog]])];
  spoil(record, logs);
  const { counts } = checkRun(record, logs, undefined, lostHistoriesOf([{ logs: given, at: GIVEN_UP_AT }], logs));
  return (Object.keys(faultKinds) as FaultKind[]).filter((kind) => counts[kind] > 0);
}

/** Another first life of the viewer, which had all the rest in common with the sound one. */
function replaceLife(record: RunRecord, life: Partial<ClientLife>): void {
  record.viewings[0]?.stays.splice(0, 1, { ...lifeOf(record), ...life });
}

/** Before all else the viewer was told that the task is not there. */
function insertAbsence(record: RunRecord, begunAt: number): void {
  record.viewings[0]?.stays.unshift({ begunAt, resumedAfter: undefined, ids: [], dealtWith: 0, end: 'absent' });
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

  it.each<[FaultKind, string, (record: RunRecord) => void]>([
    ['strange', 'a life that began after the old master was given up', (record) => replaceLife(record, { begunAt: GIVEN_UP_AT + 1 })],
    [
      'strange',
      'a life that goes on from the old history, and still has it',
      (record) => replaceLife(record, { begunAt: GIVEN_UP_AT + 1, resumedAfter: '3-1', ids: ['4-1', ...idsOf(finalLog)] }),
    ],
    [
      'acceptedTwice',
      'an answer that both histories have, told to be accepted by each',
      ({ actions: [, one] }) => void one?.outcomes.push('ACCEPTED'),
    ],
    ['faults', 'that there is no such question, which all have', ({ actions: [one] }) => void one?.outcomes.push('TASK_NOT_FOUND')],
    ['faults', 'an outcome that is none', ({ actions: [one] }) => void one?.outcomes.push('FORBIDDEN')],
    ['faults', 'that the task is not there, which all have', (record) => insertAbsence(record, 0)],
  ])('finds under "%s" what was told of a task that stands: %s', (kind, _what, spoil) => expect(found(spoil)).toContain(kind));

  it('finds nothing where what both histories have was given up by neither', () => {
    expect(
      found((record) => replaceLife(record, { begunAt: GIVEN_UP_AT + 1, resumedAfter: '3-1', ids: idsOf(finalLog), resets: 1 })),
    ).toEqual([]);
  });

  it('excuses nobody where nothing was lost', () => {
    expect(found(() => undefined, new Map())).toContain('vanished');
    const logs = new Map([[TASK, finalLog]]);
    expect(checkRun(soundRecord(), logs).counts.gaps).toBe(1);
  });

  it('takes a reset for a fault where the task has one history', () => {
    const given = new Map([[TASK, finalLog.slice(0, 4)]]);
    const isAlone = (record: RunRecord): void => {
      record.actions.shift();
      replaceLife(record, { ids: idsOf(finalLog), resets: 0 });
    };
    expect(found((record) => (isAlone(record), record.gaps.pop()), given)).toEqual([]);
    expect(found(isAlone, given)).toEqual(['gaps']);
  });
});

describe('the judge of a task that is gone', () => {
  /** The new master never heard of it: who watched saw all that the old one had, and was told that it is not there. */
  function soundlyGone(record: RunRecord, logs: Map<string, readonly Fact[]>): void {
    logs.delete(TASK);
    record.actions.pop();
    record.gaps.pop();
    replaceLife(record, { ids: idsOf(lostLog), resets: 0, end: 'absent' });
    record.viewings[0]?.stays.push({ begunAt: GIVEN_UP_AT + 1, resumedAfter: '4-1', ids: [], dealtWith: 0, end: 'left' });
    Object.assign(record.viewings[0] ?? {}, { fault: 'TASK_NOT_FOUND: There is none.', folded: undefined });
    record.actions[0]?.outcomes.push('TASK_NOT_FOUND');
  }
  const whenGone = (spoil: (record: RunRecord, logs: Map<string, readonly Fact[]>) => void, given?: Logs) =>
    found((record, logs) => (soundlyGone(record, logs), spoil(record, logs)), given);
  const [NEW, creationOf] = [
    'bb'.padEnd(32, '0'),
    (record: RunRecord) => record.creations[0] ?? { taskIds: new Set<string>(), toldNew: [] as string[] },
  ];
  const ofNew = (log: readonly Fact[]): readonly Fact[] => log.map((each) => ({ ...each, taskId: NEW }) as Fact);
  /** Whoever made it made it again, under the same request id. */
  const madeAgain = (record: RunRecord, logs: Map<string, readonly Fact[]>): void => {
    const { taskIds, toldNew } = creationOf(record);
    taskIds.add(NEW);
    toldNew.push(NEW);
    logs.set(NEW, ofNew(finalLog));
    record.actions.push(
      ...record.actions.slice(0, 1).map((action) => ({ ...action, taskId: NEW, clientActionId: 'a2', outcomes: ['ACCEPTED'] })),
    );
  };

  it('finds nothing where its viewers are told so, and a request that is repeated makes one new task', () => {
    expect(whenGone(() => undefined)).toEqual([]);
    expect(whenGone(madeAgain)).toEqual([]);
    const logs = new Map<string, readonly Fact[]>();
    expect(lostHistoriesOf([{ logs: new Map([[TASK, lostLog]]), at: GIVEN_UP_AT }], logs)).toMatchObject({ facts: 4, tasks: 1 });
  });

  it('finds nothing where it was so new that it had no fact, or where its viewer saw its end before', () => {
    const noFact = (record: RunRecord): void => {
      record.actions.pop();
      record.viewings[0]?.stays.shift();
      replaceLife(record, { begunAt: 0, resumedAfter: undefined });
    };
    expect(whenGone(noFact, new Map([[TASK, []]]))).toEqual([]);
    const ended = [...lostLog, fact(5, 1, 'TASK_COMPLETED', { result: null })];
    const sawEnd = (record: RunRecord): void => {
      record.viewings[0]?.stays.pop();
      replaceLife(record, { ids: idsOf(ended), end: 'ended' });
      delete record.viewings[0]?.fault;
    };
    expect(whenGone(sawEnd, new Map([[TASK, ended]]))).toEqual([]);
  });

  it.each<[FaultKind, string, (record: RunRecord, logs: Map<string, readonly Fact[]>) => void, Logs?]>([
    ['lost', 'that nobody gave up', () => undefined, new Map()],
    ['strange', 'whose viewer hears of it after that', ({ viewings }) => void viewings[0]?.stays[1]?.ids.push('5-1')],
    ['strange', 'whose viewer still hears the old history', (record) => replaceLife(record, { begunAt: GIVEN_UP_AT + 1 })],
    ['strange', 'whose viewer hears what no master had', (record) => void lifeOf(record).ids.push('5-9')],
    ['lost', 'whose viewer heard it with a hole', (record) => void lifeOf(record).ids.splice(1, 1)],
    [
      'lost',
      'whose viewer was told an end that is none',
      (record) => (record.viewings[0]?.stays.pop(), replaceLife(record, { end: 'ended' })),
    ],
    ['unended', 'whose viewer was told nothing', (record) => void delete record.viewings[0]?.fault],
    ['faults', 'whose viewer was told something else', (record) => Object.assign(record.viewings[0] ?? {}, { fault: 'FORBIDDEN: No.' })],
    [
      'vanished',
      'where an answer was accepted that it never had',
      ({ actions: [one] }) => Object.assign(one ?? {}, { clientActionId: 'a9' }),
    ],
    ['twins', 'that was told to be new twice', (record) => void creationOf(record).toldNew.push(TASK)],
    [
      'twins',
      'whose request makes two new tasks',
      (record, logs) => {
        madeAgain(record, logs);
        creationOf(record).taskIds.add('cc');
        logs.set('cc', finalLog);
      },
    ],
    ['twins', 'where another task stands that nobody was told of', (_record, logs) => void logs.set(NEW, ofNew(finalLog))],
    [
      'lost',
      'whose request made a task that is gone too, and that nobody gave up',
      (record, logs) => (madeAgain(record, logs), void logs.delete(NEW)),
    ],
    ['doubled', 'that had a fact twice while it was there', () => undefined, new Map([[TASK, [...lostLog, ...lostLog.slice(3)]]])],
  ])('finds under "%s" one %s', (kind, _what, spoil, given) => expect(whenGone(spoil, given)).toContain(kind));
});

describe('the judge of a task that one of two masters never had', () => {
  const given = new Map<string, readonly Fact[]>();
  const onOne = (record: RunRecord): void => {
    record.actions.shift();
    record.gaps.pop();
    replaceLife(record, { ids: idsOf(finalLog), resets: 0 });
  };

  it('lets it be unknown to who asked while that master was there, and to nobody later', () => {
    expect(found((record) => (onOne(record), insertAbsence(record, 0)), given)).toEqual([]);
    expect(found((record) => (onOne(record), insertAbsence(record, GIVEN_UP_AT + 1)), given)).toEqual(['faults']);
  });

  it('and lets its question be unknown in the same way', () => {
    const asked = (sentAt: number) => (record: RunRecord) => {
      onOne(record);
      for (const action of record.actions) Object.assign(action, { sentAt, outcomes: ['TASK_NOT_FOUND', 'ACCEPTED'] });
    };
    expect(found(asked(0), given)).toEqual([]);
    expect(found(asked(GIVEN_UP_AT + 1), given)).toEqual(['faults']);
  });

  it('finds one who gave up on it', () => {
    const gaveUp = (record: RunRecord): void => {
      onOne(record);
      Object.assign(record.viewings[0] ?? {}, { fault: 'TASK_NOT_FOUND: There is none.' });
    };
    expect(found(gaveUp, given)).toEqual(['faults']);
  });
});
