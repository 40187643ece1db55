import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Fact } from 'taskbridge/wire';
import { describe, expect, it, onTestFinished } from 'vitest';
import { walkList } from './list-walk.ts';
import { emptyRunRecord, type RunRecord } from './run-record.ts';
import { faultKinds, checkRun, type FaultKind } from './checker.ts';

const TASK = 'aa'.padEnd(32, '0');
const AT = '2026-01-01T00:00:00.000Z';

function fact(n: number, type: Fact['type'], payload: object): Fact {
  // Only what a judge reads is here.
  return { type, taskId: TASK, eventId: `${n}-1`, createdAt: AT, payload } as Fact;
}

/** A log of two steps with one answered question, as a sound run has it. */
function soundLog(): Fact[] {
  return [
    fact(1, 'TASK_STARTED', {}),
    fact(2, 'TASK_PROGRESS', { progress: 50, stage: 'step 1' }),
    fact(3, 'TASK_SUSPENDED', {
      suspendId: 'q1-x',
      kind: 'USER_ACTION_REQUIRED',
      reasonCode: 'GO_ON',
      allowedActions: ['yes'],
      schemaVersion: 1,
    }),
    fact(4, 'TASK_ACTION_ACCEPTED', { suspendId: 'q1-x', clientActionId: 'a1', actionType: 'yes', acceptedAt: AT }),
    fact(5, 'TASK_PROGRESS', { progress: 100, stage: 'step 2' }),
    fact(6, 'TASK_COMPLETED', { result: { answers: { q1: 'a1 yes {}' } } }),
  ];
}

/** What a shared heard of it: a client that left cleanly after three facts, and came back. */
function soundLedger(): RunRecord {
  const record = emptyRunRecord();
  record.creations.push({
    owner: 'o',
    clientRequestId: 'r',
    input: { steps: 2, paceMs: 1, asks: [], end: 'complete', repeatable: true },
    taskIds: new Set([TASK]),
    sent: 1,
    toldNew: [TASK],
    answered: 2,
    unknown: 1,
  });
  record.actions.push({
    owner: 'o',
    taskId: TASK,
    suspendId: 'q1-x',
    clientActionId: 'a1',
    actionType: 'yes',
    payload: { by: 'v' },
    sentAt: 0,
    outcomes: ['unknown', 'DEDUPLICATED'],
  });
  record.viewings.push({
    viewer: 'v',
    owner: 'o',
    taskId: TASK,
    stays: [
      { begunAt: 0, resumedAfter: undefined, ids: ['1-1', '2-1', '3-1'], dealtWith: 2, end: 'left' },
      { begunAt: 0, resumedAfter: '2-1', ids: ['3-1', '4-1', '5-1', '6-1'], dealtWith: 4, end: 'ended' },
    ],
    folded: { state: 'completed', lastEventId: '6-1' },
  });
  return record;
}

/** Kinds that were found. */
function found(spoil: (record: RunRecord, log: Fact[]) => void): FaultKind[] {
  const [record, log] = [soundLedger(), soundLog()];
  spoil(record, log);
  const { counts } = checkRun(record, new Map([[TASK, log]]));
  return (Object.keys(faultKinds) as FaultKind[]).filter((kind) => counts[kind] > 0);
}

const stayOf = (record: RunRecord, nth: number) => {
  const stay = record.viewings[0]?.stays[nth];
  if (!stay) throw new Error('There is no such stay.');
  return stay;
};
const actionOf = (record: RunRecord) => {
  const [action] = record.actions;
  if (!action) throw new Error('There is no action.');
  return action;
};

describe('the judge of a chaos run', () => {
  it('finds nothing in a sound run, torn clients included', () => {
    expect(found(() => undefined)).toEqual([]);
    expect(
      found((record) => {
        Object.assign(stayOf(record, 0), { end: 'torn' });
        Object.assign(stayOf(record, 1), { begunAt: 0, resumedAfter: '1-1', ids: ['2-1', '3-1', '4-1', '5-1', '6-1'], dealtWith: 5 });
      }),
    ).toEqual([]);
  });

  it('finds nothing where a torn client comes back, and leaves before it is where it was', () => {
    expect(
      found((record) => {
        const [viewing] = record.viewings;
        viewing?.stays.splice(
          0,
          2,
          { begunAt: 0, resumedAfter: undefined, ids: ['1-1', '2-1', '3-1', '4-1'], dealtWith: 4, end: 'torn' },
          { begunAt: 0, resumedAfter: '1-1', ids: ['2-1', '3-1'], dealtWith: 1, end: 'left' },
          { begunAt: 0, resumedAfter: '2-1', ids: ['3-1', '4-1', '5-1', '6-1'], dealtWith: 4, end: 'ended' },
        );
      }),
    ).toEqual([]);
  });

  it.each<[FaultKind, string, (record: RunRecord, log: Fact[]) => void]>([
    ['lost', 'a fact that was skipped', (record) => void stayOf(record, 1).ids.splice(1, 1)],
    [
      'lost',
      'a checkpoint ahead of what was dealt with',
      (record) => Object.assign(stayOf(record, 1), { begunAt: 0, resumedAfter: '3-1', ids: ['4-1', '5-1', '6-1'] }),
    ],
    ['lost', 'a last fact that never came', (record) => void stayOf(record, 1).ids.pop()],
    ['lost', 'a step that the log misses', (_ledger, log) => void (log[1] = fact(2, 'TASK_MESSAGE', { message: '' }))],
    ['lost', 'a task that is gone', (record) => void record.creations[0]?.taskIds.add('bb')],
    ['doubled', 'a fact twice', (record) => void stayOf(record, 1).ids.splice(1, 0, '3-1')],
    [
      'doubled',
      'a fact again after a clean leave',
      (record) => Object.assign(stayOf(record, 1), { begunAt: 0, resumedAfter: '1-1', ids: ['2-1', '3-1', '4-1', '5-1', '6-1'] }),
    ],
    ['doubled', 'a step twice in the log', (_ledger, log) => void (log[4] = fact(5, 'TASK_PROGRESS', { progress: 50, stage: 'step 1' }))],
    ['reordered', 'a fact after a later one', (record) => void stayOf(record, 1).ids.splice(0, 2, '4-1', '3-1')],
    ['strange', 'an id that the log has not', (record) => void (stayOf(record, 1).ids[0] = '3-2')],
    ['gaps', 'a gap', (record) => void record.gaps.push({ viewer: 'v', taskId: TASK, reason: 'trimmed' })],
    ['unended', 'a task without an end', (_ledger, log) => void log.pop()],
    ['unended', 'a viewer that never saw the end', (record) => Object.assign(stayOf(record, 1), { end: 'left' })],
    [
      'disagreements',
      'a client that folded otherwise',
      (record) => Object.assign(record.viewings[0] ?? {}, { folded: { state: 'failed', lastEventId: '6-1' } }),
    ],
    ['twins', 'a key with two tasks', (record) => void record.creations[0]?.taskIds.add('bb')],
    ['twins', 'a task of nobody', (record) => void record.creations.splice(0)],
    [
      'acceptedTwice',
      'two answers to one question',
      (_ledger, log) =>
        void log.splice(4, 0, fact(5, 'TASK_ACTION_ACCEPTED', { suspendId: 'q1-x', clientActionId: 'a2', actionType: 'yes' })),
    ],
    [
      'acceptedTwice',
      'one answer that two callers were told is theirs',
      (record) => void actionOf(record).outcomes.push('ACCEPTED', 'ACCEPTED'),
    ],
    ['vanished', 'an accepted answer that is not in the log', (_ledger, log) => void log.splice(3, 1)],
    ['unasked', 'an accepted answer that was told to be rejected', (record) => void actionOf(record).outcomes.push('REJECTED_EXPIRED')],
    ['unasked', 'an answer that nobody sent', (record) => void record.actions.splice(0)],
    [
      'misheard',
      'work that heard something else',
      (_ledger, log) => void (log[5] = fact(6, 'TASK_COMPLETED', { result: { answers: { q1: 'a1 no {}' } } })),
    ],
    ['mislisted', 'a list that lacks a task', (record) => void record.lists.faults.push('the list of o lacks aa')],
    ['misheard', 'work that heard nothing', (_ledger, log) => void (log[5] = fact(6, 'TASK_COMPLETED', { result: { answers: {} } }))],
    ['unknown', 'a call that nobody knows the outcome of', (record) => void actionOf(record).outcomes.pop()],
    ['faults', 'an answer that makes no sense', (record) => void actionOf(record).outcomes.push('TASK_NOT_FOUND')],
    ['faults', 'a client that gave up', (record) => Object.assign(record.viewings[0] ?? {}, { fault: 'NO_TRANSPORT' })],
  ])('finds under "%s" %s', (kind, _what, spoil) => expect(found(spoil)).toContain(kind));
});

describe('a walk through a list', () => {
  const [own, next, foreign] = [TASK, 'bb'.padEnd(32, '0'), 'cc'.padEnd(32, '0')] as const;
  const walk = async (pages: readonly (readonly string[])[]): Promise<readonly string[]> => {
    const server = createServer(({ url = '' }, response) => {
      const at = Number(new URL(url, 'http://x').searchParams.get('after') ?? 0);
      const tasks = (pages[at] ?? []).map((taskId) => ({ taskId, taskType: 'job', status: 'RUNNING', state: 'running' }));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ tasks, nextAfter: at + 1 < pages.length ? String(at + 1) : null }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const record = soundLedger();
    const [creation] = record.creations;
    if (!creation) throw new Error('There is no creation.');
    creation.taskIds.add(next);
    record.creations.push({ ...creation, owner: 'p', taskIds: new Set([foreign]) });
    // Bound above.
    expect(await walkList(record, 'o', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)).toBe(true);
    return record.lists.faults;
  };

  it('finds nothing where all are there, once', async () => expect(await walk([[next], [], [own]])).toEqual([]));
  it.each([
    ['lacks', [[next]], own],
    ['has twice', [[next, own], [own]], own],
    ['shows those of others', [[next, own, foreign]], foreign],
  ] as const)('finds one that it %s', async (what, pages, taskId) => {
    expect(await walk(pages)).toEqual([`the list of o ${what}: ${taskId}`]);
  });

  it('says that a page did not come', async () => expect(await walkList(soundLedger(), 'o', 'http://127.0.0.1:1')).toBe(false));
});
