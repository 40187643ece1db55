import { and, assign, fromCallback, fromPromise, not, or, setup, spawnChild, stateIn, stopChild } from 'xstate';
import {
  backoffMs,
  climbMs,
  isPolicyClose,
  isRouteMissing,
  isStream,
  isTransient,
  lower,
  refusalOf,
  verdictOf,
  type TransportContext,
} from './context.ts';
import type { Settlement, TransportEvent, TransportFailure, TransportInput } from './events.ts';
import type { TransportName } from '../wire/transports.ts';

const begin = ({ input }: { input?: TransportInput }): TransportContext => {
  // A pure walk of the chart has no input: it begins with one try each.
  const { tries, strategy, refreshable } = input ?? {
    tries: { ws: 1, sse: 1, poll: 1 },
    strategy: 'progressive-sticky',
    refreshable: true,
  };
  const budget =
    strategy === 'fast-cycle' ? { ws: Math.min(tries.ws, 1), sse: Math.min(tries.sse, 1), poll: Math.min(tries.poll, 1) } : tries;
  const refreshesMax = refreshable ? 2 : 0;
  return {
    strategy,
    tries: budget,
    left: budget,
    transport: 'ws',
    passes: 0,
    climbFailures: 0,
    malformed: 0,
    refreshesLeft: refreshesMax,
    refreshesMax,
    retryAfterMs: 0,
    continuity: 'resumed',
    failure: null,
  };
};
const failureOf = ({ context }: { context: TransportContext }): TransportFailure | null => context.failure;

const stub = (name: string) => (): never => {
  throw new Error(`The actor "${name}" was not provided. Fill it with transportMachine.provide({ actors: { ${name} } }).`);
};

/**
 * Decides how one observation of a task stays connected: which transport is tried, for how long, when to climb back up, when to give up.
 * Connections only report what they met; the named actors open them and are filled by `.provide()`.
 *
 * Tags: `connecting`, `live`, `waiting`, `offline`, `paused` and `ws`, `sse`, `poll` say what the delivering connection does; `climbing`
 * that a higher one is being tried beside it; `done`, `failed`.
 */
export const transportMachine = setup({
  types: {} as {
    context: TransportContext;
    events: TransportEvent;
    input: TransportInput;
    output: TransportFailure | null;
    children: {
      ws: 'openWebSocket';
      sse: 'openEventStream';
      pollOnce: 'pollOnce';
      pollAndWait: 'pollAndWait';
      settle: 'settle';
      refresh: 'refreshCredentials';
      gate: 'watchGate';
    };
    tags: 'connecting' | 'live' | 'waiting' | 'offline' | 'paused' | 'climbing' | 'done' | 'failed' | TransportName;
  },
  actors: {
    openWebSocket: fromCallback<TransportEvent>(stub('openWebSocket')),
    openEventStream: fromCallback<TransportEvent>(stub('openEventStream')),
    pollOnce: fromCallback<TransportEvent>(stub('pollOnce')),
    pollAndWait: fromCallback<TransportEvent>(stub('pollAndWait')),
    settle: fromPromise<Settlement>(stub('settle')),
    refreshCredentials: fromPromise<void>(stub('refreshCredentials')),
    watchGate: fromCallback<TransportEvent>(stub('watchGate')),
  },
  delays: {
    reconnectBackoff: ({ context }) => Math.max(context.retryAfterMs, backoffMs(context)),
    climbInterval: ({ context }) => climbMs(30_000, context),
    provingTime: 60_000,
    openTimeout: 30_000,
    livenessTimeout: 60_000,
    pollTimeout: 35_000,
    emptyPause: 500,
  },
  guards: {
    isGateClosed: stateIn({ observing: { gate: 'closed' } }),
    isGateOpen: stateIn({ observing: { gate: 'open' } }),
    isFull: stateIn({ observing: { delivering: 'full' } }),
    mayTryWebSocket: ({ context }) => context.left.ws > 0,
    mayTryEventStream: ({ context }) => context.left.sse > 0,
    mayTryLongPoll: ({ context }) => context.left.poll > 0,
    mayTryAgain: ({ context }) => context.tries.ws + context.tries.sse + context.tries.poll > 0,
    hasTriesLeft: ({ context }) => context.left[context.transport] > 0,
    hasLowerRung: ({ context }) => lower[context.transport].some((name) => context.left[name] > 0),
    mayClimbToWebSocket: ({ context }) => context.tries.ws > 0,
    hasEventStream: ({ context }) => context.tries.sse > 0,
    mayClimbToEventStream: and(['hasEventStream', stateIn({ observing: { delivering: { longPoll: 'live' } } })]),
    mayDescendToEventStream: and(['isGateOpen', 'mayClimbToEventStream']),
    deliversBelowTop: or([
      and(['mayClimbToWebSocket', stateIn({ observing: { delivering: { eventStream: 'live' } } })]),
      and(['mayClimbToWebSocket', stateIn({ observing: { delivering: { longPoll: 'live' } } })]),
      'mayClimbToEventStream',
    ]),
    isClimbingToWebSocket: stateIn({ observing: { climbing: 'webSocket' } }),
    isClimbingToEventStream: stateIn({ observing: { climbing: 'eventStream' } }),
    deliversFromStream: or([
      stateIn({ observing: { delivering: { webSocket: 'live' } } }),
      stateIn({ observing: { delivering: { eventStream: 'live' } } }),
    ]),
    needsNoClimb: not('deliversBelowTop'),
    lostItsStream: not('deliversFromStream'),
    isThirdMalformed: ({ context }) => context.malformed >= 2,
    isUnauthorized: ({ event }) => refusalOf(event).status === 401,
    isRefreshable: ({ context, event }) => context.refreshesLeft > 0 && refusalOf(event).status === 401,
    isPolicyClose: ({ event }) => event.type === 'ws.closed' && isPolicyClose(event.closeCode),
    isRefreshableClose: ({ context, event }) => context.refreshesLeft > 1 && event.type === 'ws.closed' && isPolicyClose(event.closeCode),
    isCleanClose: ({ event }) => event.type === 'ws.closed',
    isRouteMissing: ({ event }) => {
      const refusal = refusalOf(event);
      return isStream(event) && (refusal.status === 400 || refusal.status === 426 || isRouteMissing(refusal));
    },
    isRouteOfSettleMissing: ({ event }) => 'output' in event && isRouteMissing(refusalOf(event)),
    isRefusedForGood: ({ event }) => {
      const refusal = refusalOf(event);
      return refusal.status !== undefined && !isTransient(refusal.status) && !isRouteMissing(refusal);
    },
    isDeclaredFinal: ({ event }) => verdictOf(event) === 'final',
    isDeclaredPassing: ({ event }) => verdictOf(event) === 'retry',
    isPassing: ({ event }) => isTransient(refusalOf(event).status ?? 0),
    isFinished: ({ event }) => (event as { output?: Settlement }).output?.outcome === 'finished',
    isRefused: ({ event }) => (event as { output?: Settlement }).output?.outcome === 'refused',
  },
  actions: {
    openWebSocket: spawnChild('openWebSocket', { id: 'ws' }),
    openEventStream: spawnChild('openEventStream', { id: 'sse' }),
    closeWebSocket: stopChild('ws'),
    closeEventStream: stopChild('sse'),
    useWebSocket: assign({ transport: 'ws', malformed: 0, retryAfterMs: 0 }),
    useEventStream: assign({ transport: 'sse', malformed: 0, retryAfterMs: 0 }),
    useLongPoll: assign({ transport: 'poll', malformed: 0, retryAfterMs: 0 }),
    resume: assign({ continuity: 'resumed' }),
    noteGap: assign({ continuity: ({ event }) => (event.type === 'log.gap' && event.reason === 'reset' ? 'reset' : 'gap') }),
    giveBackTries: assign(({ context }) => ({
      left: context.strategy === 'fast-cycle' ? context.left : { ...context.left, [context.transport]: context.tries[context.transport] },
      passes: 0,
      malformed: 0,
      refreshesLeft: context.refreshesMax,
    })),
    acceptCredentials: assign({
      refreshesLeft: ({ context }) => Math.max(context.refreshesLeft, Math.min(1, context.refreshesMax)),
    }),
    trustCredentials: assign({ refreshesLeft: ({ context }) => context.refreshesMax }),
    forgetMalformed: assign({ malformed: 0 }),
    spendTry: assign({
      left: ({ context }) => ({ ...context.left, [context.transport]: Math.max(0, context.left[context.transport] - 1) }),
      retryAfterMs: ({ event }) => refusalOf(event).retryAfterMs ?? 0,
    }),
    spendRefresh: assign({ refreshesLeft: 0 }),
    beginLadderAgain: assign({ left: ({ context }) => context.tries, passes: ({ context }) => Math.min(context.passes + 1, 5) }),
    ruleOut: assign(({ context }) => ({
      tries: { ...context.tries, [context.transport]: 0 },
      left: { ...context.left, [context.transport]: 0 },
    })),
    ruleOutWebSocket: assign(({ context }) => ({ tries: { ...context.tries, ws: 0 }, left: { ...context.left, ws: 0 } })),
    ruleOutEventStream: assign(({ context }) => ({ tries: { ...context.tries, sse: 0 }, left: { ...context.left, sse: 0 } })),
    countMalformed: assign({ malformed: ({ context }) => Math.min(context.malformed + 1, 2) }),
    countClimbFailure: assign({ climbFailures: ({ context }) => Math.min(context.climbFailures + 1, 4) }),
    forgetClimbFailures: assign({ climbFailures: 0 }),
    recordRefusal: assign({
      failure: ({ event }): TransportFailure => {
        if (event.type === 'ws.closed')
          return {
            code: 'CONNECTION_REFUSED',
            message: `The server closed the connection for good (${event.closeCode}).`,
            closeCode: event.closeCode,
          };
        const { status = 0, code, message } = refusalOf(event);
        return { code: code ?? 'REQUEST_REFUSED', message: message ?? `The server answered ${status}.`, status };
      },
    }),
    forgetRefusal: assign({ failure: null }),
    recordNoTransport: assign({
      failure: { code: 'NO_TRANSPORT', message: 'Every transport that may be used was ruled out by the server.' },
    }),
    recordRefreshFailure: assign({
      failure: ({ event }): TransportFailure => ({
        code: 'CREDENTIALS_UNAVAILABLE',
        message: 'The auth provider could not give new credentials.',
        // Error events of actors carry it too, outside the declared alphabet.
        cause: (event as { error?: unknown }).error,
      }),
    }),
  },
}).createMachine({
  id: 'transport',
  description: 'How one observation stays connected: WebSocket, then server-sent events, then long polls, and back up.',
  context: begin,
  output: failureOf,
  initial: 'observing',
  states: {
    observing: {
      description: 'The log may still grow.',
      type: 'parallel',
      on: {
        'log.ended': { description: 'The terminal fact was delivered, or there is nothing after the cursor.', target: 'done' },
        'credentials.failed': { description: 'Nothing to connect with.', target: 'failed', actions: 'recordRefreshFailure' },
        'credentials.renewed': { description: 'Whoever refuses the old ones says nothing of these.', actions: 'trustCredentials' },
        'log.gap': { description: 'What comes next does not join what came before.', actions: 'noteGap' },
      },
      states: {
        gate: {
          description: 'Whether the host sees any use in trying. Live connections stay until they die.',
          invoke: { src: 'watchGate', id: 'gate' },
          initial: 'closed',
          states: {
            open: { description: 'Tries are allowed.', on: { 'gate.closed': { target: 'closed' } } },
            closed: {
              description: 'Every try, probe and poll waits; also until the host has said anything.',
              on: { 'gate.opened': { target: 'open' } },
            },
          },
        },
        delivering: {
          description: 'The one connection whose facts are delivered.',
          initial: 'choosing',
          on: {
            'consumer.full': { description: 'Consumers are too far behind: stop reading.', target: '.full' },
          },
          states: {
            choosing: {
              description: 'The highest transport with tries left.',
              tags: ['connecting'],
              always: [
                { guard: 'isGateClosed', target: 'offline' },
                { guard: 'mayTryWebSocket', target: 'webSocket' },
                { guard: 'mayTryEventStream', target: 'eventStream' },
                { guard: 'mayTryLongPoll', target: 'longPoll' },
                {
                  description: 'All tries are spent, the ladder begins again.',
                  guard: 'mayTryAgain',
                  target: 'choosing',
                  reenter: true,
                  actions: 'beginLadderAgain',
                },
                { description: 'All were ruled out.', target: '#transport.failed', actions: 'recordNoTransport' },
              ],
            },
            offline: {
              description: 'Waits for the gate. Credentials may end before it opens.',
              tags: ['offline'],
              entry: 'acceptCredentials',
              always: { guard: 'isGateOpen', target: 'choosing' },
            },
            webSocket: {
              description: 'The highest rung.',
              tags: ['ws'],
              entry: 'useWebSocket',
              exit: 'closeWebSocket',
              initial: 'connecting',
              on: {
                'ws.malformed': [
                  { description: 'Three in a row are a loss.', guard: 'isThirdMalformed', target: 'losing' },
                  { actions: 'countMalformed' },
                ],
                'ws.lost': { target: 'losing' },
                'ws.unopened': { description: 'No status was seen: ask for it.', target: 'settling' },
                'ws.closed': { target: 'judging' },
                'ws.refused': { target: 'judging' },
              },
              states: {
                connecting: {
                  description: 'Upgrading and subscribing.',
                  tags: ['connecting'],
                  entry: 'openWebSocket',
                  on: {
                    'ws.confirmed': { target: 'live', actions: ['resume', 'acceptCredentials'] },
                    'ws.facts': { target: 'live', actions: ['resume', 'giveBackTries'] },
                    'ws.alive': { target: 'live', actions: ['resume', 'trustCredentials', 'forgetMalformed'] },
                  },
                  after: { openTimeout: { description: 'A mute proxy.', target: '#transport.observing.delivering.losing' } },
                },
                live: {
                  description: 'Facts are delivered as they are committed.',
                  tags: ['live'],
                  on: {
                    'ws.facts': { target: 'live', reenter: true, actions: 'giveBackTries' },
                    'ws.alive': { target: 'live', reenter: true, actions: ['trustCredentials', 'forgetMalformed'] },
                    'credentials.renewed': {
                      description: 'Connects anew before the server would end it.',
                      target: '#transport.observing.delivering.choosing',
                    },
                  },
                  after: { livenessTimeout: { description: 'Silence.', target: '#transport.observing.delivering.losing' } },
                },
              },
            },
            eventStream: {
              description: 'The middle rung.',
              tags: ['sse'],
              entry: 'useEventStream',
              exit: 'closeEventStream',
              initial: 'connecting',
              on: {
                'sse.malformed': [
                  { description: 'Three in a row are a loss.', guard: 'isThirdMalformed', target: 'losing' },
                  { actions: 'countMalformed' },
                ],
                'sse.lost': { target: 'losing' },
                'sse.ended': { target: 'settling' },
                'sse.refused': { target: 'judging' },
              },
              states: {
                connecting: {
                  description: 'Waits for the first bytes.',
                  tags: ['connecting'],
                  entry: 'openEventStream',
                  on: {
                    'sse.confirmed': { target: 'live', actions: ['resume', 'acceptCredentials'] },
                  },
                  after: { openTimeout: { description: 'A mute proxy.', target: '#transport.observing.delivering.losing' } },
                },
                live: {
                  description: 'Facts are delivered as they are committed.',
                  tags: ['live'],
                  on: {
                    'sse.facts': { target: 'live', reenter: true, actions: 'giveBackTries' },
                    'sse.alive': { target: 'live', reenter: true, actions: ['trustCredentials', 'forgetMalformed'] },
                    'credentials.renewed': {
                      description: 'Connects anew before the server would end it.',
                      target: '#transport.observing.delivering.choosing',
                    },
                    'ws.level': {
                      description: 'Climbed: the WebSocket delivers from here on.',
                      guard: 'isClimbingToWebSocket',
                      target: '#transport.observing.delivering.webSocket.live',
                    },
                  },
                  after: { livenessTimeout: { description: 'Silence.', target: '#transport.observing.delivering.losing' } },
                },
              },
            },
            longPoll: {
              description: 'The last rung.',
              tags: ['poll'],
              entry: 'useLongPoll',
              initial: 'connecting',
              on: {
                'poll.facts': { actions: 'giveBackTries' },
                'poll.malformed': [
                  { description: 'Three in a row are a loss.', guard: 'isThirdMalformed', target: 'losing' },
                  { actions: 'countMalformed' },
                ],
                'poll.lost': { target: 'losing' },
                'poll.refused': { target: 'judging' },
              },
              states: {
                connecting: {
                  description: 'Asks once without waiting, so that a working rung is known at once.',
                  tags: ['connecting'],
                  invoke: { src: 'pollOnce', id: 'pollOnce' },
                  on: {
                    'poll.page': [
                      { guard: 'isGateClosed', target: 'live.pausing', actions: 'trustCredentials' },
                      { target: 'live', actions: 'trustCredentials' },
                    ],
                    'poll.empty': { target: 'live.pausing', actions: 'trustCredentials' },
                  },
                  after: { openTimeout: { description: 'No answer.', target: '#transport.observing.delivering.losing' } },
                },
                live: {
                  description: 'Asks again and again.',
                  tags: ['live'],
                  initial: 'polling',
                  on: {
                    'ws.level': {
                      description: 'Climbed: the WebSocket delivers from here on.',
                      guard: 'isClimbingToWebSocket',
                      target: '#transport.observing.delivering.webSocket.live',
                    },
                    'sse.level': {
                      description: 'Climbed: the stream delivers from here on.',
                      guard: 'isClimbingToEventStream',
                      target: '#transport.observing.delivering.eventStream.live',
                    },
                  },
                  states: {
                    polling: {
                      description: 'The server answers with news, or when the wait is over.',
                      invoke: { src: 'pollAndWait', id: 'pollAndWait' },
                      on: {
                        'poll.page': [
                          { guard: 'isGateClosed', target: 'pausing', actions: 'trustCredentials' },
                          { target: 'polling', reenter: true, actions: 'trustCredentials' },
                        ],
                        'poll.empty': { target: 'pausing', actions: 'trustCredentials' },
                      },
                      after: { pollTimeout: { description: 'No answer.', target: '#transport.observing.delivering.losing' } },
                    },
                    pausing: {
                      description: 'A short rest, so that a server that answers too early is not asked without end.',
                      after: {
                        emptyPause: [{ guard: 'isGateClosed', target: '#transport.observing.delivering.offline' }, { target: 'polling' }],
                      },
                    },
                  },
                },
              },
            },
            judging: {
              description: 'What ended the connection says what comes next.',
              always: [
                {
                  description: 'The host says that there is no use in trying again.',
                  guard: 'isDeclaredFinal',
                  target: '#transport.failed',
                  actions: 'recordRefusal',
                },
                { description: 'The host says that it passes.', guard: 'isDeclaredPassing', target: 'losing' },
                { description: 'Credentials may be out of date.', guard: 'isRefreshable', target: 'refreshing' },
                { guard: 'isUnauthorized', target: '#transport.failed', actions: 'recordRefusal' },
                { description: 'A close for good, unless new credentials help.', guard: 'isRefreshableClose', target: 'refreshing' },
                { description: 'A close for good.', guard: 'isPolicyClose', target: 'appealing', actions: 'recordRefusal' },
                { description: 'A clean end without a terminal fact.', guard: 'isCleanClose', target: 'settling' },
                { description: 'This server has no such route.', guard: 'isRouteMissing', target: 'choosing', actions: 'ruleOut' },
                {
                  description: 'The snapshot could not be asked for, which says nothing.',
                  guard: 'isRouteOfSettleMissing',
                  target: 'losing',
                },
                { description: 'Overloaded or down.', guard: 'isPassing', target: 'losing' },
                { description: 'No such task, not allowed, or our own mistake.', target: '#transport.failed', actions: 'recordRefusal' },
              ],
            },
            settling: {
              description: 'Asks for the snapshot, to tell a finished task from a lost connection.',
              tags: ['waiting'],
              invoke: {
                src: 'settle',
                id: 'settle',
                onDone: [
                  { guard: 'isFinished', target: '#transport.done' },
                  { guard: 'isRefused', target: 'judging' },
                  { target: 'losing' },
                ],
                onError: { target: 'losing' },
              },
            },
            appealing: {
              description: 'Closed for good: the snapshot may say why, and is asked for once. There is no other way back.',
              tags: ['waiting'],
              invoke: {
                src: 'settle',
                id: 'settle',
                onDone: [
                  { guard: 'isFinished', target: '#transport.done', actions: 'forgetRefusal' },
                  { guard: 'isRefusedForGood', target: '#transport.failed', actions: 'recordRefusal' },
                  { target: '#transport.failed' },
                ],
                onError: { target: '#transport.failed' },
              },
            },
            refreshing: {
              description: 'Asks for new credentials, once.',
              tags: ['waiting'],
              entry: 'spendRefresh',
              invoke: {
                src: 'refreshCredentials',
                id: 'refresh',
                onDone: { description: 'One more connection.', target: 'choosing' },
                onError: { target: '#transport.failed', actions: 'recordRefreshFailure' },
              },
            },
            losing: {
              description: 'A loss costs a try. Credentials may end before the next.',
              entry: ['spendTry', 'acceptCredentials'],
              always: [
                { description: 'The same again, after a rest.', guard: 'hasTriesLeft', target: 'waiting' },
                { description: 'One rung down, at once.', guard: 'hasLowerRung', target: 'choosing' },
                { description: 'The whole ladder again, after a rest.', target: 'waiting', actions: 'beginLadderAgain' },
              ],
            },
            waiting: {
              description: 'Rests before the next try.',
              tags: ['waiting'],
              after: { reconnectBackoff: { target: 'choosing' } },
            },
            full: {
              description:
                'Consumers are too far behind; reading goes on from the cursor when they have caught up. Credentials may end before that.',
              tags: ['paused'],
              entry: 'acceptCredentials',
              on: {
                'consumer.drained': { target: 'choosing' },
              },
            },
          },
        },
        climbing: {
          description: 'Tries the rungs above the one that delivers.',
          initial: 'idle',
          states: {
            idle: {
              description: 'There is nothing above, or nothing delivers.',
              always: { guard: 'deliversBelowTop', target: 'resting' },
            },
            resting: {
              description: 'Waits for the next probe.',
              always: { guard: 'needsNoClimb', target: 'idle' },
              after: {
                climbInterval: [
                  { description: 'Probes wait for the gate.', guard: 'isGateClosed', target: 'resting', reenter: true },
                  { guard: 'mayClimbToWebSocket', target: 'webSocket' },
                  { target: 'eventStream' },
                ],
              },
            },
            webSocket: {
              description: 'A WebSocket catches up beside the connection that delivers.',
              tags: ['climbing'],
              entry: 'openWebSocket',
              always: { description: 'Nothing delivers any more.', guard: 'needsNoClimb', target: 'idle', actions: 'closeWebSocket' },
              on: {
                'ws.level': { target: 'proving' },
                'ws.lost': { target: 'descending', actions: 'closeWebSocket' },
                'ws.unopened': { target: 'descending', actions: 'closeWebSocket' },
                'ws.closed': { target: 'descending', actions: 'closeWebSocket' },
                'ws.malformed': { target: 'descending', actions: 'closeWebSocket' },
                'ws.refused': [
                  { guard: 'isRouteMissing', target: 'descending', actions: ['closeWebSocket', 'ruleOutWebSocket'] },
                  { target: 'descending', actions: 'closeWebSocket' },
                ],
              },
              after: { openTimeout: { target: 'descending', actions: 'closeWebSocket' } },
            },
            descending: {
              description: 'The highest rung did not hold; the one below it may.',
              entry: 'countClimbFailure',
              always: [{ guard: 'mayDescendToEventStream', target: 'eventStream' }, { target: 'idle' }],
            },
            eventStream: {
              description: 'A stream catches up beside the long poll that delivers.',
              tags: ['climbing'],
              entry: 'openEventStream',
              always: { description: 'Nothing delivers any more.', guard: 'needsNoClimb', target: 'idle', actions: 'closeEventStream' },
              on: {
                'sse.level': { target: 'proving' },
                'sse.lost': { target: 'idle', actions: ['closeEventStream', 'countClimbFailure'] },
                'sse.ended': { target: 'idle', actions: ['closeEventStream', 'countClimbFailure'] },
                'sse.malformed': { target: 'idle', actions: ['closeEventStream', 'countClimbFailure'] },
                'sse.refused': [
                  { guard: 'isRouteMissing', target: 'idle', actions: ['closeEventStream', 'ruleOutEventStream', 'countClimbFailure'] },
                  { target: 'idle', actions: ['closeEventStream', 'countClimbFailure'] },
                ],
              },
              after: { openTimeout: { target: 'idle', actions: ['closeEventStream', 'countClimbFailure'] } },
            },
            proving: {
              description: 'Just climbed: a fall within this time makes the next probe wait longer.',
              always: [
                { description: 'Stopped by the consumers, not by the network.', guard: 'isFull', target: 'idle' },
                { description: 'Fell.', guard: 'lostItsStream', target: 'idle', actions: 'countClimbFailure' },
              ],
              after: { provingTime: { target: 'idle', actions: 'forgetClimbFailures' } },
            },
          },
        },
      },
    },
    done: { description: 'The whole log was delivered.', tags: ['done'], type: 'final' },
    failed: { description: 'There is no use in trying again; the output says why.', tags: ['failed'], type: 'final' },
  },
});
