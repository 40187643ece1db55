import { connectionMachine } from '../../../machines/index.ts';
import type { ConnectionContext } from '../../../machines/transport/connection.machine.ts';
import { actingEffect, mayBeTold, over } from './acting-words.ts';
import { decisionRows, stateRows, timeRows } from './decision-table.ts';
import { BEGINNING, type ContextCell, type Decisions } from './decisions.ts';
import type { Effect } from './observed-step.ts';

const file = new URL('connection.md', import.meta.url);
const states = stateRows(file);
const opening = ['unsent', 'asked', 'doubted'];
const polling = ['connecting', 'asking', 'waiting', 'pausing'];
const words = ['wire.confirmed', 'wire.level', 'wire.alive', 'wire.facts'];
const pages = ['wire.page', 'wire.empty'];

const events: Readonly<Record<string, { readonly type: string; readonly [field: string]: unknown }>> = {
  'by WebSocket': { type: 'xstate.init', input: { transport: 'ws' } },
  'by stream': { type: 'xstate.init', input: { transport: 'sse' } },
  'by poll': { type: 'xstate.init', input: { transport: 'poll' } },
  ...Object.fromEntries(
    [...words, ...pages, 'wire.asked', 'wire.malformed', 'credentials.renewed', 'other.answered', 'gate.closed', 'gate.opened'].map(
      (type) => [type, { type }],
    ),
  ),
  'wire.ended': { type: 'wire.ended', ending: { kind: 'closed', closeCode: 1012 } },
  'after silentTime': over('silentTime', 'connection.stream.opening.asked'),
  'after muteTime': over('muteTime', 'connection.stream.opening.doubted'),
  'after livenessTimeout': over('livenessTimeout', 'connection.stream.live'),
  'after pollTimeout': over('pollTimeout', 'connection.poll.waiting'),
  'after emptyPause': over('emptyPause', 'connection.poll.pausing'),
  // The state in which it passes is the first of the two that know the time.
  'after openTimeout': over('openTimeout', 'connection.stream.opening'),
};
const pollTimeout = over('openTimeout', 'connection.poll.connecting');

const fresh: ConnectionContext = { transport: 'ws', malformed: 0, ending: { kind: 'lost' } };
const classes: Readonly<Record<string, Partial<ConnectionContext>>> = {
  nothing: {},
  'one malformed': { malformed: 1 },
  'two malformed': { malformed: 2 },
  stream: { transport: 'sse' },
  poll: { transport: 'poll' },
};

const beginnings: readonly ContextCell<ConnectionContext>[] = (
  [
    ['by WebSocket', 'ws'],
    ['by stream', 'sse'],
    ['by poll', 'poll'],
  ] as const
).map(([told, transport]) => ({ state: BEGINNING, told, where: 'nothing', before: { ...fresh, transport } }));

const cells: readonly ContextCell<ConnectionContext>[] = [
  ...beginnings,
  ...states
    .filter(({ isEnd }) => !isEnd)
    .flatMap((row) =>
      Object.entries(events)
        .filter(([, event]) => event.type !== 'xstate.init' && mayBeTold(row, event))
        .flatMap(([told]) =>
          Object.entries(classes)
            .filter(([where]) => row.state === 'gated' || !['stream', 'poll'].includes(where))
            .map(([where, context]) => ({
              state: row.state,
              told,
              where,
              before: { ...fresh, ...(polling.includes(row.state) && { transport: 'poll' as const }), ...context },
            })),
        ),
    ),
];

function said(word: string, { transport }: ConnectionContext): Effect {
  const [verb = '', what = ''] = word.split(' ');
  if (verb === 'does') return { type: 'does', action: what };
  if (verb === 'tells') {
    const hasFacts = { facts: true, alive: false }[what];
    const event = hasFacts === undefined ? { type: `connection.${what}`, transport } : { type: 'connection.heard', transport, hasFacts };
    return { type: 'tells', to: 'parent', event };
  }
  const sources = { gate: 'watchGate', stream: 'openStream', pollOnce: 'pollOnce', pollAndWait: 'pollAndWait' };
  return actingEffect(word, sources, word === 'opens stream' ? { transport } : undefined);
}

const changes: Readonly<Record<string, (before: ConnectionContext) => Partial<ConnectionContext>>> = {
  'malformed + 1': ({ malformed }) => ({ malformed: malformed + 1 }),
  'none malformed': () => ({ malformed: 0 }),
  ended: () => ({ ending: { kind: 'closed', closeCode: 1012 } }),
  mute: () => ({ ending: { kind: 'mute' } }),
  gated: () => ({ ending: { kind: 'gated' } }),
};

/** The chart of one connection, and `connection.md`. */
export const connectionDecisions: Decisions<ConnectionContext> = {
  name: 'connection',
  machine: connectionMachine,
  pages: ['client/README.md'],
  states,
  times: timeRows(file),
  rows: decisionRows(file, { opening, polling, words, pages, alive: ['gated', ...opening, 'live', ...polling] }),
  cells,
  events,
  eventIn: (told, state) => (told === 'after openTimeout' && state === 'connecting' ? pollTimeout : undefined),
  value: (state) => {
    if (opening.includes(state)) return { stream: { opening: state } };
    return state === 'live' ? { stream: state } : polling.includes(state) ? { poll: state } : state;
  },
  said: (word, _event, before) => [said(word, before)],
  changed: (word, before) => (changes[word] ? { ...before, ...changes[word](before) } : undefined),
  output: (_state, { ending }) => ending,
};
