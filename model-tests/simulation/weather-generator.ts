import type { SeededRandom } from '../support/seeded-random.ts';
import { TROUBLE_MS, type Decision } from './plan.ts';

/** How many of all histories have proxies that speak, and pages that are frozen while their connections die. */
export const WEATHER_SHARE = 0.2;

/** Draws what lies between clients and nodes, and is nobody's word. */
export function generateWeather(random: SeededRandom, clients: number): readonly Decision[] {
  return Array.from({ length: random.pick([1, 1, 2, 3]) }, (): Decision => {
    const at = random.below(TROUBLE_MS - 6_000);
    const client = random.below(clients);
    if (random.odds(0.6))
      return {
        kind: 'proxy speaks',
        at,
        client,
        ms: random.pick([300, 1_500, 4_000]),
        status: random.pick([200, 302, 400, 403, 404, 405, 421]),
      };
    return { kind: 'page freezes', at, client, ms: random.pick([1_000, 5_000, 9_000]) };
  });
}
