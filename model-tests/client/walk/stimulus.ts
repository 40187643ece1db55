import type { ChartId, WalkedEvent } from './chart-system.ts';
import { after, regionsOf, runningOf, type Change, type Operation, type WalkState } from './walk-state.ts';
import type { ClientUnderTest } from './client-under-test.ts';

/** Something that happens to a client in the world, and what its charts must then be told. */
export interface Stimulus {
  readonly name: string;
  /** Stimuli of the same class differ in nothing that a guard tells apart: paths are planned with one of them, and driven with each in turn. */
  readonly alike: string;
  /** In order; undefined where it cannot happen. */
  readonly tells: (state: WalkState) => (Change & { readonly events: readonly WalkedEvent[] }) | undefined;
  readonly happen: (driver: ClientUnderTest, state: WalkState) => Promise<void> | void;
}

const endings = ['lost', 'unopened', 'closed', 'ended', 'refused', 'unauthorized'];

/** What a chart is told, by a short name: `ws.facts` of a connection, `settle.done` of what a recovery asked, `log.ended` of the whole. */
export function on(name: string, more: object = {}): WalkedEvent {
  const [who = '', what = ''] = name.split('.');
  if (who === 'settle' || who === 'refresh') return { to: 'recovery', type: `xstate.${what}.actor.${who}`, ...more };
  if (who !== 'ws' && who !== 'sse' && who !== 'poll') return { to: 'transport', type: name, ...more };
  const to: ChartId = who;
  if (what === 'renewed') return { to, type: 'credentials.renewed' };
  return endings.includes(what) ? { to, type: 'wire.ended', ending: { kind: what, ...more } } : { to, type: `wire.${what}`, ...more };
}

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

export const isGateOpen = ({ isGateOpen: isOpen }: WalkState): boolean => isOpen;

/** After a gap the projection asks for the snapshot, as soon as the gate is open: that question would be taken for the chart's own. */
export const rebasing = (state: WalkState): Change => (isGateOpen(state) ? {} : { ends: true });

/** Facts wait for consumers only while somebody reads. */
export function mayFill(state: WalkState): boolean {
  return regionsOf(state)?.delivering !== 'full';
}

/** True where the client hears of a gap, so that its projection asks for the snapshot at once. */
export function hearsGap({ tells }: Stimulus, state: WalkState): boolean {
  const told = tells(state);
  return told !== undefined && isGateOpen(state) && after(state, told.events, told).told.some(({ type }) => type === 'log.gap');
}
