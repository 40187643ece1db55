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

  test('of version 2 still loads', () => {
    const restored = restoreAggregate(golden('stored-v2'));
    expect(stateOf(restored.task)).toBe('suspended');
    expect(restored.task.context.openParts).toEqual([{ opened: 4, name: 'notes', kind: 'jsonl' }]);
    expect(restored.task.context.partCount).toBe(2);
    expect(restored.suspensions.get('a')?.value).toBe('open');
  });

  test.each(['stored-v1', 'stored-v2'])('%s is what this version writes, to the byte: version 1 as long as no part was opened', (name) => {
    expect(STORED_VERSION).toBe(2);
    const text = JSON.stringify(golden(name));
    expect(JSON.stringify(storeAggregate(restoreAggregate(golden(name))))).toBe(text);
  });

  test('is of version 2 from the first part on, open or closed', () => {
    const versions = historyOf([
      { type: 'report.started', payload: {} },
      { type: 'report.part.opened', payload: { name: 'answer', kind: 'text' } },
      { type: 'report.part.closed', payload: { part: 2, bytes: 0, outcome: 'DONE' } },
      { type: 'report.suspended', payload: question('a') },
    ]).map((aggregate) => storeAggregate(aggregate));
    expect(versions.map(({ task: { v } }) => v)).toEqual([1, 1, 2, 2, 2]);
    // A question is what it was, whatever its task has.
    expect(versions.at(-1)?.suspensions['a']?.v).toBe(1);
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

  test('of a head with parts stays within 13 KiB when everything in it is as large as it may be', () => {
    const id = (n: number) => `${n}`.padEnd(256, 'x');
    const note = 'n'.repeat(1024);
    const { task } =
      historyOf([
        { type: 'report.progress', payload: { progress: 99.5, stage: 's'.repeat(256), message: note } },
        ...Array.from({ length: 16 }, (_, n) => ({ type: 'report.suspended', payload: question(id(n)) }) as const),
        ...Array.from({ length: 16 }, (_, n) => ({ type: 'report.part.opened', payload: { name: id(n), kind: 'tool-input' } }) as const),
      ]).at(-1) ?? emptyAggregate;
    expect(task.context.openParts).toHaveLength(16);
    expect(JSON.stringify(task.context).length).toBeLessThan(13 * 1024);
  });
});
