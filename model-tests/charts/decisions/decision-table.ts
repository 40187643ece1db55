import { readFileSync } from 'node:fs';

/** One row of a table of decisions; see `task.md`. */
export interface DecisionRow {
  readonly states: readonly string[];
  readonly told: readonly string[];
  /** Undefined for all that no other row of the same cell names. */
  readonly where: string | undefined;
  readonly says: readonly string[];
  /** Undefined where it stays. */
  readonly then: string | undefined;
  readonly remembers: readonly string[];
  readonly because: string;
  /** As a failure names it. */
  readonly line: string;
}

/** A cell: a state, what it is told, and what it remembers. */
export interface DecisionCell {
  readonly state: string;
  readonly told: string;
  readonly where: string;
}

/** A state and the tags that it has. */
export interface StateRow {
  readonly state: string;
  readonly tags: readonly string[];
}

const COLUMNS = 7;

/** Reads the states of a page of decisions, in their order. */
export function stateRows(file: URL): StateRow[] {
  return cellsOf(file, 2).map(({ cells: [state = '', tags = ''] }) => ({ state, tags: listOf(tags, ',').sort() }));
}

/** Reads the tables of a page of decisions; names of groups stand for the states that they have. */
export function decisionRows(file: URL, groups: Readonly<Record<string, readonly string[]>> = {}): DecisionRow[] {
  return cellsOf(file, COLUMNS).map(({ line, cells }) => {
    const [states = '', told = '', where = '', says = '', then = '', remembers = '', because = ''] = cells;
    return {
      states: listOf(states, ',').flatMap((name) => groups[name] ?? [name]),
      told: listOf(told, ','),
      where: where === '' ? undefined : where,
      says: says === 'nothing' ? [] : listOf(says, ';'),
      then: then === '' ? undefined : then,
      remembers: listOf(remembers, ';'),
      because,
      line,
    };
  });
}

/** The rows of a cell: those that name what is remembered, else those that name nothing. One, where the table is whole. */
export function rowsOf(rows: readonly DecisionRow[], { state, told, where }: DecisionCell): DecisionRow[] {
  const all = rows.filter((row) => row.states.includes(state) && row.told.includes(told));
  const named = all.filter((row) => row.where === where);
  return named.length > 0 ? named : all.filter((row) => row.where === undefined);
}

/** The words of a page, without what makes them a table, a list or code. */
export function wordsOf(text: string): string {
  return text.replace(/[`*]/gu, '').replace(/\|/gu, ' ').replace(/\s+/gu, ' ').trim();
}

/** The rows of so many fields, without the heads of their tables. */
function cellsOf(file: URL, columns: number): { readonly line: string; readonly cells: readonly string[] }[] {
  const tables = readFileSync(file, 'utf8').split(/\n(?!\|)/u);
  const rows = tables.flatMap((table) =>
    table
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2),
  );
  return rows
    .map((line) => ({
      line,
      cells: line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    }))
    .filter(({ cells }) => cells.length === columns);
}

function listOf(text: string, separator: string): string[] {
  return text === '' ? [] : text.split(separator).map((each) => each.trim());
}
