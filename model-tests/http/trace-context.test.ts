import { describe, expect, test } from 'vitest';
import { traceContextOf } from '../../server/http/trace-context.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const stateOf = (tracestate: string): string | undefined => traceContextOf({ traceparent: TRACEPARENT, tracestate })?.tracestate;

describe('the trace of a request', () => {
  test.each([
    [TRACEPARENT, TRACEPARENT],
    [TRACEPARENT.replace(/01$/, '00'), TRACEPARENT.replace(/01$/, '00')],
    // Of the flags one is known.
    [TRACEPARENT.replace(/01$/, 'ff'), TRACEPARENT],
    [TRACEPARENT.replace(/01$/, '02'), TRACEPARENT.replace(/01$/, '00')],
    // A later version begins as this one does.
    [`cc${TRACEPARENT.slice(2)}`, TRACEPARENT],
    [`cc${TRACEPARENT.slice(2)}-what-comes-then`, TRACEPARENT],
    [` ${TRACEPARENT} `, TRACEPARENT],
  ])('is read from %j', (traceparent, read) => expect(traceContextOf({ traceparent })).toEqual({ traceparent: read }));

  test.each([
    undefined,
    '',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    `${TRACEPARENT}-more`,
    `${TRACEPARENT}.`,
    `cc${TRACEPARENT.slice(2)}.more`,
    TRACEPARENT.toUpperCase(),
    TRACEPARENT.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
    TRACEPARENT.replace('b7ad6b7169203331', '0'.repeat(16)),
    TRACEPARENT.slice(0, -1),
    `0${TRACEPARENT}`,
    // Of two headers Node makes one.
    `${TRACEPARENT}, ${TRACEPARENT}`,
    `cc${TRACEPARENT.slice(2)}-${'x'.repeat(256)}`,
  ])('is none in %j', (traceparent) => expect(traceContextOf({ ...(traceparent !== undefined && { traceparent }) })).toBeUndefined());

  test.each([
    ['vendor=1', 'vendor=1'],
    ['a=1, b=2 ,, c=3', 'a=1,b=2,c=3'],
    ['tenant@vendor=x', 'tenant@vendor=x'],
    [Array.from({ length: 32 }, (_, n) => `k${n}=v`).join(), Array.from({ length: 32 }, (_, n) => `k${n}=v`).join()],
    ['', undefined],
    ['a', undefined],
    ['a=', undefined],
    ['A=1', undefined],
    ['a=1,a=2', undefined],
    ['a=b=c', undefined],
    ['a=ü', undefined],
    [`a=${'x'.repeat(257)}`, undefined],
    [Array.from({ length: 33 }, (_, n) => `k${n}=v`).join(), undefined],
    [Array.from({ length: 30 }, (_, n) => `k${n}=${'v'.repeat(20)}`).join(), undefined],
  ])('has of %j the state %j, and stands without one', (given, read) => expect(stateOf(given)).toBe(read));

  test('has no state without a parent', () => expect(traceContextOf({ tracestate: 'a=1' })).toBeUndefined());
});
