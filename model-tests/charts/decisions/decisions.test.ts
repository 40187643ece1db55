import { describe, expect, test } from 'vitest';
import { allDecisions } from './chart-decisions.ts';
import { faultsOf, type Decisions } from './decisions.ts';
import { describeDecisions } from './decisions-suite.ts';
import { outboxDecisions } from './outbox-decisions.ts';
import { suspensionDecisions } from './suspension-decisions.ts';

for (const decisions of allDecisions) describeDecisions(decisions);

describe('what is wrong with a table is named', () => {
  const faults = <Context>(decisions: Decisions<Context>): string[] => [...faultsOf(decisions)];

  test('a cell without a row', () => {
    const rows = suspensionDecisions.rows.filter(({ told }) => !told.includes('suspension.expire late'));
    expect(faults({ ...suspensionDecisions, rows })).toContain('open, suspension.expire late, deadline: no row');
  });

  test('a row that says, leads or remembers something else', () => {
    const changed = (part: object): string[] =>
      faults({
        ...suspensionDecisions,
        rows: suspensionDecisions.rows.map((row) => (row.told.includes('TASK_ACTION_ACCEPTED') && row.then ? { ...row, ...part } : row)),
      });
    expect(changed({})).toEqual([]);
    const cell = 'open, TASK_ACTION_ACCEPTED, deadline';
    expect(changed({ says: ['refused NOT_DUE'] })).toContain(`${cell}: effects is [], not [{"type":"refused","code":"NOT_DUE"}]`);
    expect(changed({ then: 'expired' })).toContain(`${cell}: value is "resolved", not "expired"`);
    expect(changed({ remembers: [] })).toContainEqual(expect.stringContaining(`${cell}: context is {"question":null}, not `));
  });

  test('a state with another tag, actor, time or end', () => {
    const changed = (part: object): string[] =>
      faults({
        ...outboxDecisions,
        states: outboxDecisions.states.map((row) => (row.state === 'closed/waiting' ? { ...row, ...part } : row)),
      });
    expect(changed({ tags: ['idle'] })).toEqual(['closed/waiting has the tags offline']);
    expect(changed({ waits: [] })).toEqual(['closed/waiting waits for nextExpiry']);
    expect(changed({ runs: [] })).toContain('closed/loading, entries: some, nothing: running is ["gate"], not []');
    expect(changed({ isEnd: true })).toContain('closed/waiting is not over');
    expect(faults({ ...outboxDecisions, times: [{ time: 'patience', where: '', ms: 5, because: '' }] })).toEqual([
      'patience is 120000 ms, not 5',
    ]);
  });
});
