import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, emptyAggregate, fold, isTerminal, restoreAggregate, storeAggregate, type Aggregate } from '../../machines/index.ts';
import { eventId, factTypes, isTerminalType, type UnknownFact } from '../../machines/wire/index.ts';
import { arbitraryIntents, historyOf, intents } from './history.ts';

/** JSON that sometimes has the fields that charts look at, with values of any kind. */
const odd = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      suspendId: fc.oneof(fc.constantFrom('a', 'b', '__proto__'), fc.jsonValue()),
      progress: fc.oneof(fc.double(), fc.jsonValue()),
      outcome: fc.oneof(fc.constantFrom('EXPIRED', 'ELSEWHERE'), fc.jsonValue()),
      allowedActions: fc.jsonValue(),
      expiresAt: fc.oneof(fc.constant(null), fc.jsonValue()),
      reason: fc.jsonValue(),
      message: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
);

const oddFact = fc.record({ type: fc.constantFrom(...factTypes, 'TASK_RENAMED'), payload: odd }).map(({ type, payload }): UnknownFact => ({
  // A type of another version, or a known one with an odd payload.
  type: type as UnknownFact['type'],
  // What another server wrote, whatever it is.
  payload: payload as UnknownFact['payload'],
  taskId: 't',
  eventId: eventId(50, 1),
  createdAt: 'whenever',
}));

function foldAll(from: Aggregate, facts: readonly UnknownFact[]): Aggregate {
  return facts.reduce<Aggregate>(fold, from);
}

describe('a log with odd payloads', () => {
  test.each(factTypes)('folds whatever payload comes with %s', (type) => {
    const property = fc.property(arbitraryIntents, odd, (wishes, payload) => {
      const before = historyOf(wishes).at(-1) ?? emptyAggregate;
      const fact = { type, payload, taskId: 't', eventId: eventId(99, 1), createdAt: 'whenever' } as unknown as UnknownFact;
      const after = fold(before, fact);
      expect(after.lastEventId).toBe('99-1');
      if (isTerminalType(type)) expect(isTerminal(after.task)).toBe(true);
    });
    fc.assert(property, { seed: 20_260_104, numRuns: 100 });
  });

  test('folds to something that can be stored and that further facts can be folded on', () => {
    const property = fc.property(fc.array(oddFact, { maxLength: 30 }), (facts) => {
      const aggregate = foldAll(emptyAggregate, facts);
      const stored = storeAggregate(aggregate);
      const restored = restoreAggregate(JSON.parse(JSON.stringify(stored)) as typeof stored);
      expect(restored.task.value).toEqual(aggregate.task.value);
    });
    fc.assert(property, { seed: 20_260_105, numRuns: 500 });
  });

  test('leaves a task of which every wish can still be decided', () => {
    const property = fc.property(fc.array(oddFact, { maxLength: 10 }), odd, (facts, oddQuestion) => {
      const asked = oddQuestion !== null && typeof oddQuestion === 'object' ? { ...oddQuestion, suspendId: 'a' } : { suspendId: 'a' };
      const fact = {
        type: 'TASK_SUSPENDED' as UnknownFact['type'],
        payload: asked,
        taskId: 't',
        eventId: eventId(1, 1),
        createdAt: 'whenever',
      };
      const aggregate = foldAll(emptyAggregate, [fact, ...facts]);
      for (const intent of intents) expect(() => decide(aggregate, intent)).not.toThrow();
    });
    // A deadline that nothing can turn into text: found when the alphabet grew, and kept.
    fc.assert(property, { seed: 20_260_107, numRuns: 200, examples: [[[], { expiresAt: { toString: null } }]] });
  });

  test('keeps what it knew when a fact of a type that it does not know comes', () => {
    const unknown: UnknownFact = {
      type: 'TASK_RENAMED' as UnknownFact['type'],
      payload: {},
      taskId: 't',
      eventId: eventId(9, 1),
      createdAt: 'whenever',
    };
    expect(fold(emptyAggregate, unknown)).toEqual({ ...emptyAggregate, lastEventId: '9-1' });
  });

  test('takes no fact after the end', () => {
    const end: UnknownFact = {
      type: 'TASK_FAILED' as UnknownFact['type'],
      payload: {},
      taskId: 't',
      eventId: eventId(1, 1),
      createdAt: 'whenever',
    };
    const ended = fold(emptyAggregate, end);
    const property = fc.property(fc.array(oddFact), (facts) => {
      expect({ ...foldAll(ended, facts), lastEventId: ended.lastEventId }).toEqual(ended);
    });
    fc.assert(property, { seed: 20_260_106, numRuns: 50 });
  });
});
