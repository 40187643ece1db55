import { TaskFailure } from 'taskbridge/adapters/in-process';
import { isDate, isNumber } from './cell.ts';

/** What is expected of one column. */
export type Column = {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'date';
  /** An empty cell is a finding. */
  readonly required: boolean;
  /** Rows that agree in all key columns are duplicates of each other. */
  readonly key: boolean;
};

/** What the job expects of a file; part of its result, so that anybody can check the rest against it. */
export type Rules = {
  readonly delimiter: string;
  readonly columns: readonly Column[];
};

const COLUMNS_MAX = 256;
const HEADER_CHARACTERS_MAX = 16_384;
/** A file is judged by its first rows; a few of them may be dirty. */
const MOSTLY = 0.9;
const EMPTY_MAX = 0.02;
const KEY_NAME = /(^|[ _-])(id|no|nr|number|key|code|sku)$|Id$/i;

/** Guesses the delimiter from the first line: the candidate that occurs most often. */
export function guessDelimiter(firstLine: string): string {
  const candidates = [',', ';', '\t', '|'];
  const counts = candidates.map((candidate) => firstLine.split(candidate).length);
  return candidates[counts.indexOf(Math.max(...counts))] ?? ',';
}

/**
 * Guesses what to expect of each column from the header and a sample of the rows.
 *
 * A column holds numbers or dates where nine of ten filled cells do, and is required where at most two of a hundred are empty. The key
 * is the given columns, or else the first column with an id's name and hardly a repeated value, or else the whole row.
 *
 * @throws TaskFailure `EMPTY_CSV` without a header, `UNREADABLE_CSV` for an absurd one, `BAD_INPUT` for a key that is no column.
 */
export function guessRules(
  delimiter: string,
  header: readonly string[] | undefined,
  sample: readonly (readonly string[])[],
  key: readonly string[],
): Rules {
  if (!header) throw new TaskFailure('EMPTY_CSV', 'The file has no header line. Its first line has to name the columns.');
  if (header.length > COLUMNS_MAX || header.join('').length > HEADER_CHARACTERS_MAX)
    throw new TaskFailure(
      'UNREADABLE_CSV',
      `The header has ${header.length} columns; at most ${COLUMNS_MAX} with short names can be read.`,
    );
  const names = uniqueNames(header);
  for (const name of key)
    if (!names.includes(name))
      throw new TaskFailure('BAD_INPUT', `The key column "${name}" is not in the header (${names.join(', ').slice(0, 400)}).`);
  const sound = sample.filter((cells) => cells.length === names.length);
  const guesses = names.map((name, index) =>
    guessColumn(
      name,
      sound.map((cells) => cells[index] ?? ''),
    ),
  );
  const guessed =
    key.length > 0
      ? key
      : guesses
          .filter((guess) => guess.likelyKey)
          .slice(0, 1)
          .map(({ name }) => name);
  return {
    delimiter,
    columns: guesses.map(({ name, kind, required }) => {
      const isKey = guessed.includes(name);
      return { name, kind: isKey && kind === 'number' ? 'text' : kind, required: required || isKey, key: isKey };
    }),
  };
}

/** The key cells of a row, or all its cells where no column is a key. */
export function keyOf(cells: readonly string[], { columns }: Rules): readonly string[] {
  const key = cells.filter((_, index) => columns[index]?.key);
  return key.length > 0 ? key : cells;
}

function guessColumn(name: string, cells: readonly string[]) {
  const filled = cells.map((cell) => cell.trim()).filter((cell) => cell !== '');
  const mostly = (test: (cell: string) => boolean) => filled.length > 0 && filled.filter(test).length >= filled.length * MOSTLY;
  return {
    name,
    kind: mostly(isNumber) ? ('number' as const) : mostly(isDate) ? ('date' as const) : ('text' as const),
    required: cells.length > 0 && cells.length - filled.length <= cells.length * EMPTY_MAX,
    likelyKey: KEY_NAME.test(name) && filled.length > 0 && new Set(filled).size >= filled.length * MOSTLY,
  };
}

function uniqueNames(header: readonly string[]): readonly string[] {
  const names: string[] = [];
  header.forEach((cell, index) => {
    const name = cell.trim() || `column ${index + 1}`;
    names.push(names.includes(name) ? `${name} (${index + 1})` : name);
  });
  return names;
}
