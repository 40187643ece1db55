import { faultsOf, judgedCells, type Decisions, type JudgedCell } from '../decisions/decisions.ts';
import { alike } from './equivalent-mutants.ts';
import { implementationMutantsOf } from './action-mutants.ts';
import { mutantsOf, type Mutant } from './mutants.ts';
import { faultOf, type PhaseGate } from './phase-gates.ts';
import { phaseMutantsOf } from './phase-mutants.ts';

/** What a table found of the small faults of its chart. */
export interface Found {
  readonly chart: string;
  /** Names of all faults that there are. */
  readonly there: readonly string[];
  /** Names of those that were planted. */
  readonly planted: readonly string[];
  /** Those that the table did not find. */
  readonly lived: readonly string[];
  /** Those of them that nobody has shown to change nothing. */
  readonly unexplained: readonly string[];
  /** What is said to change nothing, and was found or is no more. */
  readonly outdated: readonly string[];
}

/** Chooses faults by name; `nth` is its place among those of its chart. */
export type Choice = (name: string, nth: number) => boolean;

/** Holds the small faults of a chart that are chosen against its table: all, unless some are chosen. */
export function plantIn<Context>(decisions: Decisions<Context>, isChosen: Choice = () => true): Found {
  const cells = scattered(judgedCells(decisions));
  const chart = decisions.machine.id;
  const [there, planted, lived]: [string[], string[], string[]] = [[], [], []];
  for (const mutant of faultyCharts(decisions, cells)) {
    const machine = isChosen(mutant.name, there.push(mutant.name)) ? mutant.machine() : undefined;
    if (!machine) continue;
    planted.push(mutant.name);
    if (faultsOf(decisions, machine, nearFirst(mutant, cells)).next().done) lived.push(mutant.name);
  }
  return foundOf(chart, there, planted, lived);
}

/** The same for a table of phases: one fault after the other stands in the table itself meanwhile. */
export async function plantInTable(gate: PhaseGate, isChosen: Choice = () => true): Promise<Found> {
  const [there, planted, lived]: [string[], string[], string[]] = [[], [], []];
  for (const mutant of phaseMutantsOf(gate.table)) {
    if (!isChosen(mutant.name, there.push(mutant.name))) continue;
    planted.push(mutant.name);
    const takeOut = mutant.plant();
    try {
      if ((await faultOf(gate, mutant.cell)) === undefined) lived.push(mutant.name);
    } finally {
      takeOut();
    }
  }
  return foundOf(gate.table.id, there, planted, lived);
}

function foundOf(chart: string, there: readonly string[], planted: readonly string[], lived: readonly string[]): Found {
  const reasons = alike[chart] ?? {};
  return {
    chart,
    there,
    planted,
    lived,
    unexplained: lived.filter((name) => !(name in reasons)),
    outdated: Object.keys(reasons).filter((name) => !there.includes(name) || (planted.includes(name) && !lived.includes(name))),
  };
}

function* faultyCharts<Context>(decisions: Decisions<Context>, cells: readonly JudgedCell[]): Generator<Mutant> {
  yield* mutantsOf(decisions.machine);
  yield* implementationMutantsOf(decisions, cells);
}

/** The cells of the state that the fault is in come first: most faults are seen there. */
function nearFirst({ path }: Mutant, cells: readonly JudgedCell[]): readonly JudgedCell[] {
  const own = path.at(-1);
  if (own === undefined) return cells;
  const isNear = (cell: JudgedCell): boolean => cell.within.includes(own);
  return [...cells.filter(isNear), ...cells.filter((cell) => !isNear(cell))];
}

/** In another order, always the same: what is wrong with one of many cells that are alike is found by one of the first. */
function scattered<T>(all: readonly T[]): T[] {
  const step = 37;
  return Array.from({ length: step }, (_, begin) => all.filter((_each, nth) => nth % step === begin)).flat();
}
