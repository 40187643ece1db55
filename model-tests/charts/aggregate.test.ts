import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  aggregateFromSnapshot,
  decide,
  emptyAggregate,
  fold,
  isTerminal,
  openSuspensions,
  statusOf,
  stateOf,
  storeAggregate,
  type Aggregate,
} from '../../machines/index.ts';
import { factTypes, type TaskSnapshotResponse } from '../../machines/wire/index.ts';
import { question } from './alphabet.ts';
import { aimed, arbitraryIntents, historyOf, intents, written } from './history.ts';

const SEED = 20_260_102;

function openOf({ suspensions }: Aggregate): string[] {
  return [...suspensions].filter(([, snapshot]) => snapshot.hasTag('open')).map(([id]) => id);
}

function response(aggregate: Aggregate): TaskSnapshotResponse {
  const { context } = aggregate.task;
  return {
    taskId: 't',
    taskType: 'x',
    clientRequestId: 'r',
    status: statusOf(aggregate.task),
    state: stateOf(aggregate.task),
    progress: context.progress,
    suspensions: openSuspensions(aggregate),
    ...(context.failure && { failure: context.failure }),
    ...(context.cancellation && { cancellation: context.cancellation }),
    firstEventId: aggregate.lastEventId && '1-1',
    lastEventId: aggregate.lastEventId,
    createdAt: '2026-01-01T00:00:00Z',
    updatedAt: '2026-01-01T00:00:00Z',
  };
}

describe('a task and its questions', () => {
  test('agree at every fact on which questions are open', () => {
    const property = fc.property(arbitraryIntents, (wishes) => {
      for (const aggregate of historyOf(wishes)) {
        expect(new Set(aggregate.task.context.openSuspensionIds)).toEqual(new Set(openOf(aggregate)));
        expect(openSuspensions(aggregate).map(({ suspendId }) => suspendId)).toEqual(aggregate.task.context.openSuspensionIds);
        if (isTerminal(aggregate.task)) expect(openOf(aggregate)).toEqual([]);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 200 });
  });

  test('take every fact that they decided on, and nothing after the end', () => {
    const property = fc.property(arbitraryIntents, (wishes) => {
      const last = historyOf(wishes).at(-1) ?? emptyAggregate;
      for (const intent of intents) {
        const { facts, refusal } = decide(last, aimed(last, intent));
        if (isTerminal(last.task)) expect([facts, refusal]).toEqual([[], expect.any(String)]);
        const after = written(last, facts).reduce(fold, last);
        if (facts.length > 0) expect(storeAggregate(after)).not.toEqual(storeAggregate(last));
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 50 });
  });

  test('have an intent that each type of fact comes from', () => {
    const aggregates = fc.sample(arbitraryIntents, { seed: SEED, numRuns: 30 }).flatMap(historyOf);
    const told = new Set(
      aggregates.flatMap((one) => intents.flatMap((intent) => decide(one, aimed(one, intent)).facts.map(({ type }) => type))),
    );
    expect(factTypes.filter((type) => !told.has(type))).toEqual([]);
  });

  test('decide the same when they are asked twice, and change nothing by deciding', () => {
    const property = fc.property(arbitraryIntents, fc.constantFrom(...intents), (wishes, intent) => {
      const last = historyOf(wishes).at(-1) ?? emptyAggregate;
      const before = JSON.stringify(storeAggregate(last));
      expect(decide(last, intent)).toEqual(decide(last, intent));
      expect(JSON.stringify(storeAggregate(last))).toBe(before);
    });
    fc.assert(property, { seed: SEED, numRuns: 200 });
  });

  test('accept one action a question, whatever is submitted', () => {
    const property = fc.property(arbitraryIntents, (wishes) => {
      const accepted: string[] = [];
      let now = emptyAggregate;
      for (const intent of wishes)
        for (const fact of written(now, decide(now, aimed(now, intent)).facts)) {
          if (fact.type === 'TASK_ACTION_ACCEPTED') accepted.push(fact.payload.suspendId);
          now = fold(now, fact);
        }
      expect(accepted).toEqual([...new Set(accepted)]);
    });
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });

  test('are closed by a late answer that finds the deadline passed', () => {
    const [, asked] = historyOf([{ type: 'report.suspended', payload: question('a', '2026-01-01T12:00:00Z') }]);
    const late = { type: 'action.submit', suspendId: 'a', clientActionId: 'c', actionType: 'keep', at: '2026-01-01T12:00:00Z' } as const;
    expect(decide(asked ?? emptyAggregate, late)).toEqual({
      facts: [{ type: 'TASK_SUSPENSION_CLOSED', payload: { suspendId: 'a', outcome: 'EXPIRED' } }],
      refusal: 'REJECTED_EXPIRED',
    });
  });

  test('begin at a snapshot where the log of the same task would have led', () => {
    const property = fc.property(arbitraryIntents, (wishes) => {
      for (const aggregate of historyOf(wishes)) {
        const begun = aggregateFromSnapshot(response(aggregate));
        expect(begun.task.value).toEqual(aggregate.task.value);
        expect(begun.task.context.progress).toEqual(aggregate.task.context.progress);
        expect(begun.lastEventId).toBe(aggregate.lastEventId);
        expect(openSuspensions(begun)).toEqual(openSuspensions(aggregate));
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 100 });
  });
});
