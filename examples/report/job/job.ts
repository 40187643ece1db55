import { join } from 'node:path';
import { TaskFailure, type HandledTask } from 'taskbridge/adapters/in-process';
import type { DefinitionOf } from 'taskbridge/contract';
import type { reportTasks } from '../tasks.ts';
import { examine, type Finding } from './finding.ts';
import { records, start, type CsvRecord } from './records.ts';
import { sourceOf, type Source } from './source.ts';
import type { State } from './state.ts';

/** The definition of the job in its contract, and a task of it. */
export type ReportDefinition = DefinitionOf<typeof reportTasks, 'report.build'>;
type Task = HandledTask<ReportDefinition>;

/** Where a report's files go, and how the job waits. */
export interface ReportOptions {
  /** Holds `work/`. */
  readonly directory: string;
  /** Waits for a paced run. Rejects when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** One run of the job: the task, its file, what was ordered. */
export interface Job {
  readonly task: Task;
  readonly source: Source;
  /** Where this task's unfinished files are. */
  readonly workDirectory: string;
  /** The columns that tell rows apart; none: guess. */
  readonly keyColumns: readonly string[];
  /** Findings told one by one; the others are only counted. */
  readonly findingsToldMax: number;
  /** How far apart, in bytes of the file, progress is reported and saved. */
  readonly chunkBytes: number;
  /** Resolves when a paced run may go on after so many bytes of the file. */
  pause(bytes: number): Promise<void>;
}

/** One row of the file, and everything that is wrong with it. */
export interface Row extends CsvRecord {
  readonly findings: readonly Finding[];
}

const CHUNKS = 50;
const CHUNK_BYTES = { min: 2048, max: 1024 * 1024 };

/**
 * Reads the order in a task's input: `key` (names of columns), `findingsMax` (default 50, at most 500), `paceSeconds` (adds so
 * much to each of the two passes, for people who want to watch; default 0), and `csv` where there is no attachment.
 *
 * @throws TaskFailure `BAD_INPUT`.
 */
export function openJob(task: Task, options: ReportOptions): Job {
  const source = sourceOf(task);
  const paceSeconds = numberIn(task, 'paceSeconds', 0, 0, 3600);
  return {
    task,
    source,
    workDirectory: join(options.directory, 'work', task.taskId),
    keyColumns: keyIn(task),
    findingsToldMax: numberIn(task, 'findingsMax', 50, 0, 500),
    chunkBytes: Math.min(Math.max(Math.ceil(source.bytes / CHUNKS), CHUNK_BYTES.min), CHUNK_BYTES.max),
    pause: async (bytes) => {
      task.signal.throwIfAborted();
      if (paceSeconds > 0) await options.wait((bytes / source.bytes) * paceSeconds * 1000, task.signal);
    },
  };
}

/** Reads the rows from where a state ends. */
export async function* rowsFrom({ source }: Job, { rules, place }: Pick<State, 'rules' | 'place'>): AsyncGenerator<Row> {
  const isHeader = place.offset === 0;
  let first = true;
  for await (const record of records(source, rules.delimiter, place)) {
    if (!(isHeader && first)) yield { ...record, findings: examine(record.cells, record.line, rules) };
    first = false;
  }
}

/** The state of a job that has only looked at its rules. */
export function firstState(rules: State['rules']): State {
  return {
    v: 1,
    phase: 'reading',
    rules,
    place: start,
    rows: { read: 0, kept: 0, bad: 0, dropped: 0 },
    findings: { WRONG_CELL_COUNT: 0, EMPTY_CELL: 0, BAD_NUMBER: 0, BAD_DATE: 0 },
    told: 0,
    keys: null,
    duplicates: { groups: 0, rows: 0, answer: null },
    samples: [],
    cleaned: null,
    totals: Object.fromEntries(rules.columns.filter(({ kind }) => kind === 'number').map(({ name }) => [name, '0'])),
    report: null,
  };
}

function keyIn({ input }: Task): readonly string[] {
  const key = input['key'] ?? [];
  const names = Array.isArray(key) ? key : [key];
  if (names.every((name): name is string => typeof name === 'string')) return names;
  throw new TaskFailure('BAD_INPUT', 'input.key has to be the name of a column, or a list of names.');
}

function numberIn({ input }: Task, name: string, preset: number, min: number, max: number): number {
  const value = input[name] ?? preset;
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw new TaskFailure('BAD_INPUT', `input.${name} has to be a number from ${min} to ${max}.`);
}
