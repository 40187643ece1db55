import type { CoverageRow } from './coverage-row.ts';
import type { AnyPhaseTable } from './phase-chart.ts';

/** Which cells of a table its owner has looked up: the table tells, as long as nobody calls `stop`. */
export class CellCoverage {
  readonly #table: AnyPhaseTable;
  readonly #visited = new Set<string>();
  readonly #restore: (() => void)[] = [];

  constructor(table: AnyPhaseTable) {
    this.#table = table;
    for (const [phase, row] of Object.entries(table.phases)) {
      const { on } = row;
      const told = new Proxy(on, {
        get: (cells, event: string) => {
          this.#visited.add(nameOf(phase, event));
          return cells[event];
        },
      });
      // Read-only for everybody else.
      const writable = row as { on: typeof on };
      writable.on = told;
      this.#restore.push(() => (writable.on = on));
    }
  }

  stop(): void {
    for (const restore of this.#restore) restore();
  }

  /** The cells that were looked up since the last call. */
  take(): string[] {
    const visited = [...this.#visited];
    this.#visited.clear();
    return visited;
  }
}

/** Every cell of a table by name: those that may come, and those that never do. */
export function cellsOf({ phases }: AnyPhaseTable): { readonly possible: string[]; readonly never: string[] } {
  const all = Object.entries(phases).flatMap(([phase, { on }]) =>
    Object.entries(on).map(([event, cell]) => ({ name: nameOf(phase, event), isNever: cell === 'never' })),
  );
  const named = (isNever: boolean): string[] => all.filter((cell) => cell.isNever === isNever).map(({ name }) => name);
  return { possible: named(false), never: named(true) };
}

export function nameOf(phase: string, event: string): string {
  return `${phase} × ${event}`;
}

/** The row of a walk over the cells of a table by whoever owns it. Each cell that may come counts as an edge. */
export function cellRow(table: AnyPhaseTable, level: string, visited: ReadonlySet<string>, walked: string): CoverageRow {
  const { possible, never } = cellsOf(table);
  const phases = Object.keys(table.phases);
  const share = (names: readonly string[], isVisited: (name: string) => boolean) => ({
    visited: names.filter(isVisited).length,
    there: names.length,
  });
  return {
    chart: table.id,
    level,
    states: share(phases, (phase) => [...visited].some((name) => name.startsWith(`${phase} `))),
    edges: share(possible, (name) => visited.has(name)),
    refusals: { visited: 0, there: 0 },
    elsewhere: never.length,
    walked,
  };
}
