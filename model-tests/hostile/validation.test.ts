import { createTaskRequest, type Json } from 'taskbridge/wire';
import { TaskBridgeError } from 'taskbridge/server';
import { expect, it } from 'vitest';
import { validate } from '../../server/http/validation.ts';

/** What was refused, and how often each number was looked at meanwhile. */
function refusalOf(levels: number, numbers: number, fault: Json) {
  let looks = 0;
  const bottom = new Proxy([...Array.from({ length: numbers }, () => 1), fault], {
    get(target, key, receiver): unknown {
      looks += 1;
      return Reflect.get(target, key, receiver);
    },
  });
  let input: object = { bottom };
  for (let level = 2; level < levels; level += 1) input = { deeper: input };
  try {
    validate(createTaskRequest, { clientRequestId: 'r', taskType: 't', input });
    throw new Error('It was taken.');
  } catch (error) {
    if (!(error instanceof TaskBridgeError)) throw error;
    return { details: error.details, looksEach: looks / numbers };
  }
}

it('finds where a fault is by looking at each value a few times, however deep it lies', () => {
  const { details, looksEach } = refusalOf(60, 2000, '\ud800');
  expect(details).toMatchObject({ errors: [{ reason: 'has a lone surrogate, which no encoder can carry' }] });
  expect(looksEach).toBeLessThan(5);
});

it('says the path to a value and to a name', () => {
  expect(refusalOf(3, 1, '\ud800').details).toMatchObject({ errors: [{ path: 'input.deeper.bottom.1' }] });
  expect(refusalOf(3, 1, { ['a\ud800']: 1 }).details).toMatchObject({ errors: [{ path: 'input.deeper.bottom.1.a\ud800' }] });
});
