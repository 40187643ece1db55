import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareEventIds, eventId, eventNumber, isCursor, isStart, parseEventId } from '../../machines/wire/index.ts';

describe('event ids', () => {
  test.each([
    ['1-1', '2-1', -1],
    ['2-1', '10-1', -1],
    ['10-5', '9-9', 1],
    ['3-1', '3-1', 0],
    ['3-1', '3-2', -1],
    ['3', '4-0', -1],
    ['3', '3-0', 0],
    ['1790000000000-0', '1790000000000-1', -1],
    ['1790000000000-9', '1790000000001-0', -1],
    ['abc', 'abc', 0],
    ['abc', '1-1', undefined],
    ['1-1', 'hb-01ab', undefined],
    ['', '1-1', undefined],
    ['1-1-1', '1-1', undefined],
    ['-1', '1', undefined],
    ['1.5', '1', undefined],
    ['1e3', '1000', undefined],
    ['9007199254740992-0', '9007199254740993-0', -1],
    ['7-9007199254740992', '7-9007199254740993', -1],
    ['1795271585596000001-0', '1795271585596000002-0', -1],
    ['999999999999999999-5', '18446744073709551615-0', -1],
    ['007-01', '7-1', 0],
    ['0-0', '00', 0],
  ] as const)('%j against %j is %j', (a, b, expected) => {
    const found = compareEventIds(a, b);
    expect(found === undefined ? undefined : Math.sign(found)).toBe(expected);
    const back = compareEventIds(b, a);
    expect(back === undefined ? undefined : Math.sign(back) + Math.sign(found ?? 0)).toBe(expected === undefined ? undefined : 0);
  });

  test('count exactly from 2^53 on', () => {
    expect(eventNumber('9007199254740993-5')).toBe(9007199254740993n);
    expect(eventNumber('18446744073709551615')).toBe(18446744073709551615n);
    expect(eventNumber('12-x')).toBeUndefined();
  });

  test('that we issue are valid cursors, come apart as they were put together, and are ordered by n alone', () => {
    const n = fc.integer({ min: 1, max: 10 ** 12 });
    const ms = fc.integer({ min: 0, max: 10 ** 14 });
    const property = fc.property(n, ms, n, ms, (n1, ms1, n2, ms2) => {
      const [a, b] = [eventId(n1, ms1), eventId(n2, ms2)];
      expect(isCursor(a)).toBe(true);
      expect(parseEventId(a)).toEqual({ n: n1, ms: ms1 });
      if (n1 !== n2) expect(Math.sign(compareEventIds(a, b) ?? 0)).toBe(Math.sign(n1 - n2));
    });
    fc.assert(property, { seed: 20_260_108 });
  });

  // An id of ours is read without a pattern; what that does not know, the pattern does.
  test.each([
    ['007-042', { n: 7, ms: 42 }],
    ['999999999999999-999999999999999', { n: 999_999_999_999_999, ms: 999_999_999_999_999 }],
    ['9007199254740991-1', { n: 9_007_199_254_740_991, ms: 1 }],
    ['0000000000000000000007-1', { n: 7, ms: 1 }],
    ['18446744073709551615-0', { n: 2 ** 64, ms: 0 }],
    ['7', { n: 7, ms: 0 }],
    ['7-', undefined],
    ['-7', undefined],
    ['-', undefined],
    ['', undefined],
    ['7-1-2', undefined],
    ['7-1 ', undefined],
    ['7-a', undefined],
    ['a-7', undefined],
    ['7:1', undefined],
    ['7-/', undefined],
    ['٧-١', undefined],
    ['111111111111111111111-1', undefined],
  ])('%j splits into %j', (id, parts) => expect(parseEventId(id)).toEqual(parts));

  test.each(['1-0', '12-1790000000000', '1-1790000000000', '9999999999999999-9999999999999999', '', '0-0'])(
    '%j is a cursor that a server takes',
    (cursor) => expect(isCursor(cursor)).toBe(true),
  );

  test.each([
    '$',
    '+',
    '-',
    '(1-1',
    '*',
    '0',
    '3',
    '0-1',
    '01-1',
    '1-',
    '-1-1',
    '1-1 ',
    ' 1-1',
    '1-1\n',
    '1_1',
    '1-1-1',
    'null',
    '１-１',
    '12345678901234567-1',
  ])('%j is no cursor', (cursor) => expect(isCursor(cursor)).toBe(false));

  test.each([
    [undefined, true],
    [null, true],
    ['', true],
    ['0-0', true],
    ['1-0', false],
    ['0', false],
  ])('%j means from the start: %j', (cursor, expected) => expect(isStart(cursor)).toBe(expected));
});
