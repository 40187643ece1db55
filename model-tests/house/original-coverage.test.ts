import { describe, expect, test } from 'vitest';
import { runFaults, standingFaults } from '../../scripts/original-coverage.ts';
import { coverageText, originalTable, type OriginalTable } from '../../scripts/original-rows.ts';

const THIS = 'model-tests/house/original-coverage.test.ts';
const HERE = `\`${THIS} > a table of rows > has no fault where it is sound\``;
const GROUP = `\`${THIS} > a table of rows > of which * is told: *\``;

/** A table with the given rows in its last section, and its true summary. */
function tableOf(rows: readonly string[], summary?: string): OriginalTable {
  const sections = Array.from({ length: 15 }, (_, i) => `## ${i + 1}. Section`);
  const text = [...sections, ...rows].join('\n');
  return originalTable(`${text}\n**${summary ?? trueSummary(text)}**`);
}

/** What the table itself says that it should say. */
function trueSummary(text: string): string {
  const [, summary = ''] = /\*\*(.+)\*\*/.exec(originalTable(text).faults.at(-1) ?? '') ?? [];
  return summary;
}

const sound = [
  `| 15.1 | It begins | shown | ${HERE}, ${GROUP} |`,
  `| 15.2 | It ends | differs | Later. ${HERE} |`,
  '| 15.3 | It sings | no | We do not |',
  `| 15.4 | It sleeps \\| wakes | missing | Half: ${HERE}. **tests** |`,
];

test('COVERAGE.md says of every row where it is shown, by tests that are there', () => {
  const table = originalTable(coverageText());
  expect(standingFaults(table)).toEqual([]);
  expect(table.rows.length).toBeGreaterThan(150);
});

describe('a table of rows', () => {
  test('has no fault where it is sound', () => {
    const table = tableOf(sound);
    expect(standingFaults(table)).toEqual([]);
    expect(table.rows.map(({ status }) => status)).toEqual(['shown', 'differs', 'no', 'missing']);
    expect(table.rows[3]).toMatchObject({ what: 'It sleeps | wakes', reason: 'Half: . **tests**' });
  });

  test.each([
    ['a row without a status', [`| 15.1 | It begins | | ${HERE} |`], 'row 15.1 has no status'],
    ['a row with a status of its own', [`| 15.1 | It begins | done | ${HERE} |`], 'row 15.1 has no status'],
    ['a number that is missing', [sound[0] ?? '', sound[2] ?? ''], 'row 15.3 stands where 15.2 is due'],
    ['a row without a test', ['| 15.1 | It begins | shown | Everywhere |'], 'row 15.1 is shown and names no test'],
    ['a row without a reason', ['| 15.1 | It sings | no | |'], 'row 15.1 is no and says no reason'],
    ['a file alone', [`| 15.1 | It begins | shown | \`${THIS}\` |`], 'row 15.1 names a file without a test of it'],
    ['a column too many', [`| 15.1 | It | begins | shown | ${HERE} |`], 'row 15.1 has 5 columns, not 4'],
    [
      'a test that is not there',
      [`| 15.1 | It begins | shown | \`${THIS} > no such test\` |`],
      `${THIS} has no test or group "no such test"`,
    ],
    [
      'a file that is not there',
      ['| 15.1 | It begins | shown | `model-tests/no.test.ts > a > b` |'],
      'there is no test file model-tests/no.test.ts',
    ],
  ])('of which %s is told: %j', (_, rows, fault) => {
    expect(standingFaults(tableOf(rows)).join('\n')).toContain(fault);
  });

  test('that lost a section or a row says so', () => {
    expect(originalTable('## 1. Section').faults).toContain('the last section is 1, not 15');
    expect(originalTable('## 2. Section').faults).toContain('section 2 follows section 0');
    const [first = '', ...others] = sound;
    const summary = '4 rows: 1 shown, 1 differs, 1 no, 1 missing';
    expect(tableOf([first, ...others], summary).faults).toEqual([]);
    expect(tableOf([first], summary).faults).toEqual(['it does not say what it holds: **1 rows: 1 shown, 0 differs, 0 no, 0 missing**']);
  });

  test('is held to what ran: each named test of a file that ran has passed', () => {
    const result = (title: string, status: string) => ({ ancestorTitles: ['a table of rows'], title, status });
    const whole = [result('has no fault where it is sound', 'passed'), result('of which a is told: []', 'passed')];
    const ran = (...assertionResults: typeof whole) => runFaults(tableOf(sound.slice(0, 1)), [{ name: THIS, assertionResults }]);
    expect(ran(...whole)).toEqual([]);
    expect(ran(...whole, result('of which b is told: []', 'failed'))).toEqual([`row 15.1: ${GROUP.slice(1, -1)} did not pass`]);
    expect(ran(...whole.slice(1))).toEqual([`row 15.1: ${HERE.slice(1, -1)} did not run`]);
    expect(runFaults(tableOf(sound), [{ name: 'model-tests/another.test.ts', assertionResults: [] }])).toEqual([]);
  });
});
