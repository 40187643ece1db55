import { shortened } from './cell.ts';
import { rowsFrom, type Job } from './job.ts';
import { digestOf } from './key-table.ts';
import { start } from './records.ts';
import { keyOf } from './rules.ts';
import type { State } from './state.ts';

interface SampleRow {
  line: number;
  cells: string[];
}

const COLUMNS_SHOWN_MAX = 12;
const ROWS_SHOWN = 2;

/** Asks what to do about rows that agree in their key; passes by where there are none. A run after a crash gets the same answer. */
export async function askAboutDuplicates(job: Job, from: State): Promise<State> {
  const duplicates = from.duplicates.groups === 0 ? from.duplicates : { ...from.duplicates, ...(await ask(job, from)) };
  return { ...from, phase: 'writing', place: start, duplicates };
}

async function ask(job: Job, from: State): Promise<Omit<State['duplicates'], 'groups' | 'rows'>> {
  const { actionType: answer, payload } = await job.task.suspend('duplicates', {
    interaction: {
      groups: from.duplicates.groups,
      rows: from.duplicates.rows,
      key: from.rules.columns.filter(({ key }) => key).map(({ name }) => shortened(name)),
      columns: from.rules.columns.slice(0, COLUMNS_SHOWN_MAX).map(({ name }) => shortened(name)),
      samples: await samples(job, from),
    },
  });
  return { answer, ...payload };
}

/** Reads the first rows of a few groups again: while the file was read, nobody knew that another row would follow with the same key. */
async function samples(job: Job, { rules, samples: digests }: State): Promise<{ rows: SampleRow[] }[]> {
  const found = new Map(digests.map((digest) => [digest, [] as SampleRow[]]));
  for await (const { cells, line, findings } of rowsFrom(job, { rules, place: start })) {
    if (findings.length > 0) continue;
    const rows = found.get(digestOf(keyOf(cells, rules)).toString('hex'));
    if (rows && rows.length < ROWS_SHOWN) rows.push({ line, cells: cells.slice(0, COLUMNS_SHOWN_MAX).map(shortened) });
    if ([...found.values()].every(({ length }) => length === ROWS_SHOWN)) break;
  }
  return [...found.values()].map((rows) => ({ rows }));
}
