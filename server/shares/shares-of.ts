import { attemptState, type ExecutionRecord } from '../attempt/execution-record.ts';
import { shareNames, type Shares } from '../ports/owners.ts';

/** An owner who has nothing. */
export const noShares: Shares = { active: 0, waiting: 0, questions: 0, tasks: 0, bytes: 0 };

/** What one task adds to what its owner has. Work of a task that is over counts neither as active nor as waiting. */
export function sharesOf(execution: ExecutionRecord): Shares {
  const { bytes, asked } = execution;
  const state = attemptState(execution);
  const isOver = state === 'ended' || state === 'released';
  const isWanted = execution.attempt.hasTag('claimable');
  return {
    active: isOver || isWanted ? 0 : 1,
    waiting: !isOver && isWanted ? 1 : 0,
    questions: Object.keys(asked).length,
    tasks: 1,
    bytes: bytes.saved + bytes.others,
  };
}

/** What a task adds after a commit less than before it; nothing where the commit touched none of what is counted. */
export function changeBetween(before: ExecutionRecord, after: ExecutionRecord): Partial<Shares> {
  const isSame =
    after.attempt === before.attempt && after.asked === before.asked && after.bytes === before.bytes && after.endedAt === before.endedAt;
  return isSame ? {} : changeOf(sharesOf(before), sharesOf(after));
}

/** What has to be added to `before`, so that it becomes `after`; only what is not 0. */
export function changeOf(before: Shares, after: Shares): Partial<Shares> {
  const by: Partial<Record<keyof Shares, number>> = {};
  for (const share of shareNames) if (after[share] !== before[share]) by[share] = after[share] - before[share];
  return by;
}

/** Shares and what is added to them; never below 0. */
export function added(shares: Shares, by: Partial<Shares>): Shares {
  const sum = { ...shares };
  for (const share of shareNames) sum[share] = Math.max(0, shares[share] + (by[share] ?? 0));
  return sum;
}

/** Two changes as one. */
export function sumOf(one: Partial<Shares>, other: Partial<Shares>): Partial<Shares> {
  const sum: Partial<Record<keyof Shares, number>> = { ...one };
  for (const [share, count] of Object.entries(other) as [keyof Shares, number][]) sum[share] = (sum[share] ?? 0) + count;
  return sum;
}
