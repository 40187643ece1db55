import { shuffled } from '../chaos/faults.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { CutWay } from './namespace-network.ts';

/** Between whom the wire is cut. */
export const cutKinds = ['node | Redis', 'node | node', 'client | node', 'master | replica'] as const;
/** One of them. */
export type CutKind = (typeof cutKinds)[number];

/** Where a node is while master and replica do not see each other. */
export type NodeSide = 'both' | 'master' | 'replica';

/** One cut of the plan. */
export interface PlannedCut {
  readonly kind: CutKind;
  /** After the one before it has healed. */
  readonly afterMs: number;
  readonly lastsMs: number;
  readonly way: CutWay;
  /** Which node. */
  readonly node: 0 | 1;
  /** Where the nodes are, for `master | replica`. */
  readonly sides: readonly [NodeSide, NodeSide];
  /** How far the dates of the nodes are off from now on, in milliseconds. */
  readonly datesOffMs: readonly [number, number];
}

/** A node's date is off by so much at most. */
const DATE_OFF_MS_MAX = 600_000;

/** Draws each kind so many times, in any order, at moments of chance: the same seed, the same plan. */
export function planCuts(random: SeededRandom, times: number, kinds: readonly CutKind[], downAfterMs: number): PlannedCut[] {
  const all = kinds.flatMap((kind) => Array.from({ length: times }, (_, nth) => ({ kind, nth })));
  return shuffled(random, all).map(({ kind, nth }) => ({
    kind,
    afterMs: random.between(300, 2500),
    // Every third master is back before anybody takes it for down; the others are given up.
    lastsMs:
      kind === 'master | replica'
        ? nth % 3 === 2
          ? random.between(100, downAfterMs / 2)
          : random.between(downAfterMs * 2, downAfterMs * 4)
        : random.between(200, 6000),
    way: random.odds(0.3) && kind !== 'master | replica' ? 'one way' : 'both ways',
    node: random.odds(0.5) ? 0 : 1,
    sides: [random.pick(['both', 'master', 'replica']), random.pick(['both', 'master', 'replica'])],
    datesOffMs: [random.between(-DATE_OFF_MS_MAX, DATE_OFF_MS_MAX), random.between(-DATE_OFF_MS_MAX, DATE_OFF_MS_MAX)],
  }));
}
