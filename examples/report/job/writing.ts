import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { add } from './decimal.ts';
import { rowsFrom, type Job } from './job.ts';
import { digestOf, type KeyTable } from './key-table.ts';
import { Pass } from './pass.ts';
import { keyOf, type Rules } from './rules.ts';
import type { Report, State } from './state.ts';

const NAME_CHARACTERS_MAX = 200;

/** The second pass: writes the rows that stay, and adds up their numbers. */
export async function writeRows(job: Job, from: State, table: KeyTable): Promise<State> {
  const pass = await Pass.begin(job, from, 'cleaned');
  const { draft } = pass;
  try {
    if (from.place.offset === 0)
      pass.write(
        lineOf(
          from.rules.columns.map(({ name }) => name),
          from.rules,
        ),
      );
    for await (const row of rowsFrom(job, from)) {
      if (row.findings.length === 0) {
        if (stays(table.meet(digestOf(keyOf(row.cells, from.rules))), from)) {
          draft.rows.kept += 1;
          pass.write(lineOf(row.cells, from.rules));
          addNumbers(draft, row.cells);
        } else draft.rows.dropped += 1;
      }
      await pass.past(row);
    }
    return await pass.end('writing');
  } finally {
    await pass.close();
  }
}

/** Attaches the cleaned file to the task, and saves the report. Doing it again does the same: a file of the same name is replaced. */
export async function finish(job: Job, from: State): Promise<State> {
  const { task, source } = job;
  const cleaned = await attach(job, from);
  const { rules, rows, findings, duplicates, totals } = from;
  const report: Report = { source: { fileName: source.fileName, bytes: source.bytes }, rules, rows, findings, duplicates, totals, cleaned };
  const state: State = { ...from, phase: 'done', report };
  await Promise.all([
    task.message(`Kept ${rows.kept} of ${rows.read} rows: ${rows.bad} had findings, ${rows.dropped} were duplicates.`),
    task.save(state),
  ]);
  return state;
}

async function attach({ task, source, workDirectory }: Job, { cleaned }: State): Promise<Report['cleaned']> {
  const name = `${source.fileName.replace(/\.[^.]*$/, '').slice(0, NAME_CHARACTERS_MAX)}-cleaned.csv`;
  const hash = createHash('sha256');
  let bytes = 0;
  async function* content(): AsyncGenerator<Buffer> {
    if (!cleaned || cleaned.bytes === 0) return;
    // A read stream without an encoding gives Buffers.
    for await (const chunk of createReadStream(join(workDirectory, cleaned.name), { end: cleaned.bytes - 1 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  await task.attach(name, content(), 'text/csv');
  return { name, bytes, sha256: hash.digest('hex') };
}

function stays({ nth, of }: { readonly nth: number; readonly of: number }, { duplicates }: State): boolean {
  if (of === 1) return true;
  if (duplicates.answer === 'keep-first') return nth === 1;
  if (duplicates.answer === 'keep-nth') return nth === Math.min(duplicates.place ?? 1, of);
  return duplicates.answer === 'keep-last' && nth === of;
}

function addNumbers(draft: Pass['draft'], cells: readonly string[]): void {
  draft.rules.columns.forEach(({ name, kind }, index) => {
    const cell = (cells[index] ?? '').trim();
    if (kind === 'number' && cell !== '') draft.totals[name] = add(draft.totals[name] ?? '0', cell);
  });
}

function lineOf(cells: readonly string[], { delimiter }: Rules): string {
  const needsQuotes = (cell: string) => cell.includes(delimiter) || /["\r\n]/.test(cell);
  return `${cells.map((cell) => (needsQuotes(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter)}\n`;
}
