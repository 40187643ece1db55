import { TaskFailure } from 'taskbridge/adapters/in-process';
import { rowsFrom, type Job } from './job.ts';
import { digestOf, KEYS_MAX, type KeyTable } from './key-table.ts';
import { Pass } from './pass.ts';
import { keyOf } from './rules.ts';
import type { State } from './state.ts';

/** Keys that the question about duplicates shows. */
const SAMPLES_MAX = 3;

/** The first pass: tells what is wrong with rows, and counts the keys of the good ones. */
export async function readRows(job: Job, from: State, table: KeyTable): Promise<State> {
  const pass = await Pass.begin(job, from, 'keys');
  const { draft } = pass;
  try {
    for await (const row of rowsFrom(job, from)) {
      draft.rows.read += 1;
      if (row.findings.length > 0) draft.rows.bad += 1;
      else {
        const digest = digestOf(keyOf(row.cells, from.rules));
        pass.write(digest);
        countKey(draft, digest, table);
      }
      for (const { kind, text } of row.findings) {
        draft.findings[kind] += 1;
        if (draft.told >= job.findingsToldMax) continue;
        draft.told += 1;
        pass.tell(text, 'warning');
      }
      await pass.past(row);
    }
    const untold = Object.values(draft.findings).reduce((sum, count) => sum + count, 0) - draft.told;
    if (untold > 0) pass.tell(`… and ${untold} more findings.`, 'warning');
    pass.tell(`Read ${draft.rows.read} rows: ${draft.rows.bad} with findings, ${draft.duplicates.groups} keys that occur more than once.`);
    return await pass.end('asking');
  } finally {
    await pass.close();
  }
}

function countKey(draft: Pass['draft'], digest: Buffer, table: KeyTable): void {
  const times = table.count(digest);
  if (table.size > KEYS_MAX)
    throw new TaskFailure('TOO_MANY_ROWS', `The file has more than ${KEYS_MAX} different keys, which is as many as are kept in memory.`);
  if (times < 2) return;
  draft.duplicates.rows += times === 2 ? 2 : 1;
  if (times > 2) return;
  draft.duplicates.groups += 1;
  if (draft.samples.length < SAMPLES_MAX) draft.samples = [...draft.samples, digest.toString('hex')];
}
