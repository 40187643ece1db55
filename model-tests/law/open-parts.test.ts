import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, emptyAggregate, fold, type Intent } from '../../machines/index.ts';
import { eventId, type Fact, type FactBody } from '../../machines/wire/index.ts';
import { aimed, arbitraryIntents, written } from '../charts/history.ts';
import { OpenParts } from './open-parts.ts';

/** The rules that a log breaks, in its order. */
function broken(log: readonly Fact[]): string[] {
  const parts = new OpenParts();
  return log.flatMap((fact) => parts.take(fact) ?? []);
}

/** What the charts make of one wish after the other. */
function logOf(wishes: readonly Intent[]): Fact[] {
  const log: Fact[] = [];
  let now = emptyAggregate;
  for (const wish of wishes)
    for (const fact of written(now, decide(now, aimed(now, wish)).facts)) {
      now = fold(now, fact);
      log.push(fact);
    }
  return log;
}

const opens: Intent = { type: 'report.part.opened', payload: { name: 'answer', kind: 'text' } };
const closes = (part: number): Intent => ({ type: 'report.part.closed', payload: { part, bytes: 0, outcome: 'DONE' } });
const ends: Intent = { type: 'report.completed', payload: { result: null } };
const times = (count: number, intent: Intent): Intent[] => Array.from({ length: count }, () => intent);

describe('a log that the charts decide', () => {
  test('keeps the rules of parts, whatever is wished', () => {
    const wishes = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: arbitraryIntents },
        { weight: 2, arbitrary: fc.constantFrom<Intent[]>([opens], [closes(8)], [ends]) },
      ),
      { maxLength: 6 },
    );
    let opened = 0;
    let ended = 0;
    fc.assert(
      fc.property(wishes, (lists) => {
        const log = logOf(lists.flat());
        opened += log.filter(({ type }) => type === 'TASK_PART_OPENED').length;
        ended += log.filter(({ type }) => type === 'TASK_COMPLETED').length;
        expect(broken(log)).toEqual([]);
      }),
      { seed: 20_260_108, numRuns: 300 },
    );
    // Walks that open nothing, or never end, would show nothing.
    expect(Math.min(opened, ended)).toBeGreaterThan(50);
  });

  test('opens no more at once, and in its life, than it may, and names what it opens again', () => {
    const crowded = logOf([...times(17, opens), closes(8), opens]);
    expect(broken(crowded)).toEqual([]);
    expect(crowded.map(({ type }) => type)).toEqual([
      ...Array<string>(16).fill('TASK_PART_OPENED'),
      'TASK_PART_CLOSED',
      'TASK_PART_OPENED',
    ]);
    const long = logOf(Array.from({ length: 1001 }, () => [opens, closes(8)]).flat());
    expect(broken(long)).toEqual([]);
    expect(long).toHaveLength(2000);
  });
});

describe('a log that breaks a rule of parts', () => {
  const opened: FactBody = { type: 'TASK_PART_OPENED', payload: { name: 'answer', kind: 'text' } };
  const closed = (part: number): FactBody => ({ type: 'TASK_PART_CLOSED', payload: { part, bytes: 0, outcome: 'ABANDONED' } });
  const failed: FactBody = { type: 'TASK_FAILED', payload: { code: 'BROKEN', message: 'It broke.', retryable: false } };
  const log = (bodies: readonly FactBody[]): Fact[] =>
    bodies.map((body, nth) => ({ ...body, taskId: 't', eventId: eventId(nth + 1, 1), createdAt: '2026-01-01T00:00:00Z' }));

  test.each<[string, readonly FactBody[], readonly string[]]>([
    ['by an end while one is open', [opened, failed], ['parts are closed before the end']],
    ['by closing what was never opened', [opened, closed(2)], ['only open parts are closed, and once']],
    ['by closing one twice', [opened, closed(1), closed(1)], ['only open parts are closed, and once']],
    ['by one too many at once', Array<FactBody>(17).fill(opened), ['at most 16 parts are open']],
    [
      'by one too many in its life',
      Array.from({ length: 1001 }, (_, nth) => [opened, closed(2 * nth + 1)]).flat(),
      ['at most 1000 parts are opened'],
    ],
    ['not at all: the same name is another part', [opened, opened, closed(1), opened, closed(4), closed(2), failed], []],
  ])('is seen: %s', (_, bodies, rules) => {
    expect(broken(log(bodies))).toEqual(rules);
  });
});
