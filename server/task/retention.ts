import type { ExecutionRecord } from '../attempt/execution-record.ts';

/** How much longer a log may grow for the sake of an open question. */
const QUESTION_FACTOR = 10;

/**
 * The first fact that the log has to keep. Trims in steps of a tenth, not one by one; stops at the oldest open question until the log is
 * ten times as long as it should be. Source: retention in the store's rules.
 */
export function firstRetained({ firstRetained: current, asked }: ExecutionRecord, lastN: number, factsMax: number): number {
  let oldestQuestion = Number.POSITIVE_INFINITY;
  for (const n of Object.values(asked)) oldestQuestion = Math.min(oldestQuestion, n);
  const wanted = Math.max(Math.min(lastN - factsMax + 1, oldestQuestion), lastN - factsMax * QUESTION_FACTOR + 1);
  const step = Math.max(1, Math.floor(factsMax / 10));
  return wanted - current >= step ? wanted : current;
}
