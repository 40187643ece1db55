import type { SeededRandom } from '../support/seeded-random.ts';
import { TROUBLE_MS, type Decision } from './plan.ts';

/** How many of all histories have providers of credentials that fail, and clocks that are set beside them. */
export const PROVIDERS_SHARE = 0.15;

/** Draws what befalls those who give credentials: they throw or never settle, and their devices' clocks are set by hours. */
export function generateProviders(random: SeededRandom, clients: number): readonly Decision[] {
  const faults = Array.from({ length: random.between(1, 5) }, (): Decision => {
    const [on, within] = random.pick([['provider', 40] as const, ['provider', 40] as const, ['refresh', 4] as const]);
    return { kind: 'fault', on, nth: random.below(within), what: random.pick(['before', 'before', 'silence']) };
  });
  const jumps = Array.from({ length: random.pick([0, 1, 1, 2]) }, (): Decision => {
    const at = 1_000 + random.below(TROUBLE_MS - 5_000);
    return { kind: 'client clock', at, client: random.below(clients), byMs: random.between(-7_200_000, 7_200_000) };
  });
  return [...faults, ...jumps];
}
