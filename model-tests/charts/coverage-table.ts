import type { CoverageRow, Share } from './coverage-row.ts';

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
};

/** The rows in the order of the levels, as a table. */
export function coverageTable(rows: readonly CoverageRow[]): string {
  const order = Object.entries(levels).flatMap(([chart, names]) => names.map((level) => `${chart} ${level}`));
  const place = ({ chart, level }: CoverageRow): number => order.indexOf(`${chart} ${level}`);
  const cell = ({ visited, there }: Share): string => (there === 0 ? '' : `${visited}/${there}`);
  const lines = [...rows]
    .sort((a, b) => place(a) - place(b))
    .map(({ chart, level, states, edges, refusals, elsewhere, walked }) => [
      chart,
      level,
      cell(states),
      cell(edges),
      cell(refusals),
      elsewhere === 0 ? '' : String(elsewhere),
      walked,
    ]);
  const table = [['chart', 'level', 'states', 'edges', 'refusals', 'elsewhere', 'walked'], ...lines];
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
