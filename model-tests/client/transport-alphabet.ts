import { transportMachine, type Settlement, type TransportContext } from 'taskbridge/machines';
import { fromCallback, fromPromise } from 'xstate';

/** One event of the walk: declared ones, and those that XState makes of actors and delays. */
export interface WalkedEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** What a walk reads of a snapshot. */
export interface WalkedSnapshot {
  readonly value: unknown;
  readonly context: TransportContext;
  readonly status: string;
}

const refusals = [
  { status: 401 },
  { status: 403, code: 'TASK_OWNERSHIP_ERROR' },
  { status: 404, code: 'NOT_FOUND' },
  { status: 404, code: 'TASK_NOT_FOUND' },
  { status: 503 },
  { status: 409, verdict: 'retry' },
  { status: 409, verdict: 'final' },
] as const;

/** Every event of the chart, with each payload that a guard tells apart. */
export const alphabet: readonly WalkedEvent[] = [
  ...['ws', 'sse'].flatMap((name) => ['confirmed', 'level', 'alive'].map((what) => ({ type: `${name}.${what}` }))),
  ...['ws', 'sse', 'poll'].flatMap((name) => ['facts', 'malformed', 'lost'].map((what) => ({ type: `${name}.${what}` }))),
  ...['ws', 'sse', 'poll'].flatMap((name) => refusals.map((refusal) => ({ type: `${name}.refused`, ...refusal }))),
  { type: 'ws.unopened' },
  { type: 'ws.closed', closeCode: 1000 },
  { type: 'ws.closed', closeCode: 1008 },
  { type: 'ws.closed', closeCode: 1000, verdict: 'final' },
  { type: 'sse.ended' },
  { type: 'poll.page' },
  { type: 'poll.empty' },
  { type: 'credentials.failed', error: 'no token' },
  { type: 'credentials.renewed' },
  { type: 'log.ended' },
  { type: 'log.gap', reason: 'trimmed' },
  { type: 'consumer.full' },
  { type: 'consumer.drained' },
  { type: 'gate.closed' },
  { type: 'gate.opened' },
  { type: 'xstate.done.actor.settle', output: { outcome: 'finished' } },
  { type: 'xstate.done.actor.settle', output: { outcome: 'unfinished' } },
  ...refusals.map((refusal) => ({ type: 'xstate.done.actor.settle', output: { outcome: 'refused', ...refusal } })),
  { type: 'xstate.error.actor.settle', error: 'network' },
  { type: 'xstate.done.actor.refresh' },
  { type: 'xstate.error.actor.refresh', error: 'no token' },
  ...delayEvents(),
];

function delayEvents(): WalkedEvent[] {
  const found = new Set<string>();
  const visit = (node: typeof transportMachine.root): void => {
    for (const type of node.transitions.keys()) if (type.startsWith('xstate.after.')) found.add(type);
    // Child nodes have the same type as the root.
    for (const child of Object.values(node.states)) visit(child as typeof transportMachine.root);
  };
  visit(transportMachine.root);
  return [...found].map((type) => ({ type }));
}

/** What makes two snapshots the same to the guards: back-off counters and failures decide nothing. */
export function keyOf({ value, context }: WalkedSnapshot): string {
  const { tries, left, malformed, refreshesLeft, transport } = context;
  return JSON.stringify([value, Object.values(tries), Object.values(left), malformed, refreshesLeft, transport]);
}

/** The chart with connections that never say anything by themselves. */
export const quiet = transportMachine.provide({
  actors: {
    openWebSocket: fromCallback(() => undefined),
    openEventStream: fromCallback(() => undefined),
    pollOnce: fromCallback(() => undefined),
    pollAndWait: fromCallback(() => undefined),
    watchGate: fromCallback(() => undefined),
    settle: fromPromise<Settlement>(() => new Promise(() => undefined)),
    refreshCredentials: fromPromise<void>(() => new Promise(() => undefined)),
  },
});
