import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContractHandler } from 'taskbridge/adapters/in-process';
import { askAboutDuplicates } from './asking.ts';
import { shortened } from './cell.ts';
import { firstState, openJob, type Job, type ReportDefinition, type ReportOptions } from './job.ts';
import { DIGEST_BYTES, KeyTable } from './key-table.ts';
import { eachKey } from './keys.ts';
import { readRows } from './reading.ts';
import { records } from './records.ts';
import { guessDelimiter, guessRules, type Rules } from './rules.ts';
import type { Source } from './source.ts';
import type { State } from './state.ts';
import { finish, writeRows } from './writing.ts';

/** How much of a file is looked at before its rules are guessed. */
const SAMPLE = { rows: 200, characters: 1_000_000 };

/**
 * The handler of `report.build`: reads a CSV file, tells what is wrong with it, asks what to do about duplicates, and ends with a cleaned
 * file, attached to the task, and a {@link Report}. May be run again at any moment: it goes on from what it saved.
 *
 * Fails with `BAD_INPUT`, `EMPTY_CSV`, `UNREADABLE_CSV` or `TOO_MANY_ROWS`.
 */
export function buildReport(options: Omit<ReportOptions, 'wait'> & Partial<ReportOptions>): ContractHandler<ReportDefinition> {
  const wait: ReportOptions['wait'] = (ms, signal) => delay(ms, undefined, { signal });
  return async (task) => {
    const job = openJob(task, { wait, ...options });
    // Nobody else writes this task's saved value.
    let state = task.saved === undefined ? await begin(job) : (task.saved as State);
    const table = await tableOf(job, state);
    if (state.phase === 'reading') state = await readRows(job, state, table);
    if (state.phase === 'asking') state = await askAboutDuplicates(job, state);
    if (state.phase === 'writing') state = await finish(job, await writeRows(job, state, table));
    await rm(job.workDirectory, { recursive: true, force: true });
    return state.report;
  };
}

async function begin(job: Job): Promise<State> {
  const rules = await look(job.source, job.keyColumns);
  const about = rules.columns.map(
    ({ name, kind, required, key }) => `${shortened(name)} (${key ? 'key' : kind}${required ? '' : ', may be empty'})`,
  );
  const state = firstState(rules);
  await Promise.all([job.task.message(`Columns: ${about.join(', ')}.`), job.task.save(state)]);
  return state;
}

async function look(source: Source, keyColumns: readonly string[]): Promise<Rules> {
  const delimiter = guessDelimiter(await firstLine(source));
  const sample: (readonly string[])[] = [];
  let characters = 0;
  for await (const { cells } of records(source, delimiter)) {
    sample.push(cells);
    characters += cells.reduce((sum, cell) => sum + cell.length, 0);
    if (sample.length > SAMPLE.rows || characters > SAMPLE.characters) break;
  }
  return guessRules(delimiter, sample[0], sample.slice(1), keyColumns);
}

async function firstLine(source: Source): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of await source.open(0)) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > 65_536 || /\S[^]*[\r\n]/.test(text)) break;
  }
  return text.trimStart().split(/[\r\n]/)[0] ?? '';
}

/** The keys that earlier runs counted, and met again. */
async function tableOf(job: Job, state: State): Promise<KeyTable> {
  const table = new KeyTable();
  if (state.phase === 'done') return table;
  await eachKey(job.workDirectory, state.keys, (digest) => table.count(digest));
  if (state.phase === 'writing') {
    const met = (state.rows.kept + state.rows.dropped) * DIGEST_BYTES;
    await eachKey(job.workDirectory, state.keys && { ...state.keys, bytes: met }, (digest) => table.meet(digest));
  }
  return table;
}
