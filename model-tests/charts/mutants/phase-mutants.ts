import { nameOf } from '../cell-coverage.ts';
import type { AnyPhaseTable } from '../phase-chart.ts';

type Cell = AnyPhaseTable['phases'][string]['on'][string];
interface Writable {
  initial: AnyPhaseTable['initial'];
  phases: Record<string, { tags?: readonly string[]; on: Record<string, Cell> }>;
}

/** One small fault of a table of phases, which is one for everybody: it is planted where it stands, and taken out again. */
export interface PhaseMutant {
  readonly name: string;
  /** The cell that it is in; none for what all cells share. */
  readonly cell: string;
  /** Gives what takes it out. */
  plant(): () => void;
}

/**
 * Every small fault of a table of phases: each cell that is nothing said never to come; each arrow dropped, and sent to each other phase; each effect
 * left out, each two of them swapped; each tag dropped, and given to each phase without it; another beginning.
 */
export function* phaseMutantsOf(table: AnyPhaseTable): Generator<PhaseMutant> {
  const { initial, phases } = table as Writable;
  const names = Object.keys(phases);
  const beginning = (fault: string, changed: AnyPhaseTable['initial']): PhaseMutant => ({
    name: `begins ${fault}`,
    cell: '',
    plant: () => planted(table as Writable, 'initial', changed),
  });
  for (const nth of initial.effects.keys())
    yield beginning(`without ${initial.effects[nth]}`, { ...initial, effects: initial.effects.toSpliced(nth, 1) });
  const tags = [...new Set(Object.values(phases).flatMap((row) => row.tags ?? []))];
  for (const [phase, row] of Object.entries(phases)) {
    for (const tag of row.tags ?? [])
      yield {
        name: `${phase} without the tag ${tag}`,
        cell: '',
        plant: () => planted(row, 'tags', row.tags?.filter((one) => one !== tag) ?? []),
      };
    for (const tag of tags)
      if (!row.tags?.includes(tag))
        yield { name: `${phase} with the tag ${tag}`, cell: '', plant: () => planted(row, 'tags', [...(row.tags ?? []), tag]) };
    for (const [event, cell] of Object.entries(row.on)) {
      const name = nameOf(phase, event);
      for (const [fault, changed] of cellChanges(cell, phase, names))
        yield { name: `${name} ${fault}`, cell: name, plant: () => planted(row.on, event, changed) };
    }
  }
}

function* cellChanges(cell: Cell, phase: string, phases: readonly string[]): Generator<readonly [fault: string, changed: Cell]> {
  if (cell === 'nothing') yield ['never comes', 'never'];
  if (typeof cell === 'string') return;
  const { to, effects } = cell;
  yield ['does nothing', 'nothing'];
  for (const other of phases) if (other !== (to ?? phase)) yield [`goes to ${other}`, { ...cell, to: other }];
  for (const nth of effects.keys()) yield [`without ${effects[nth]}`, { ...cell, effects: effects.toSpliced(nth, 1) }];
  if (effects.length > 1) yield ['with its effects the other way round', { ...cell, effects: effects.toReversed() }];
}

/** Sets what stands there, and gives what puts it back. */
function planted<T extends object, K extends keyof T>(of: T, key: K, changed: T[K]): () => void {
  const former = of[key];
  of[key] = changed;
  return () => void (of[key] = former);
}
