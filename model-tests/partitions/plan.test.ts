import { describe, expect, it } from 'vitest';
import { seededRandom } from '../support/seeded-random.ts';
import { cutKinds, planCuts } from './cuts.ts';

const DOWN_AFTER_MS = 2000;
const plan = (seed: number, times = 30) => planCuts(seededRandom(seed), times, cutKinds, DOWN_AFTER_MS);

describe('a plan of cuts', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(plan(7)).toEqual(plan(7));
    expect(plan(8)).not.toEqual(plan(7));
  });

  it('has each kind as often as it was asked for, in an order of chance', () => {
    for (const kind of cutKinds) expect(plan(1).filter((cut) => cut.kind === kind)).toHaveLength(30);
    expect(
      plan(1)
        .slice(0, 30)
        .every(({ kind }, _, [first]) => kind === first?.kind),
    ).toBe(false);
  });

  it('leaves most masters for longer than they are taken for down, and heals the others before', () => {
    const splits = plan(1).filter(({ kind }) => kind === 'master | replica');
    expect(splits.filter(({ lastsMs }) => lastsMs >= DOWN_AFTER_MS * 2)).toHaveLength(20);
    expect(splits.filter(({ lastsMs }) => lastsMs <= DOWN_AFTER_MS / 2)).toHaveLength(10);
    // The first one is among them, so that the shortest run has a fail-over.
    expect(plan(5, 1).find(({ kind }) => kind === 'master | replica')?.lastsMs).toBeGreaterThanOrEqual(DOWN_AFTER_MS * 2);
    expect(new Set(splits.map(({ sides }) => sides.join()))).toHaveProperty('size', 9);
  });

  it('has nodes with dates that differ, and cuts of one way', () => {
    expect(plan(1).every(({ datesOffMs: [one, other] }) => one !== other)).toBe(true);
    expect(plan(1).filter(({ way }) => way === 'one way').length).toBeGreaterThan(10);
  });
});
