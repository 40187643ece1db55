import type { Fact } from 'taskbridge/wire';
import { expect, it, vi } from 'vitest';
import type { JobInput } from './job.ts';
import type { Creation } from './run-record.ts';
import { WorkRecord } from './work-record.ts';

const LEASE_MS = 1000;
const lost = { type: 'TASK_FAILED', payload: { code: 'WORK_LOST', message: 'gone', retryable: true } } as Fact;
const started = { type: 'TASK_STARTED' } as Fact;

/** Lets things happen at their milliseconds, and judges. */
function judged(
  steps: readonly (readonly [number, (work: WorkRecord) => void])[],
  log: readonly Fact[] = [],
  repeatable = false,
): string[] {
  const now = vi.spyOn(performance, 'now');
  try {
    const work = new WorkRecord();
    for (const [ms, step] of steps) {
      now.mockReturnValue(ms);
      step(work);
    }
    const creation = { taskIds: new Set(['a']), input: { repeatable } as JobInput } as Creation;
    return work.judge([creation], new Map([['a', log]]), LEASE_MS);
  } finally {
    now.mockRestore();
  }
}

const begin =
  (host: number, attempt = 1) =>
  (work: WorkRecord) =>
    work.heard(host, { began: 'a', attempt });
const over =
  (host: number, attempt = 1) =>
  (work: WorkRecord) =>
    work.heard(host, { over: 'a', attempt });
const gone = (host: number) => (work: WorkRecord) => work.gone(host);

it('finds work that runs twice at once for longer than a lease, and no other', () => {
  expect(
    judged([
      [0, begin(0)],
      [500, begin(1, 2)],
      [1501, over(0)],
      [9000, over(1, 2)],
    ]),
  ).toEqual(['a ran twice at once for 1001 ms']);
  expect(
    judged([
      [0, begin(0)],
      [500, begin(1, 2)],
      [1500, over(0)],
      [9000, over(1, 2)],
    ]),
  ).toEqual([]);
  expect(
    judged([
      [0, begin(0)],
      [500, gone(0)],
      [600, begin(1, 2)],
      [9000, over(1, 2)],
    ]),
  ).toEqual([]);
  expect(
    judged([
      [0, begin(0)],
      [500, begin(1, 2)],
    ]),
  ).toEqual(['a ran twice at once for Infinity ms']);
});

it('finds work that is lost where it may be repeated, where it never began, and where its host lives', () => {
  const killed = [
    [0, begin(0)],
    [500, gone(0)],
  ] as const;
  expect(judged(killed, [started, lost], true)).toEqual(['a may be repeated, and is lost: gone']);
  expect(judged(killed, [started, lost])).toEqual([]);
  expect(
    judged(
      [
        [0, begin(0)],
        [500, gone(1)],
      ],
      [started, lost],
    ),
  ).toEqual(['a is lost, and no host that ran it has ended']);
  expect(judged([], [lost])).toEqual(['a is lost, and never began']);
  // Killed between the start that it wrote and the word that it was to say.
  expect(judged([], [started, lost])).toEqual([]);
});
