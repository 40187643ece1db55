import type { WalkedEvent } from '../transport-alphabet.ts';
import { regionsOf, runningOf, type Change, type Operation, type WalkState } from './walk-state.ts';
import type { ClientUnderTest } from './client-under-test.ts';

/** Something that happens to a client in the world, and what its chart must then be told. */
export interface Stimulus {
  readonly name: string;
  /** Stimuli of the same class differ in nothing that a guard tells apart: paths are planned with one of them, and driven with each in turn. */
  readonly alike: string;
  /** In order; undefined where it cannot happen. */
  readonly tells: (state: WalkState) => (Change & { readonly events: readonly WalkedEvent[] }) | undefined;
  readonly happen: (driver: ClientUnderTest, state: WalkState) => Promise<void> | void;
}

/** An event of the chart. */
export const on = (type: string, more: object = {}): WalkedEvent => ({ type, ...more });

/** True while the server has not answered an operation. */
export function isUnanswered(state: WalkState, operation: Operation): boolean {
  const { stage } = runningOf(state, operation) ?? {};
  return stage === 'held' || stage === 'sent';
}

/** True while a connection is being opened, or open. */
export const isOperationRunning = (state: WalkState, operation: Operation): boolean => {
  const { stage = 'gated' } = runningOf(state, operation) ?? {};
  return stage !== 'gated';
};

export const isGateOpen = ({ snapshot }: WalkState): boolean => regionsOf(snapshot)?.gate === 'open';

/** After a gap the projection asks for the snapshot, as soon as the gate is open: that question would be taken for the chart's own. */
export const rebasing = (state: WalkState): Change => (isGateOpen(state) ? {} : { ends: true });

/** Facts wait for consumers only while the chart reads. */
export function mayFill({ snapshot }: WalkState): boolean {
  return regionsOf(snapshot)?.delivering !== 'full';
}
