import type { AnyPhaseTable } from '../charts/phase-chart.ts';

/** By hand: what is done before all else on an event that leads there, by table. */
const firstEffects: Readonly<Record<string, (event: string, to: string | undefined) => string | undefined>> = {
  // Before anybody hears of it, so that who comes back does not meet it.
  multiplexed: (_event, to) => (to === 'over' ? 'forget' : undefined),
  'shared-stream': (_event, to) => (to === 'over' ? 'forget' : undefined),
  // Before it hears why, so that it may come back at once.
  channel: (event) => (/^ended\.|^channel\.closed$/u.test(event) ? 'leave' : undefined),
};

/** The cells of a table in which something else is done first. */
export function lateEffects({ id, phases }: AnyPhaseTable): string[] {
  return Object.entries(phases).flatMap(([phase, { on }]) =>
    Object.entries(on).flatMap(([event, cell]) => {
      const first = typeof cell === 'object' ? firstEffects[id]?.(event, cell.to) : undefined;
      return first === undefined || (typeof cell === 'object' && cell.effects[0] === first)
        ? []
        : [`${phase} × ${event}: ${first} is not first`];
    }),
  );
}
