import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attackNames, slowAttacks } from './attacks.ts';
import { startAttackRun, type AttackReport, type AttackRun } from './attack-run.ts';
import { patience } from '../../support/patience.ts';

/** Ends what is slow after a few seconds, and nobody who is only kept from his turn. */
const times = { headersTimeoutMs: patience(3000), requestTimeoutMs: patience(4000), subscribeMs: patience(2000), drainMs: 1000 };
const MIB = 1024 * 1024;

let run: AttackRun;
beforeAll(async () => void (run = await startAttackRun(times)));
afterAll(() => run.close());

/** Whatever the attack: the others are served, nothing is left of it, and nothing has grown. */
function expectUnharmed({ under, before, peak, after }: AttackReport): void {
  expect(under.faults).toEqual([]);
  expect(Math.min(under.calls.count, under.facts.count)).toBeGreaterThan(0);
  expect(after.connections).toBeLessThanOrEqual(before.connections);
  expect(after.viewers).toBe(before.viewers);
  expect(after.isPolluted).toBe(false);
  expect(peak.rssBytes - before.rssBytes).toBeLessThan(400 * MIB);
  // A timer a connection would show.
  expect(after.timers - before.timers).toBeLessThan(20);
}

const AMOUNT = 50;
const over = (tallies: AttackReport['tallies']) => slowAttacks.map((name) => [name, tallies[name]?.ended ?? 0] as const);

describe('a host that is attacked', () => {
  it('by all that is slow at once ends it by itself, and serves the others', { timeout: patience(180_000) }, async () => {
    const report = await run.attack(slowAttacks, {
      amount: AMOUNT,
      forMs: patience(1000),
      until: (tallies) => over(tallies).every(([, count]) => count === AMOUNT),
      atMostMs: patience(60_000),
    });
    expect(over(report.tallies)).toEqual(slowAttacks.map((name) => [name, AMOUNT]));
    expectUnharmed(report);
  });

  it('by floods and crowds serves the others, and keeps nothing of them', { timeout: patience(180_000) }, async () => {
    const others = attackNames.filter((name) => !slowAttacks.includes(name));
    const amount = 5;
    const report = await run.attack(others, {
      amount,
      forMs: patience(3000),
      until: (tallies) => others.every((name) => (tallies[name]?.opened ?? 0) >= amount),
      atMostMs: patience(60_000),
    });
    expectUnharmed(report);
    expect(others.filter((name) => (report.tallies[name]?.opened ?? 0) < amount)).toEqual([]);
  });
});
