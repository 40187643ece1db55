import type { SeededRandom } from '../support/seeded-random.ts';
import { TROUBLE_MS, type Decision } from './plan.ts';

/** How many of all histories with several clients have them as tabs of one browser. */
export const TABS_SHARE = 0.15;

/** Draws what befalls tabs: whoever leads them dies, closes or freezes, sooner or later. */
export function generateTabs(random: SeededRandom, clients: number): readonly Decision[] {
  return Array.from({ length: random.between(0, 4) }, (): Decision => {
    const at = random.below(TROUBLE_MS - 6_000);
    const client = random.below(clients);
    switch (random.below(4)) {
      case 0:
        return { kind: 'client dies', at, client, backMs: random.below(2_000) };
      case 1:
        return { kind: 'client closes', at, client, backMs: random.below(2_000) };
      default:
        return { kind: 'client freezes', at, client, ms: random.pick([300, 3_000, 9_000]) };
    }
  });
}
