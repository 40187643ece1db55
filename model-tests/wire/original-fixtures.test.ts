import { describe, expect, test } from 'vitest';
import { emptyAggregate, fold, openSuspensions, progressOf, stateOf, type Aggregate } from '../../machines/index.ts';
import { compareEventIds, type UnknownFact } from '../../machines/wire/index.ts';

/** Facts as other servers of the protocol write them: ids of other forms, payloads that say less or more than the schema asks for. */
function foreign(eventId: string, type: string, payload: unknown): UnknownFact {
  return { type, taskId: '3f2a', eventId, createdAt: '2026-02-10T12:00:00.123456Z', payload } as UnknownFact;
}

function foldAll(facts: readonly UnknownFact[]): Aggregate {
  return facts.reduce<Aggregate>(fold, emptyAggregate);
}

const question = {
  suspendId: 'susp-1',
  kind: 'USER_ACTION_REQUIRED',
  reasonCode: 'DOCUMENT_REVIEW',
  allowedActions: ['approve', 'reject'],
  schemaVersion: 1,
  expiresAt: null,
  uiHints: { title: 'Review' },
  interaction: {},
};

describe('a log of another server', () => {
  test('with plain and two-part ids is folded, and its ids are ordered', () => {
    const log = [
      foreign('1', 'TASK_STARTED', {}),
      foreign('3', 'TASK_PROGRESS', { progress: 40 }),
      foreign('4-0', 'TASK_MESSAGE', { message: 'm' }),
    ];
    const folded = foldAll(log);
    expect(stateOf(folded.task)).toBe('running');
    expect(progressOf(folded.task)).toEqual({ progress: 40 });
    expect(folded.lastEventId).toBe('4-0');
    expect(compareEventIds('3', '4-0')).toBeLessThan(0);
  });

  test('with a question whose deadline is null waits without one', () => {
    const folded = foldAll([foreign('1-0', 'TASK_STARTED', {}), foreign('2-0', 'TASK_SUSPENDED', question)]);
    expect(stateOf(folded.task)).toBe('suspended');
    expect(openSuspensions(folded)).toEqual([question]);
  });

  test('with an acceptance in another time form, and no fact that closes, goes on', () => {
    const accepted = { suspendId: 'susp-1', clientActionId: 'c', actionType: 'approve', acceptedAt: '2026-02-10T12:00:00.123456+00:00' };
    const folded = foldAll([foreign('1-0', 'TASK_SUSPENDED', question), foreign('2-0', 'TASK_ACTION_ACCEPTED', accepted)]);
    expect(stateOf(folded.task)).toBe('running');
    expect(openSuspensions(folded)).toEqual([]);
  });

  test.each([
    ['TASK_COMPLETED', {}, 'completed'],
    ['TASK_FAILED', { message: 'boom' }, 'failed'],
    ['TASK_CANCELLED', {}, 'cancelled'],
  ])('that ends with %s and an incomplete payload has ended', (type, payload, state) => {
    const folded = foldAll([foreign('1-0', 'TASK_STARTED', {}), foreign('2-0', 'TASK_SUSPENDED', question), foreign('3-0', type, payload)]);
    expect(stateOf(folded.task)).toBe(state);
    expect(openSuspensions(folded)).toEqual([]);
  });

  test('with progress outside the range, or of a new kind, is shown as it is', () => {
    expect(progressOf(foldAll([foreign('1-0', 'TASK_PROGRESS', { progress: 120, eta: 3 })]).task)).toEqual({ progress: 120 });
    const odd = foldAll([foreign('1-0', 'TASK_SUSPENDED', { ...question, kind: 'PAYMENT_PENDING' })]);
    expect(openSuspensions(odd)).toMatchObject([{ kind: 'PAYMENT_PENDING' }]);
  });

  test('with events after the end keeps its end', () => {
    const folded = foldAll([foreign('1-0', 'TASK_COMPLETED', { result: 1 }), foreign('2-0', 'TASK_PROGRESS', { progress: 1 })]);
    expect(stateOf(folded.task)).toBe('completed');
    expect(progressOf(folded.task)).toBeNull();
    expect(folded.lastEventId).toBe('2-0');
  });
});
