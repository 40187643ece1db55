import { readFileSync } from 'node:fs';

/** One row of a table of decisions; see `task.md`. */
export interface DecisionRow {
  readonly states: readonly string[];
  readonly told: readonly string[];
  /** Undefined for all that no other row of the same cell names. */
  readonly where: readonly string[] | undefined;
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

/** What is to be seen of a state. */
export interface StateRow {
  readonly state: string;
  readonly tags: readonly string[];
  /** Nothing follows it. */
  readonly isEnd: boolean;
  /** It is left as soon as it is entered: nobody sees it. */
  readonly isPassing: boolean;
  /** The actors that run in it. */
  readonly runs: readonly string[];
  /** The times that pass in it. */
  readonly waits: readonly string[];
  /** What a node may have to do in it. */
  readonly owes: readonly string[];
}

/** How long one of the times is. */
export interface TimeRow {
  readonly time: string;
  /** The cell by which it is told, as `state: what it remembers`; empty where that makes no difference. */
  readonly where: string;
  readonly ms: number;
  readonly because: string;
}

/** Where a second region goes, whatever the first one does. */
export interface RegionRow {
  readonly states: readonly string[];
  readonly told: readonly string[];
  readonly then: string;
  readonly because: string;
}

interface Table {
  readonly head: readonly string[];
  readonly rows: readonly { readonly line: string; readonly cells: readonly string[] }[];
}

const END = ' (end)';

/** Reads the states of a page of decisions, in their order. */
export function stateRows(file: URL): StateRow[] {
  return rowsUnder(file, 'state').map(({ cells: [state = '', tags = '', runs = '', waits = '', owes = ''] }) => ({
    state: state.replace(END, ''),
    tags: tags === 'at once' ? [] : listOf(tags, ',').sort(),
    isEnd: state.endsWith(END),
    isPassing: tags === 'at once',
    runs: listOf(runs, ','),
    waits: listOf(waits, ',').sort(),
    owes: listOf(owes, ',').sort(),
  }));
}

/** Reads how long the times of a page of decisions are. */
export function timeRows(file: URL): TimeRow[] {
  return rowsUnder(file, 'time').map(({ cells: [time = '', where = '', ms = '', because = ''] }) => ({
    time,
    where,
    ms: Number(ms),
    because,
  }));
}

/** Reads the table of a second region, which is headed by its name. */
export function regionRows(file: URL, region: string): RegionRow[] {
  return rowsUnder(file, region).map(({ cells: [states = '', told = '', then = '', because = ''] }) => ({
    states: listOf(states, ','),
    told: listOf(told, ','),
    then,
    because,
  }));
}

/** Reads the tables of a page of decisions; names of groups stand for the states, and for what is told, that they have. */
export function decisionRows(file: URL, groups: Readonly<Record<string, readonly string[]>> = {}): DecisionRow[] {
  const named = (text: string): string[] => listOf(text, ',').flatMap((name) => groups[name] ?? [name]);
  return rowsUnder(file, 'in').map(({ line, cells }) => {
    const [states = '', told = '', where = '', says = '', then = '', remembers = '', because = ''] = cells;
    return {
      states: named(states),
      told: named(told),
      where: where === '' ? undefined : listOf(where, ';'),
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
  const named = all.filter((row) => row.where?.includes(where));
  return named.length > 0 ? named : all.filter((row) => row.where === undefined);
}

/** The words of a page, without what makes them a table, a list or code. */
export function wordsOf(text: string): string {
  return text.replace(/[`*]/gu, '').replace(/\|/gu, ' ').replace(/\s+/gu, ' ').trim();
}

/** The rows of the tables whose first column is headed so. */
function rowsUnder(file: URL, heading: string): Table['rows'] {
  return tablesOf(file)
    .filter(({ head }) => head[0] === heading)
    .flatMap(({ rows }) => rows);
}

function tablesOf(file: URL): Table[] {
  return readFileSync(file, 'utf8')
    .split(/\n(?!\|)/u)
    .map((table) => table.split('\n').filter((line) => line.startsWith('|')))
    .filter((lines) => lines.length > 2)
    .map(([head = '', , ...rows]) => ({ head: cellsIn(head), rows: rows.map((line) => ({ line, cells: cellsIn(line) })) }));
}

function cellsIn(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}

function listOf(text: string, separator: string): string[] {
  return text === '' ? [] : text.split(separator).map((each) => each.trim());
}
