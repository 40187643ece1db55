import { expect, test, vi } from 'vitest';
import { NodeLease } from '../../server/attempt/node-lease.ts';
import type { Renewal } from '../../server/ports/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { turns } from '../support/eventually.ts';

const LEASE_MS = 30_000;

type Answer = (node: string, confirmed: number, beat: number) => Promise<readonly Renewal[]>;

const outcomes =
  (...list: Renewal['outcome'][]): Answer =>
  async () =>
    list.map((outcome, i) => ({ bucket: `0${i}`, outcome }));
const never: Answer = () => new Promise(() => undefined);

function stage(first: Answer = outcomes('renewed', 'renewed')) {
  const clock = fakeClock();
  let blockedMs = 0;
  let answer = first;
  const asked: { confirmed: number; beat: number }[] = [];
  const dropped: unknown[] = [];
  const told: string[] = [];
  const logger = { warn: vi.fn(), error: vi.fn() };
  const tell = (what: string) => (buckets: ReadonlySet<string>) => void told.push(`${what} ${[...buckets].join()}`);
  const lease = new NodeLease({
    store: {
      renew(node, confirmed, beat) {
        asked.push({ confirmed, beat });
        return answer(node, confirmed, beat);
      },
      async dropLease(row) {
        dropped.push(row);
        return true;
      },
    },
    clock: { ...clock, now: () => clock.now() + blockedMs },
    logger,
    nodeId: 'self',
    leaseMs: LEASE_MS,
    onSilent: tell('silent'),
    onAnswered: tell('answered'),
    onReset: tell('reset'),
  });
  return {
    clock,
    lease,
    asked,
    told,
    dropped,
    logger,
    setAnswer: (next: Answer) => (answer = next),
    /** From now on all timers are late by so much. */
    block: (ms: number) => (blockedMs += ms),
    /** Lets so much time pass, timer by timer. */
    async pass(ms: number) {
      const until = clock.now() + ms;
      await turns(3);
      while ((clock.next ?? Infinity) + clock.now() <= until) {
        clock.advance(clock.next ?? 0);
        await turns(3);
      }
      clock.advance(until - clock.now());
      await turns(3);
    },
  };
}

test('renews three times in a lease, with a beat that never repeats and what was confirmed', async () => {
  const of = stage();
  of.lease.start();
  await of.pass(LEASE_MS);
  expect(of.asked).toEqual([0, 1, 2, 3].map((confirmed) => ({ confirmed, beat: confirmed + 1 })));
  expect(of.told).toEqual([]);
});

test('confirms only what was answered in every bucket', async () => {
  const of = stage(outcomes('renewed', 'unanswered'));
  of.lease.start();
  await of.pass(0);
  of.setAnswer(outcomes('renewed', 'renewed'));
  await of.pass(20_000);
  expect(of.asked.map(({ confirmed }) => confirmed)).toEqual([0, 0, 2]);
});

test('tells of a bucket that was silent for a lease and a sixth, and not of the other', async () => {
  const of = stage();
  of.lease.start();
  await of.pass(5000);
  of.setAnswer(outcomes('renewed', 'unanswered'));
  await of.pass(24_999);
  expect(of.told).toEqual([]);
  // The one that comes when the lease is over is asked twice.
  const before = of.asked.length;
  await of.pass(1);
  expect(of.asked.length - before).toBe(2);
  expect(of.told).toEqual(['silent 01']);
  of.setAnswer(outcomes('renewed', 'renewed'));
  await of.pass(10_000);
  expect(of.told).toEqual(['silent 01', 'answered 01']);
});

test('tries once more, for a bounded time, where the store does not answer at all', async () => {
  const of = stage();
  of.lease.start();
  await of.pass(1);
  of.setAnswer(never);
  await of.pass(LEASE_MS + LEASE_MS / 6 - 2);
  expect(of.told).toEqual([]);
  await of.pass(LEASE_MS);
  expect(of.told).toEqual(['silent 00,01']);
  expect(of.logger.warn).toHaveBeenCalledTimes(1);
});

test('takes an answer that comes late for one, from when it was asked for', async () => {
  const of = stage();
  of.lease.start();
  await of.pass(0);
  const waiting: (() => void)[] = [];
  // Each answer takes longer than a third of a lease.
  of.setAnswer((...ask) => new Promise((resolve) => waiting.push(() => resolve(outcomes('renewed', 'renewed')(...ask)))));
  for (let round = 0; round < 20; round += 1) {
    await of.pass(11_000);
    for (const answer of waiting.splice(0, waiting.length - 1)) answer();
  }
  expect(of.told).toEqual([]);
});

test('judges nothing by a loop that was blocked for many leases: it renews first', async () => {
  const of = stage();
  of.lease.start();
  await of.pass(0);
  // Its timer comes as late as that.
  of.block(20 * LEASE_MS);
  await of.pass(10_000);
  expect(of.told).toEqual([]);
  expect(of.logger.warn).toHaveBeenCalledWith(expect.stringContaining('stood still'), expect.objectContaining({ nodeId: 'self' }));
});

test('tells of buckets that have lost its row', async () => {
  const of = stage();
  of.lease.start();
  await of.pass(0);
  of.setAnswer(outcomes('reset', 'renewed'));
  await of.pass(10_000);
  expect(of.told).toEqual(['reset 00']);
});

test('drops its rows at the end, where it is known what they are', async () => {
  const of = stage();
  of.lease.start();
  await of.pass(10_000);
  await of.lease.close();
  expect(of.dropped).toEqual(['00', '01'].map((bucket) => ({ bucket, node: 'self', beat: 2 })));
  await of.pass(LEASE_MS);
  expect(of.asked).toHaveLength(2);
});

test('is silent everywhere where the store never answered', async () => {
  const of = stage(never);
  of.lease.start();
  await of.pass(2 * LEASE_MS);
  expect(of.told).toEqual(['silent ']);
  of.setAnswer(outcomes('renewed', 'renewed'));
  await of.pass(10_000);
  expect(of.told).toEqual(['silent ', 'answered ']);
});
