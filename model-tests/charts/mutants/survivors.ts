import { faultsOf, judgedCells, type Decisions, type JudgedCell } from '../decisions/decisions.ts';
import { alike } from './alike.ts';
import { implementationMutantsOf } from './implementation-mutants.ts';
import { mutantsOf, type Mutant } from './mutants.ts';

/** What a table found of the small faults of its chart. */
export interface Found {
  readonly chart: string;
  /** Names of the faults that were planted. */
  readonly planted: readonly string[];
  /** Those that the table did not find. */
  readonly lived: readonly string[];
  /** Those of them that nobody has shown to change nothing. */
  readonly unexplained: readonly string[];
  /** What is said to change nothing, and was found or not even planted. */
  readonly outdated: readonly string[];
}

/** Holds every small fault of a chart against its table; `isWanted` chooses some of them by name. */
export function plantIn<Context>(decisions: Decisions<Context>, isWanted: (name: string) => boolean = () => true): Found {
  const cells = judgedCells(decisions);
  const planted: string[] = [];
  const lived: string[] = [];
  for (const mutant of faultyCharts(decisions, cells)) {
    if (!isWanted(mutant.name)) continue;
    planted.push(mutant.name);
    if (isAlive(decisions, mutant, cells)) lived.push(mutant.name);
  }
  const reasons = alike[decisions.machine.id] ?? {};
  return {
    chart: decisions.machine.id,
    planted,
    lived,
    unexplained: lived.filter((name) => !(name in reasons)),
    outdated: Object.keys(reasons).filter((name) => isWanted(name) && !lived.includes(name)),
  };
}

function* faultyCharts<Context>(decisions: Decisions<Context>, cells: readonly JudgedCell[]): Generator<Mutant> {
  yield* mutantsOf(decisions.machine);
  yield* implementationMutantsOf(decisions, cells);
}

/** The cells of the state that the fault is in come first: most faults are seen there. */
function isAlive<Context>(decisions: Decisions<Context>, { machine, path }: Mutant, cells: readonly JudgedCell[]): boolean {
  const own = `"${path.at(-1)}"`;
  const isNear = ({ state }: JudgedCell): boolean => path.length > 0 && JSON.stringify(valueIn(decisions, state)).includes(own);
  const [near, far] = [cells.filter(isNear), cells.filter((cell) => !isNear(cell))];
  return faultsOf(decisions, machine, [...near, ...far]).next().done === true;
}

function valueIn<Context>({ states, value }: Decisions<Context>, state: string): unknown {
  return states.some((row) => row.state === state) ? value(state) : '';
}
