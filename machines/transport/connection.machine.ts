import { assign, fromCallback, sendTo, setup, type AnyActorRef } from 'xstate';
import type { ConnectionEvent, ConnectionStart, ConnectionEnding } from './events.ts';
import { stub } from './context.ts';
import type { TransportName } from '../wire/transports.ts';

/** What the chart of one connection remembers. */
export interface ConnectionContext {
  readonly transport: TransportName;
  /** Malformed frames in a row, at most 2. */
  readonly malformed: number;
  /** How it ended; a loss until something else is known. */
  readonly ending: ConnectionEnding;
}

const begin = ({ input }: { input?: ConnectionStart }): ConnectionContext => ({
  // A pure walk of the chart has no input.
  transport: input?.transport ?? 'ws',
  malformed: 0,
  ending: { kind: 'lost' },
});
const inputOf = ({ context }: { context: ConnectionContext }): ConnectionStart => ({ transport: context.transport });
const endingOf = ({ context }: { context: ConnectionContext }): ConnectionEnding => context.ending;

/** Whom it tells. A chart that is walked alone has nobody above it: it tells itself, and does not listen. */
const parent = ({ self }: { self: AnyActorRef }): AnyActorRef => self._parent ?? self;

/**
 * One connection, of whichever transport its input names: from the gate to its end. It tells the transport chart what it meets, and decides
 * nothing beyond itself: a connection that climbs beside another is the same as one that delivers.
 *
 * Tags: `offline`, `connecting`, `live`.
 */
export const connectionMachine = setup({
  types: {} as {
    context: ConnectionContext;
    events: ConnectionEvent;
    input: ConnectionStart;
    output: ConnectionEnding;
    children: { gate: 'watchGate'; stream: 'openStream'; pollOnce: 'pollOnce'; pollAndWait: 'pollAndWait' };
    tags: 'offline' | 'connecting' | 'live';
  },
  actors: {
    watchGate: fromCallback<ConnectionEvent>(stub('watchGate')),
    openStream: fromCallback<ConnectionEvent, ConnectionStart>(stub('openStream')),
    pollOnce: fromCallback<ConnectionEvent>(stub('pollOnce')),
    pollAndWait: fromCallback<ConnectionEvent>(stub('pollAndWait')),
  },
  delays: {
    openTimeout: 30_000,
    silentTime: 2_000,
    muteTime: 3_000,
    livenessTimeout: 60_000,
    pollTimeout: 35_000,
    emptyPause: 500,
  },
  guards: {
    isPoll: ({ context }) => context.transport === 'poll',
    isThirdMalformed: ({ context }) => context.malformed >= 2,
  },
  actions: {
    countMalformed: assign({ malformed: ({ context }) => Math.min(context.malformed + 1, 2) }),
    forgetMalformed: assign({ malformed: 0 }),
    noteEnding: assign({ ending: ({ context, event }) => (event.type === 'wire.ended' ? event.ending : context.ending) }),
    noteGate: assign({ ending: { kind: 'gated' } }),
    noteMute: assign({ ending: { kind: 'mute' } }),
    tellOffline: sendTo(parent, ({ context: { transport } }) => ({ type: 'connection.offline', transport })),
    tellOpening: sendTo(parent, ({ context: { transport } }) => ({ type: 'connection.opening', transport })),
    tellSilent: sendTo(parent, ({ context: { transport } }) => ({ type: 'connection.silent', transport })),
    tellLive: sendTo(parent, ({ context: { transport } }) => ({ type: 'connection.live', transport })),
    tellLevel: sendTo(parent, ({ context: { transport } }) => ({ type: 'connection.level', transport })),
    tellFacts: sendTo(parent, ({ context: { transport } }) => ({ type: 'connection.heard', transport, hasFacts: true })),
    tellAlive: sendTo(parent, ({ context: { transport } }) => ({ type: 'connection.heard', transport, hasFacts: false })),
    tellRenewed: sendTo(parent, ({ context: { transport } }) => ({ type: 'connection.renewed', transport })),
    // Provided by whoever wants to know of time-outs; nothing depends on them.
    reportMute: () => undefined,
    reportSilence: () => undefined,
  },
}).createMachine({
  id: 'connection',
  description: 'One connection of any transport.',
  context: begin,
  output: endingOf,
  initial: 'gated',
  on: {
    'wire.ended': { description: 'The other side, or what came from it, ended it.', target: '.over', actions: 'noteEnding' },
    'wire.malformed': [
      { description: 'Three in a row are a loss.', guard: 'isThirdMalformed', target: '.over' },
      { actions: 'countMalformed' },
    ],
    'credentials.renewed': { description: 'Newer ones are there before these end.', actions: 'tellRenewed' },
  },
  states: {
    gated: {
      description: 'Asks the gate, and passes at once where that is open.',
      tags: ['offline'],
      invoke: { src: 'watchGate', id: 'gate' },
      on: {
        'gate.closed': { description: 'Waits.', actions: 'tellOffline' },
        'gate.opened': [
          { guard: 'isPoll', target: 'poll', actions: 'tellOpening' },
          { target: 'stream', actions: 'tellOpening' },
        ],
      },
    },
    stream: {
      description: 'One long answer: a WebSocket or server-sent events.',
      invoke: { src: 'openStream', id: 'stream', input: inputOf },
      initial: 'opening',
      on: {
        'wire.level': { description: 'All that comes now is new.', actions: 'tellLevel' },
      },
      states: {
        opening: {
          description: 'Waits for the first word.',
          tags: ['connecting'],
          on: {
            'wire.confirmed': { target: 'live', actions: 'tellLive' },
            'wire.facts': { target: 'live', actions: ['forgetMalformed', 'tellLive', 'tellFacts'] },
            'wire.alive': { target: 'live', actions: ['forgetMalformed', 'tellLive', 'tellAlive'] },
          },
          after: { openTimeout: { description: 'No word in time.', target: '#connection.over', actions: 'reportMute' } },
          initial: 'unsent',
          states: {
            unsent: {
              description: 'Waits for credentials.',
              on: { 'wire.asked': { target: 'asked' } },
            },
            asked: {
              description: 'Our server says something at once.',
              on: { 'other.answered': { description: 'So it is not the network.', target: 'doubted' } },
              after: { silentTime: { description: 'Another way is tried beside it.', actions: 'tellSilent' } },
            },
            doubted: {
              description: 'Has a last while.',
              after: { muteTime: { description: 'Mute.', target: '#connection.over', actions: ['noteMute', 'reportMute'] } },
            },
          },
        },
        live: {
          description: 'Facts come as they are committed.',
          tags: ['live'],
          on: {
            'wire.facts': { target: 'live', reenter: true, actions: ['forgetMalformed', 'tellFacts'] },
            'wire.alive': { target: 'live', reenter: true, actions: ['forgetMalformed', 'tellAlive'] },
          },
          after: { livenessTimeout: { description: 'Silence.', target: '#connection.over', actions: 'reportSilence' } },
        },
      },
    },
    poll: {
      description: 'Asks again and again.',
      initial: 'connecting',
      on: {
        'wire.facts': { actions: ['forgetMalformed', 'tellFacts'] },
      },
      states: {
        connecting: {
          description: 'Asks once without waiting, so that a working rung is known at once.',
          tags: ['connecting'],
          invoke: { src: 'pollOnce', id: 'pollOnce' },
          on: {
            'wire.page': { target: 'asking', actions: ['tellLive', 'tellAlive'] },
            'wire.empty': { target: 'pausing', actions: ['tellLive', 'tellAlive'] },
          },
          after: { openTimeout: { description: 'No answer.', target: '#connection.over', actions: 'reportMute' } },
        },
        asking: {
          description: 'Asks the gate before each further poll.',
          tags: ['live'],
          invoke: { src: 'watchGate', id: 'gate' },
          on: {
            'gate.opened': { target: 'waiting' },
            'gate.closed': {
              description: 'What is next waits for it from the beginning.',
              target: '#connection.over',
              actions: 'noteGate',
            },
          },
        },
        waiting: {
          description: 'The server answers with news, or when the wait is over.',
          tags: ['live'],
          invoke: { src: 'pollAndWait', id: 'pollAndWait' },
          on: {
            'wire.page': { target: 'asking', actions: 'tellAlive' },
            'wire.empty': { target: 'pausing', actions: 'tellAlive' },
          },
          after: { pollTimeout: { description: 'No answer.', target: '#connection.over', actions: 'reportSilence' } },
        },
        pausing: {
          description: 'A short rest, so that a server that answers too early is not asked without end.',
          tags: ['live'],
          after: { emptyPause: { target: 'asking' } },
        },
      },
    },
    over: {
      description: 'The output says how it ended.',
      type: 'final',
    },
  },
});
