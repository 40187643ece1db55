import type { WalkedEvent } from '../transport-alphabet.ts';
import { regionsOf, runningOf, type Change, type Errand, type Moment } from './moment.ts';
import type { Puppet } from './puppet.ts';

/** Something that happens to a client in the world, and what its chart must then be told. */
export interface Stimulus {
  readonly name: string;
  /** Stimuli of the same class differ in nothing that a guard tells apart: paths are planned with one of them, and driven with each in turn. */
  readonly alike: string;
  /** In order; undefined where it cannot happen. */
  readonly tells: (moment: Moment) => (Change & { readonly events: readonly WalkedEvent[] }) | undefined;
  readonly happen: (puppet: Puppet, moment: Moment) => Promise<void> | void;
}

/** An event of the chart. */
export const on = (type: string, more: object = {}): WalkedEvent => ({ type, ...more });

/** True while the server has not answered an errand. */
export function isUnanswered(moment: Moment, errand: Errand): boolean {
  const { stage } = runningOf(moment, errand) ?? {};
  return stage === 'held' || stage === 'sent';
}

/** True while a connection is being opened, or open. */
export const isRunning = (moment: Moment, errand: Errand): boolean => {
  const { stage = 'gated' } = runningOf(moment, errand) ?? {};
  return stage !== 'gated';
};

export const isGateOpen = ({ snapshot }: Moment): boolean => regionsOf(snapshot)?.gate === 'open';

/** After a gap the projection asks for the snapshot, as soon as the gate is open: that question would be taken for the chart's own. */
export const rebasing = (moment: Moment): Change => (isGateOpen(moment) ? {} : { ends: true });

/** Facts wait for consumers only while the chart reads. */
export function mayFill({ snapshot }: Moment): boolean {
  return regionsOf(snapshot)?.delivering !== 'full';
}
