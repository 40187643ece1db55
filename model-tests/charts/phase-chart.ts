import { createMachine, type AnyStateMachine } from 'xstate';
import type { PhaseTable } from '../../machines/index.ts';

/** A table of any phases, events and effects. */
export type AnyPhaseTable = PhaseTable<string, string, string>;
/** What a table and its phases mean. */
export interface PhaseDescriptions {
  readonly table: string;
  readonly phases: Readonly<Record<string, string>>;
}
type PhaseRow = AnyPhaseTable['phases'][string];
type PhaseCell = PhaseRow['on'][string];

/**
 * A table of phases as a chart, to be drawn, opened in Stately and walked like the others. An event that changes nothing, and one that cannot
 * come, have no arrow.
 */
export function phaseChart({ id, initial, phases }: AnyPhaseTable, descriptions: PhaseDescriptions): AnyStateMachine {
  const states = Object.fromEntries(Object.entries(phases).map(([phase, row]) => [phase, stateOf(row, descriptions.phases[phase])]));
  const start = { target: initial.to, ...(initial.effects.length > 0 && { actions: initial.effects }) };
  // Made of strings, so that XState cannot infer what it types by.
  return createMachine({ id, description: descriptions.table, initial: start, states } as never);
}

function stateOf({ tags, on }: PhaseRow, description: string | undefined): object {
  const arrows = Object.entries(on).flatMap(([event, cell]) => (typeof cell === 'string' ? [] : [[event, arrowOf(cell)]]));
  return { description, ...(tags && { tags }), on: Object.fromEntries(arrows) as object };
}

function arrowOf({ to, effects }: Exclude<PhaseCell, string>): object {
  return { ...(to !== undefined && { target: to }), ...(effects.length > 0 && { actions: effects }) };
}
