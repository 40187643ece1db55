import { describe, expect, test } from 'vitest';
import { DatedLeases } from '../../server/attempt/dated-leases.ts';
import { LeaseMonitor } from '../../server/attempt/lease-monitor.ts';
import type { Lease } from '../../server/ports/index.ts';

const LEASE_MS = 30_000;
const EVERY_MS = LEASE_MS / 6;

const row = (beat: number, node = 'other', bucket = ''): Lease => ({ bucket, node, beat });
const monitor = (exclusive = false) => new LeaseMonitor({ nodeId: 'self', leaseMs: LEASE_MS, exclusive });

/** Looks at these times, each answered at once with the same rows; gives when the first lease was over. */
function firstOver(of: LeaseMonitor, times: readonly number[], rows: (at: number) => readonly Lease[]): number | undefined {
  return times.find((at) => of.look(rows(at), { asked: at, answered: at }).length > 0);
}

/** Every `EVERY_MS` from 0 on. */
const looks = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i * EVERY_MS);

describe('the lease of another node', () => {
  test('is over when it was seen unchanged for its whole length, and not a look before', () => {
    expect(firstOver(monitor(), looks(20), () => [row(7)])).toBe(LEASE_MS);
  });

  test('is not over as long as its beat moves, however slowly', () => {
    expect(firstOver(monitor(), looks(100), (at) => [row(Math.floor(at / (LEASE_MS - EVERY_MS)))])).toBeUndefined();
  });

  test('counts from the answer of the first look to the question of the last: a slow answer makes nobody old', () => {
    const of = monitor();
    of.look([row(1)], { asked: 0, answered: 4000 });
    for (const at of looks(5, EVERY_MS)) expect(of.look([row(1)], { asked: at, answered: at + 4000 })).toEqual([]);
    expect(of.look([row(1)], { asked: LEASE_MS, answered: LEASE_MS + 4000 })).toEqual([]);
    expect(of.look([row(1)], { asked: LEASE_MS + 4000, answered: LEASE_MS + 8000 })).toEqual([
      { lease: row(1), silentMs: LEASE_MS + 4000 },
    ]);
  });

  test('begins anew after a look that came later than half of it: this node’s own loop was blocked', () => {
    const before = looks(6);
    expect(firstOver(monitor(), [...before, 25_000 + LEASE_MS / 2], () => [row(1)])).toBe(25_000 + LEASE_MS / 2);
    const late = 25_001 + LEASE_MS / 2;
    expect(firstOver(monitor(), [...before, late, ...looks(20, late + EVERY_MS)], () => [row(1)])).toBe(late + LEASE_MS);
  });

  test('begins anew after a blocked loop of many of its lengths', () => {
    const late = 10 * LEASE_MS;
    expect(firstOver(monitor(), [0, late, ...looks(20, late + EVERY_MS)], () => [row(1)])).toBe(late + LEASE_MS);
  });

  test('begins anew after a look without an answer: the store was away, and nobody could renew', () => {
    const of = monitor();
    expect(firstOver(of, looks(6), () => [row(1)])).toBeUndefined();
    of.miss();
    expect(firstOver(of, looks(20, LEASE_MS), () => [row(1)])).toBe(2 * LEASE_MS);
  });

  test('is forgotten with its row, and begins anew where that comes back', () => {
    const of = monitor();
    expect(firstOver(of, looks(6), () => [row(1)])).toBeUndefined();
    expect(of.look([], { asked: LEASE_MS, answered: LEASE_MS })).toEqual([]);
    expect(firstOver(of, looks(20, LEASE_MS + EVERY_MS), () => [row(1)])).toBe(2 * LEASE_MS + EVERY_MS);
  });

  test('is not over any more when its node comes back', () => {
    const of = monitor();
    expect(firstOver(of, looks(8), () => [row(1)])).toBe(LEASE_MS);
    expect(of.overLease('ab', 'other')?.lease).toEqual(row(1));
    expect(of.look([row(2)], { asked: 36_000, answered: 36_000 })).toEqual([]);
    expect(of.overLease('ab', 'other')).toBeUndefined();
  });

  test('is judged bucket by bucket, and by the bucket of the task', () => {
    const of = monitor();
    for (const at of looks(7)) of.look([row(1, 'other', 'ab'), row(at, 'other', 'cd')], { asked: at, answered: at });
    expect(of.overLease(`ab${'0'.repeat(30)}`, 'other')?.lease).toEqual(row(1, 'other', 'ab'));
    expect(of.overLease(`cd${'0'.repeat(30)}`, 'other')).toBeUndefined();
    expect(of.overLease(`ef${'0'.repeat(30)}`, 'other')).toBeUndefined();
  });

  test('is over at the first look where the store belongs to this process', () => {
    expect(monitor(true).look([row(0), row(0, 'self')], { asked: 5, answered: 6 })).toEqual([{ lease: row(0), silentMs: undefined }]);
  });
});

test('a node does not judge itself by looking', () => {
  expect(firstOver(monitor(), looks(20), () => [row(1, 'self')])).toBeUndefined();
});

describe('a lease of a date', () => {
  const leases = () => new DatedLeases(LEASE_MS);

  test('is over when its date has passed and it was then seen unchanged for its length', () => {
    const of = leases();
    expect(of.isOver('t', 1000, { now: 999, monotonic: 0 })).toBe(false);
    expect(of.isOver('t', 1000, { now: 1000, monotonic: 1 })).toBe(false);
    expect(of.isOver('t', 1000, { now: 1000, monotonic: LEASE_MS })).toBe(false);
    expect(of.isOver('t', 1000, { now: 1000, monotonic: LEASE_MS + 1 })).toBe(true);
  });

  test('is not ended by a clock that jumps', () => {
    const of = leases();
    expect(of.isOver('t', 1000, { now: 1_000_000_000, monotonic: 0 })).toBe(false);
    expect(of.isOver('t', 1_000_000_500, { now: 1_000_000_001, monotonic: LEASE_MS })).toBe(false);
    expect(of.isOver('t', 1_000_000_500, { now: 2_000_000_000, monotonic: LEASE_MS + 1 })).toBe(false);
  });

  test('is looked at again by whoever has counted, though looks at what is due show it to others meanwhile', () => {
    const of = leases();
    of.isOver('t', 1000, { now: 1000, monotonic: 0 });
    expect(of.ripe(LEASE_MS - 1)).toEqual([]);
    expect(of.ripe(LEASE_MS)).toEqual(['t']);
    of.forget('t');
    expect(of.ripe(2 * LEASE_MS)).toEqual([]);
  });

  test('begins anew when it was renewed, and when the store was away', () => {
    const of = leases();
    expect(of.isOver('t', 1000, { now: 1000, monotonic: 0 })).toBe(false);
    expect(of.isOver('t', 2000, { now: 2000, monotonic: LEASE_MS })).toBe(false);
    of.miss();
    expect(of.isOver('t', 2000, { now: 2000, monotonic: 2 * LEASE_MS })).toBe(false);
    expect(of.isOver('t', 2000, { now: 2000, monotonic: 3 * LEASE_MS })).toBe(true);
  });
});
