import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { inProcess } from 'taskbridge/adapters/in-process';
import type { FactPayload } from 'taskbridge/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkReport } from '../../examples/report/check.ts';
import { answers, buildReport, type Report } from '../../examples/report/job/index.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { reportTasks } from '../../examples/report/tasks.ts';
import { newHistory, runOnce, type RunScript, type TaskHistory } from './scripted-work.ts';

let directory = '';
let remove: () => Promise<void>;
let orders: Uint8Array = new Uint8Array();
let tasks = 0;

beforeAll(async () => {
  ({ path: directory, remove } = await tempFolder('report-job'));
  orders = await readFile(new URL('../../examples/report/orders.csv', import.meta.url));
});
afterAll(() => remove());

const executor = () => inProcess(reportTasks, { 'report.build': { run: buildReport({ directory }), repeatable: true } });

/** Runs a task to its end, dying where the scripts say so. */
async function run(script: RunScript, deaths: readonly number[] = []): Promise<TaskHistory> {
  const history = newHistory(`task-${(tasks += 1)}`);
  for (const diesAtReport of deaths) if ((await runOnce(executor(), history, { ...script, diesAtReport })) === 'ended') return history;
  expect(await runOnce(executor(), history, script)).toBe('ended');
  return history;
}

function reportOf({ said }: TaskHistory): Report {
  const last = said.at(-1);
  if (last?.type !== 'report.completed') throw new Error(`It ended with ${JSON.stringify(last)}.`);
  return last.payload.result as unknown as Report;
}

function failureOf({ said }: TaskHistory): FactPayload<'TASK_FAILED'> | undefined {
  const last = said.at(-1);
  return last?.type === 'report.failed' ? last.payload : undefined;
}

async function expectRight(csv: Uint8Array, history: TaskHistory): Promise<Report> {
  const report = reportOf(history);
  expect([...history.attached.keys()]).toEqual([report.cleaned.name]);
  expect(checkReport(csv, report, history.attached.get(report.cleaned.name) ?? new Uint8Array())).toEqual([]);
  expect(await readdir(join(directory, 'work')).catch(() => [])).not.toContain(history.taskId);
  return report;
}

const text = (csv: string) => Buffer.from(csv);

/** What two runs have to agree on, whatever their task ids. */
const comparable = ({ said, taskId }: TaskHistory) =>
  JSON.parse(
    JSON.stringify(said)
      .replaceAll(taskId, 'task')
      .replaceAll(/duplicates-[0-9a-f]{8}/g, 'duplicates'),
  ) as unknown;

describe('report.build', () => {
  it.each(answers)('builds the report that the input asks for: %s', async (answer) => {
    const report = await expectRight(orders, await run({ csv: orders, answer }));
    expect(report.rules.columns.filter(({ key }) => key).map(({ name }) => name)).toEqual(['order_id']);
    expect(report.rules.columns.map(({ kind }) => kind)).toEqual(['text', 'date', 'text', 'text', 'text', 'number', 'number', 'text']);
    expect(Object.values(report.findings).every((count) => count > 0)).toBe(true);
    expect(report.duplicates).toMatchObject({ answer });
    expect(report.duplicates.groups).toBeGreaterThan(20);
    expect(report.rows.dropped).toBeGreaterThan(0);
  });

  it('keeps the row at a place, or the last one of a smaller group, and the reason that was given', async () => {
    const csv = text('id,n\n1,5\n1,6\n1,7\n2,1\n2,2\n');
    const history = await run({ csv, answer: 'keep-nth', payload: { place: 3, note: 'the third is right' }, input: { key: 'id' } });
    const report = await expectRight(csv, history);
    expect(report.duplicates).toEqual({ groups: 2, rows: 5, answer: 'keep-nth', place: 3, note: 'the third is right' });
    expect(Buffer.from(history.attached.get(report.cleaned.name) ?? []).toString()).toBe('id,n\n1,7\n2,2\n');
  });

  it('tells each finding with its line, up to a limit, then how many there are more', async () => {
    const { said } = await run({ csv: orders, input: { findingsMax: 5 } });
    const warnings = said.flatMap((intent) =>
      intent.type === 'report.message' && intent.payload.level === 'warning' ? [intent.payload.message] : [],
    );
    expect(warnings).toHaveLength(6);
    const lines = orders.toString().split('\n');
    const number = Number(/^Line (\d+): /.exec(warnings[0] ?? '')?.[1]);
    expect(lines[number - 1]).toMatch(/^ORD-|^ /);
    expect(warnings.at(-1)).toMatch(/^… and \d+ more findings\.$/);
  });

  it('reports progress that rises with the bytes read, to 50 in the first pass and 100 in the second', async () => {
    const { said } = await run({ csv: orders });
    const progress = said.flatMap((intent) => (intent.type === 'report.progress' ? [intent.payload] : []));
    expect(progress.map((each) => each.progress)).toEqual([...progress.map((each) => each.progress)].sort((a, b) => a - b));
    expect(progress.filter(({ stage }) => stage === 'reading').at(-1)?.progress).toBe(50);
    expect(progress.at(-1)?.progress).toBe(100);
    expect(progress.length).toBeGreaterThan(80);
  });

  it('shows the rows of some duplicates with its question', async () => {
    const { said } = await run({ csv: text('id,n\n1,5\n2,6\n1,7\n'), input: { key: 'id' } });
    const question = said.find((intent) => intent.type === 'report.suspended');
    expect(question?.payload).toMatchObject({
      allowedActions: ['keep-first', 'keep-last', 'drop-both', 'keep-nth'],
      interaction: {
        groups: 1,
        rows: 2,
        key: ['id'],
        columns: ['id', 'n'],
        samples: [
          {
            rows: [
              { line: 2, cells: ['1', '5'] },
              { line: 4, cells: ['1', '7'] },
            ],
          },
        ],
      },
    });
  });

  it('asks nothing where no key occurs twice', async () => {
    const history = await run({ csv: text('id,n\n1,5\n2,6\n') });
    expect(history.said.some(({ type }) => type === 'report.suspended')).toBe(false);
    expect((await expectRight(text('id,n\n1,5\n2,6\n'), history)).duplicates).toEqual({ groups: 0, rows: 0, answer: null });
  });

  it('takes the key from the input, or the whole row where nothing looks like one', async () => {
    const csv = text('name,n\nx,1\nx,2\nx,2\n');
    expect((await expectRight(csv, await run({ csv, input: { key: 'name' } }))).rows.kept).toBe(1);
    expect((await expectRight(csv, await run({ csv }))).rows.kept).toBe(2);
  });

  it('reads quoted line breaks, doubled quotes and a byte order mark, however the bytes arrive', async () => {
    const csv = text('\uFEFFid;näme;n\r\n1;"a\r\n""b"";c";1.50\r\n\r\n2;"x\ny";oops\r\n3;ü;2.5\r\n3;"🙂";+0.25');
    const whole = await run({ csv, answer: 'keep-last', input: { key: 'id' } });
    const report = await expectRight(csv, whole);
    expect(report.rules.delimiter).toBe(';');
    for (const readBytes of [1, 2, 3, 7]) {
      const history = await run({ csv, answer: 'keep-last', input: { key: 'id' }, readBytes });
      expect(comparable(history)).toEqual(comparable(whole));
    }
  });

  it('names the line that a record begins on, after records of several lines', async () => {
    const csv = text(`id,day\n${Array.from({ length: 20 }, (_, i) => `${i},2025-01-01\n`).join('')}20,"2025\n-01-01"\n\n21,soon\n`);
    const { said } = await run({ csv });
    const messages = said.flatMap((intent) => (intent.type === 'report.message' ? [intent.payload.message] : []));
    expect(messages).toContain('Line 22: day is "2025 -01-01", which is no date.');
    expect(messages).toContain('Line 25: day is "soon", which is no date.');
  });

  it('reads a cell of a million characters and never repeats it in a fact', async () => {
    const csv = text(`id,n,note\n1,1,${'ä'.repeat(1_000_000)}\n1,2,"${'x\n'.repeat(400_000)}"\n2,${'9'.repeat(100_000)},\n`);
    const history = await run({ csv, input: { key: 'id' } });
    await expectRight(csv, history);
    expect(JSON.stringify(history.said).length).toBeLessThan(20_000);
  });

  it('ends with an empty report for a header without rows', async () => {
    const csv = text('id,amount\n');
    expect(await expectRight(csv, await run({ csv }))).toMatchObject({
      rows: { read: 0, kept: 0, bad: 0, dropped: 0 },
      cleaned: { bytes: csv.length },
    });
  });

  it.each([
    ['an empty file', '', {}, 'EMPTY_CSV'],
    ['white lines only', '\n\n', {}, 'EMPTY_CSV'],
    ['a quote that is never closed', 'id,n\n1,"2\n3,4\n', {}, 'UNREADABLE_CSV'],
    ['bytes that are no UTF-8', Buffer.from([0x69, 0x64, 0x0a, 0xe4, 0x0a]), {}, 'UNREADABLE_CSV'],
    ['a character that is cut off at the end', Buffer.from([0x69, 0x64, 0x0a, 0xc3]), {}, 'UNREADABLE_CSV'],
    ['a record without end', `id\n${'x'.repeat(5_000_000)}\n`, {}, 'UNREADABLE_CSV'],
    ['more columns than anybody has', 'a,'.repeat(300), {}, 'UNREADABLE_CSV'],
    ['a key that is no column', 'id\n1\n', { key: 'nr' }, 'BAD_INPUT'],
    ['a senseless limit', 'id\n1\n', { findingsMax: -1 }, 'BAD_INPUT'],
  ])('fails with a code of its own for %s', async (_, csv, input, code) => {
    expect(failureOf(await run({ csv: Buffer.from(csv), input }))).toMatchObject({ code, retryable: false });
  });

  it('agrees with another judge about dates and numbers', async () => {
    const fragment = fc.constantFrom(
      '2025-01-31',
      '2024-02-29',
      '2025-02-29',
      '1900-02-29',
      'T',
      ' ',
      '09:30',
      '24:00',
      ':59',
      '.5',
      'Z',
      '+01:00',
      '-15:00',
      '7',
    );
    const date = fc.oneof(
      { weight: 3, arbitrary: fc.constant('2025-06-01') },
      fc.array(fragment, { maxLength: 5 }).map((parts) => parts.join('')),
    );
    const digits = fc.string({ unit: fc.constantFrom('0', '1', '9', '.', '-', '+', 'e'), maxLength: 22 });
    const number = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('1', '-2.50', '+0.001', '999999999999999999') }, digits);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(date, number), { maxLength: 12 }), async (rows) => {
        // The first rows say what the columns hold.
        const sound = Array.from({ length: 190 }, (_, row) => `s${row},2025-01-01,1`);
        const csv = text(['id,day,n', ...sound, ...rows.map(([day, n], row) => `r${row},${day},${n}`)].join('\n'));
        const report = await expectRight(csv, await run({ csv }));
        expect(report.rules.columns.map(({ kind }) => kind)).toEqual(['text', 'date', 'number']);
      }),
    );
  });

  it('agrees with another parser about any text', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '1', '.', '-', '"', ',', '\n', '\r', ' ', 'ü'), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(cell, { minLength: 1, maxLength: 3 }), { maxLength: 5 }), async (rows) => {
        const csv = text(`id,n\n${rows.map((cells) => cells.join(',')).join('\n')}`);
        const history = await run({ csv, answer: 'keep-last', input: { key: 'id' } });
        if (failureOf(history)) expect(failureOf(history)?.code).toBe('UNREADABLE_CSV');
        else await expectRight(csv, history);
      }),
      { numRuns: 300 },
    );
  });
});

describe('report.build, run again after its process died', () => {
  const input = { findingsMax: 20 };

  it('says and does the same whichever report was the last', async () => {
    const csv = text(orders.toString().split('\n').slice(0, 500).join('\n'));
    const undisturbed = await run({ csv, answer: 'keep-last', input });
    await expectRight(csv, undisturbed);
    expect(undisturbed.commits).toBeGreaterThan(30);
    for (let report = 1; report <= undisturbed.commits; report += 1) {
      const history = await run({ csv, answer: 'keep-last', input }, [report]);
      expect(history.attempts, `dies instead of report ${report}`).toBe(2);
      expect(comparable(history)).toEqual(comparable(undisturbed));
      await expectRight(csv, history);
    }
  });

  it('gets through any number of deaths', async () => {
    const undisturbed = await run({ csv: orders, answer: 'drop-both', input });
    // Two commits a run: the start and one chunk.
    const history = await run(
      { csv: orders, answer: 'drop-both', input },
      Array.from({ length: 200 }, () => 3),
    );
    expect(history.attempts).toBeGreaterThan(90);
    expect(comparable(history)).toEqual(comparable(undisturbed));
    await expectRight(orders, history);
  });

  it('goes on between records that hold line breaks', async () => {
    const csv = text(`id,n\n${Array.from({ length: 400 }, (_, i) => `${i % 390},"${i}\n\n.5"\n`).join('')}`);
    const undisturbed = await run({ csv, input });
    for (const report of [2, 3, 4, 5, 6]) expect(comparable(await run({ csv, input }, [report, report]))).toEqual(comparable(undisturbed));
  });
});
