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
