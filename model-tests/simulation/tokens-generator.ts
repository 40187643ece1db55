import type { SeededRandom } from '../support/seeded-random.ts';
import type { Decision, TokensPlan } from './plan.ts';

/** How many of all histories have tokens that end by themselves. */
export const TOKENS_SHARE = 0.12;

/** Draws how long tokens are good, who knows it, and what goes wrong when new ones are asked for. */
export function generateTokens(random: SeededRandom): { readonly tokens: TokensPlan; readonly decisions: readonly Decision[] } {
  const tokens: TokensPlan = {
    lifeMs: random.between(4_500, 15_000),
    clientKnows: random.odds(0.6),
    serverKnows: random.odds(0.7),
    looksAtClock: random.odds(0.3),
  };
  const decisions = Array.from({ length: random.pick([0, 0, 1, 2]) }, (): Decision => {
    return { kind: 'fault', on: 'refresh', nth: random.below(6), what: random.pick(['before', 'slow', 'slow']) };
  });
  return { tokens, decisions };
}
