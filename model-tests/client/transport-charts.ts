import { connectionMachine, recoveryMachine, transportMachine, type Settlement, type TransportInput } from 'taskbridge/machines';
import { fromCallback, fromPromise, type OutputFrom } from 'xstate';
import type { ActingChart, ActingEvent } from '../charts/acting-chart.ts';

/** How a connection ended. */
export type WalkedEnding = OutputFrom<typeof connectionMachine>;

const refusals = [
  { status: 401 },
  { status: 401, code: 'AUTHENTICATION_ERROR' },
  { status: 403 },
  { status: 403, isUnknown: true },
  { status: 302 },
  { status: 403, code: 'TASK_OWNERSHIP_ERROR' },
  { status: 404, code: 'NOT_FOUND' },
  { status: 404, code: 'TASK_NOT_FOUND' },
  { status: 503, code: 'STORE_UNAVAILABLE' },
  { status: 503 },
  { status: 409, verdict: 'retry' },
  { status: 409, verdict: 'final' },
  { status: 422, code: 'REQUEST_VALIDATION_ERROR' },
] as const;

/** Every way in which a connection can end that a guard tells apart. */
export const endings: readonly WalkedEnding[] = [
  { kind: 'lost' },
  { kind: 'mute' },
  { kind: 'unopened' },
  { kind: 'ended' },
  { kind: 'gated' },
  { kind: 'lost', error: 'no socket', verdict: 'final' },
  { kind: 'unauthorized', error: 'no token' },
  { kind: 'unauthorized', error: 'no token', verdict: 'final' },
  { kind: 'unsendable', error: 'no route' },
  { kind: 'closed', closeCode: 1000 },
  { kind: 'closed', closeCode: 1008 },
  { kind: 'closed', closeCode: 1008, isUnknown: true },
  { kind: 'closed', closeCode: 1000, verdict: 'final' },
  ...refusals.map((refusal) => ({ kind: 'refused' as const, ...refusal })),
];

/** The charts with actors that never say anything by themselves. */
export const quietConnection = connectionMachine.provide({
  actors: {
    watchGate: fromCallback(() => undefined),
    openStream: fromCallback(() => undefined),
    pollOnce: fromCallback(() => undefined),
    pollAndWait: fromCallback(() => undefined),
  },
});
export const quietRecovery = recoveryMachine.provide({
  actors: {
    settle: fromPromise<Settlement>(() => new Promise(() => undefined)),
    // It never answers, whatever the answer is typed as.
    refreshCredentials: fromPromise(() => new Promise(() => undefined)) as never,
  },
});
export const quiet = transportMachine.provide({
  actors: { connection: quietConnection, recovery: quietRecovery, watchNetwork: fromCallback(() => undefined) },
});

const names = ['ws', 'sse', 'poll'] as const;

/** Those that the transport chart itself tells apart. */
const tellingEndings: readonly WalkedEnding[] = [
  { kind: 'lost' },
  { kind: 'gated' },
  { kind: 'mute' },
  { kind: 'refused', status: 405, code: 'METHOD_NOT_ALLOWED' },
  { kind: 'refused', status: 403, code: 'TASK_OWNERSHIP_ERROR' },
];

/** What the connections, the log and the consumers tell the transport chart, and what a recovery comes to. */
const transportAlphabet: readonly ActingEvent[] = [
  ...names.flatMap((transport) => [
    ...['offline', 'opening', 'silent', 'live', 'level', 'renewed'].map((what) => ({ type: `connection.${what}`, transport })),
    ...[true, false].map((hasFacts) => ({ type: 'connection.heard', transport, hasFacts })),
    ...tellingEndings.map((ending) => ({ type: `xstate.done.actor.${transport}`, actorId: transport, output: ending })),
  ]),
  { type: 'log.ended' },
  { type: 'log.gap', reason: 'trimmed' },
  { type: 'consumer.full' },
  { type: 'consumer.drained' },
  { type: 'network.changed' },
  ...['finished', 'lost', 'barred', 'routeless', 'refreshed', 'misplaced', 'failed'].map((next) => ({
    type: 'xstate.done.actor.recovery',
    output: { next, failure: next === 'failed' ? { code: 'REQUEST_REFUSED', message: '' } : null, retryAfterMs: 0 },
  })),
];

/** The transport chart with these tries. Counters of failures and what they made of rests decide nothing. */
export const transportChart = (tries: TransportInput['tries'], refreshable = true): ActingChart => ({
  machine: quiet,
  input: { tries, strategy: 'progressive-sticky', refreshable } satisfies TransportInput,
  alphabet: transportAlphabet,
  keyOf: ({ value, context }) => {
    // The snapshot of just any machine is typed as anything.
    const {
      tries: budget,
      left,
      barred,
      transport,
      probe,
    } = context as {
      tries: object;
      left: object;
      barred: object;
      transport: string;
      probe: string | null;
    };
    return JSON.stringify([value, Object.values(budget), Object.values(left), barred, transport, probe]);
  },
});

/** The chart of one connection. */
export const connectionChart = (transport: (typeof names)[number]): ActingChart => ({
  machine: quietConnection,
  input: { transport },
  alphabet: [
    ...['asked', 'confirmed', 'level', 'alive', 'facts', 'malformed', 'page', 'empty'].map((what) => ({ type: `wire.${what}` })),
    { type: 'other.answered' },
    ...endings.map((ending) => ({ type: 'wire.ended', ending })),
    { type: 'credentials.renewed' },
    { type: 'gate.opened' },
    { type: 'gate.closed' },
  ],
  keyOf: ({ value, context }) => JSON.stringify([value, (context as { malformed: number }).malformed]),
});

/** What may come of asking for new credentials. */
const refreshAnswers = [
  { outcome: 'given' },
  { outcome: 'none' },
  { outcome: 'failed', error: 'no token' },
  { outcome: 'failed', error: 'no token', verdict: 'final' },
] as const;

/** The chart of one recovery, after each ending that it may begin with. */
export const recoveryCharts: readonly ActingChart[] = (['ws', 'poll'] as const).flatMap((transport) =>
  endings.flatMap((ending) =>
    (
      [
        ['nothing', 'trusted'],
        ['unauthorized', 'trusted'],
        ['closed', 'trusted'],
        ['nothing', 'stored'],
      ] as const
    ).map(([refreshable, cursor]) => ({
      machine: quietRecovery,
      input: { transport, ending, refreshable, cursor },
      alphabet: [
        { type: 'xstate.done.actor.settle', output: { outcome: 'finished' } },
        { type: 'xstate.done.actor.settle', output: { outcome: 'unfinished' } },
        ...refusals.map((refusal) => ({ type: 'xstate.done.actor.settle', output: { outcome: 'refused', ...refusal } })),
        { type: 'xstate.error.actor.settle', error: 'network' },
        ...refreshAnswers.map((output) => ({ type: 'xstate.done.actor.refresh', output })),
      ],
      keyOf: ({ value, context }) => JSON.stringify([value, context]),
    })),
  ),
);
