import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { presentable } from '../../server/attempt/presentable.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'é', '\uD83D', '\uDE00', '😀') });

test('half a character in what people read becomes the replacement character, and nothing else changes', () => {
  const payload = fc.record(
    { progress: fc.integer({ min: 0, max: 100 }), stage: text, message: text, other: text },
    { requiredKeys: ['progress'] },
  );
  const whole = (given: string | undefined) => given?.replaceAll(/\p{Surrogate}/gu, '\uFFFD');
  const property = fc.property(payload, (given) => {
    const before = structuredClone(given);
    const { payload: shown } = presentable({ type: 'report.progress', payload: given });
    expect(shown).toEqual({
      ...given,
      ...('stage' in given && { stage: whole(given.stage) }),
      ...('message' in given && { message: whole(given.message) }),
    });
    expect(Object.keys(shown)).toEqual(Object.keys(given));
    expect(given).toEqual(before);
  });
  fc.assert(property, { seed: 20_260_101, numRuns: 500 });
});

test('a result stays as it is, to be refused', () => {
  const intent = { type: 'report.completed', payload: { result: { message: '\uD83D' } } } as const;
  expect(presentable(intent)).toBe(intent);
});
