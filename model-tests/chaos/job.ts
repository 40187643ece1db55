import type { SeededRandom } from '../support/seeded-random.ts';

/** A question of a job: before which step it is asked; several of one step are open at once. */
export interface JobQuestion {
  readonly step: number;
  readonly key: string;
  /** 0 for no deadline. */
  readonly expiresInMs: number;
}

/** What a task of the run does. */
export interface JobInput {
  readonly steps: number;
  readonly paceMs: number;
  readonly asks: readonly JobQuestion[];
  /** `wait`: works on until somebody cancels it. */
  readonly end: 'complete' | 'fail' | 'wait';
  /** May it be run again after its host has ended? */
  readonly repeatable: boolean;
}

/** Draws a job; `onceShare` of them may not be repeated. */
export function generateJob(random: SeededRandom, onceShare = 0): JobInput {
  const steps = random.between(5, 40);
  const asks = Array.from({ length: random.pick([0, 1, 1, 2, 3]) }, (_question, nth) => ({
    // Now and then two before the same step.
    step: nth > 0 && random.odds(0.3) ? 1 : random.between(1, steps),
    key: `q${nth + 1}`,
    expiresInMs: random.odds(0.4) ? random.between(500, 6000) : 0,
  }));
  return {
    steps,
    paceMs: random.between(10, 120),
    asks,
    end: random.pick(['complete', 'complete', 'complete', 'complete', 'fail', 'wait']),
    repeatable: !random.odds(onceShare),
  };
}
