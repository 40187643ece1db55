import type { Fact, UnknownFact } from 'taskbridge/wire';
import { expect } from 'vitest';

/** What a client saw, or what the store has. */
export type Log = readonly (Fact | UnknownFact)[];

/** Proves that a log is whole: its ids are dense from 1, and each step of the counting was reported once and in order. */
export function proveWhole(log: Log, steps: number): void {
  expect(log.map(({ eventId }) => Number.parseInt(eventId, 10))).toEqual(log.map((_, i) => i + 1));
  expect(stepsOf(log)).toEqual(Array.from({ length: steps }, (_, i) => `step ${i + 1}`));
  for (const type of ['TASK_STARTED', 'TASK_COMPLETED']) expect(log.filter((fact) => fact.type === type)).toHaveLength(1);
  expect(log.at(-1)?.type).toBe('TASK_COMPLETED');
}

/** The steps that a log reports, in its order. */
export function stepsOf(log: Log): unknown[] {
  return log.flatMap(({ type, payload }) => (type === 'TASK_PROGRESS' ? [(payload as { stage?: unknown }).stage] : []));
}
