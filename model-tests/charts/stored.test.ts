import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  emptyAggregate,
  NewerVersionError,
  openSuspensions,
  restoreAggregate,
  STORED_VERSION,
  stateOf,
  storeAggregate,
  type StoredAggregate,
} from '../../machines/index.ts';
import { question } from './alphabet.ts';
import { arbitraryIntents, historyOf } from './history.ts';

/** Heads as each release wrote them. A new one is added when the version rises; the old ones stay for ever. */
function golden(name: string): StoredAggregate {
  // Written by `storeAggregate` of its release.
  return JSON.parse(readFileSync(new URL(`golden/${name}.json`, import.meta.url), 'utf8')) as StoredAggregate;
}

describe('the stored form of a task', () => {
  test('comes back equal, through JSON, from any history', () => {
    const property = fc.property(arbitraryIntents, (wishes) => {
      const aggregate = historyOf(wishes).at(-1) ?? emptyAggregate;
      const stored = JSON.parse(JSON.stringify(storeAggregate(aggregate))) as StoredAggregate;
      const restored = restoreAggregate(stored);
      expect(storeAggregate(restored)).toEqual(storeAggregate(aggregate));
      expect(restored.task.value).toEqual(aggregate.task.value);
      expect(restored.task.status).toBe(aggregate.task.status);
      expect(openSuspensions(restored)).toEqual(openSuspensions(aggregate));
    });
    fc.assert(property, { seed: 20_260_103, numRuns: 200 });
  });

  test('of version 1 still loads', () => {
    const restored = restoreAggregate(golden('stored-v1'));
    expect(stateOf(restored.task)).toBe('suspended');
    expect(openSuspensions(restored)).toEqual([question('b', '2026-01-01T12:00:00Z')]);
    expect(restored.suspensions.get('a')?.value).toBe('resolved');
    expect(restored.lastEventId).toBe('5-1');
  });

  test('of version 1 is what this version writes, as long as it writes version 1', () => {
    expect(STORED_VERSION).toBe(1);
    expect(storeAggregate(restoreAggregate(golden('stored-v1')))).toEqual(golden('stored-v1'));
  });

  test('of a newer version is refused, in either half', () => {
    const stored = golden('stored-v1');
    const newer = { ...stored, task: { ...stored.task, v: STORED_VERSION + 1 } };
    const newerQuestion = { ...stored, suspensions: { a: { v: STORED_VERSION + 1, state: 'open', context: { question: null } } } };
    expect(() => restoreAggregate(newer)).toThrow(NewerVersionError);
    expect(() => restoreAggregate(newerQuestion)).toThrow(NewerVersionError);
  });

  test('with a state that the chart does not have throws instead of guessing', () => {
    const stored = golden('stored-v1');
    expect(() => restoreAggregate({ ...stored, task: { ...stored.task, state: 'paused' as 'running' } })).toThrow();
  });

  test('of a head stays within 8 KiB when everything in it is as large as it may be', () => {
    const id = (n: number) => `${n}`.padEnd(256, 'x');
    const note = 'n'.repeat(1024);
    const { task } =
      historyOf([
        { type: 'report.progress', payload: { progress: 99.5, stage: 's'.repeat(256), message: note } },
        ...Array.from({ length: 16 }, (_, n) => ({ type: 'report.suspended', payload: question(id(n)) }) as const),
      ]).at(-1) ?? emptyAggregate;
    expect(JSON.stringify(task.context).length).toBeLessThan(8 * 1024);
  });
});
