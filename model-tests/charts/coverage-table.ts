import type { CheckedRow, CoverageRow, Share } from './coverage-row.ts';

const pure = 'pure chart';
const onStores = ['memory', 'lmdb', 'redis', 'two nodes on redis'];

/** The levels that each chart has to be walked at. */
const levels: Readonly<Record<string, readonly string[]>> = {
  task: [pure, ...onStores],
  suspension: [pure, ...onStores],
  transport: [pure, 'real client'],
  connection: [pure, 'real client'],
  recovery: [pure, 'real client'],
  attempt: [pure],
  outbox: [pure],
  entry: [pure],
  tab: [pure],
  viewer: [pure, 'real viewer'],
  multiplexed: [pure, 'real sockets'],
  channel: [pure, 'real sockets'],
  'shared-stream': [pure, 'real streams'],
};

/** The level at which each chart has to be held against rows by hand. */
const checkedAt: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(levels).map((chart) => [chart, pure])),
  viewer: 'real viewer',
  multiplexed: 'real sockets',
  channel: 'real sockets',
  'shared-stream': 'real streams',
};

/** The rows in the order of the levels, as a table. */
export function coverageTable(rows: readonly CoverageRow[], checked: readonly CheckedRow[] = []): string {
  const order = Object.entries(levels).flatMap(([chart, names]) => names.map((level) => `${chart} ${level}`));
  const place = ({ chart, level }: CoverageRow): number => order.indexOf(`${chart} ${level}`);
  const cell = ({ visited, there }: Share): string => (there === 0 ? '' : `${visited}/${there}`);
  const none = { visited: 0, there: 0 };
  const checkedOf = ({ chart, level }: CoverageRow): Share =>
    checked.find((row) => row.chart === chart && row.level === level)?.edges ?? none;
  const lines = [...rows]
    .sort((a, b) => place(a) - place(b))
    .map((row) => [
      row.chart,
      row.level,
      cell(row.states),
      cell(row.edges),
      cell(row.refusals),
      row.elsewhere === 0 ? '' : String(row.elsewhere),
      cell(checkedOf(row)),
      row.walked,
    ]);
  const table = [['chart', 'level', 'states', 'edges', 'refusals', 'elsewhere', 'checked', 'walked'], ...lines];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
  return table
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Every level that some chart has to be walked at. */
export const allLevels: readonly string[] = [...new Set(Object.values(levels).flat())];

/** The charts of these levels that are not held, arrow for arrow, against rows by hand. */
export function unchecked(checked: readonly CheckedRow[], of: readonly string[] = allLevels): string[] {
  return Object.entries(checkedAt).flatMap(([chart, level]) => {
    if (!of.includes(level)) return [];
    const edges = checked.find((row) => row.chart === chart && row.level === level)?.edges;
    return edges && edges.visited === edges.there ? [] : [`${chart}, ${level}: not checked${edges ? ' whole' : ''}`];
  });
}

/** What is wanting of these levels: one that was not walked, and one that was not walked whole. */
export function wanting(rows: readonly CoverageRow[], of: readonly string[] = allLevels): string[] {
  return Object.entries(levels).flatMap(([chart, names]) =>
    names.flatMap((level) => {
      if (!of.includes(level)) return [];
      const row = rows.find((one) => one.chart === chart && one.level === level);
      if (!row) return [`${chart}, ${level}: not walked`];
      const isWhole = [row.states, row.edges, row.refusals].every(({ visited, there }) => visited === there);
      return isWhole ? [] : [`${chart}, ${level}: not whole`];
    }),
  );
}
