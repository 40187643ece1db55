import type { Plan } from '../../../server/ports/index.ts';
import { heldBy, wakes, wanted } from '../../conformance/store/samples.ts';

/** The node that holds tasks of {@link planOf}. */
export const HOLDER = 'a-node';

/** What the commit that leads to a revision plans: each kind in turn. */
export function planOf(revision: number): Plan {
  return (
    [wakes(revision), wanted(revision), heldBy(HOLDER), { wakeAt: revision, work: { readyAt: revision } }][revision % 4] ?? heldBy(HOLDER)
  );
}

/** The states of {@link stateOf}. */
export const STATES = ['ASKED', 'RUNNING', 'TOLD'] as const;

/** The public state at a revision: each in turn. A task begins in that of revision 1. */
export function stateOf(revision: number): string {
  return STATES[revision % STATES.length] ?? '';
}
