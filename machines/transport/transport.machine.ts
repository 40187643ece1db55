import { and, assign, enqueueActions, fromCallback, not, raise, setup, stateIn, type AnyActorRef, type EventObject } from 'xstate';
import { connectionMachine } from './connection.machine.ts';
import {
  admitTransport,
  afterProbe,
  backoffMs,
  barTransport,
  beginContext,
  choose,
  climbMs,
  hasLowerRung,
  hasOpenRung,
  hasOther,
  ladderAgain,
  nextProbe,
  rungBeside,
  rungs,
  stub,
  withoutTransport,
  type TransportContext,
} from './context.ts';
import { isServersWord } from './ending.ts';
import type { ConnectionEnding, RecoveryInput, RecoveryOutput, TransportEvent, TransportFailure, TransportInput } from './events.ts';
import { recoveryMachine } from './recovery.machine.ts';
import type { TransportName } from '../wire/transports.ts';

const begin = ({ input }: { input?: TransportInput }): TransportContext => beginContext(input);
const failureOf = ({ context }: { context: TransportContext }): TransportFailure | null => context.failure;

interface ContextAndEvent {
  readonly context: TransportContext;
  readonly event: TransportEvent;
}

/** A check within an action is typed as if no guard could be given. */
const areCredentials = (credentials: string) => stateIn({ observing: { credentials } }) as never;

/** Which connection an event is of. */
const speakerOf = (event: TransportEvent): TransportName | undefined =>
  'transport' in event ? event.transport : 'actorId' in event ? event.actorId : undefined;
/** How the connection of an event ended. */
const endingOf = (event: TransportEvent): ConnectionEnding => ('output' in event ? event.output : { kind: 'lost' });

function recoveryOf({ context, event }: ContextAndEvent): RecoveryInput {
  return {
    transport: speakerOf(event) ?? context.transport,
    ending: endingOf(event),
    refreshable: context.refreshesFor,
    cursor: context.cursor,
  };
}

/** True for what the connection that climbs, or was asked beside, tells. */
const isProbe = ({ context: { probe }, event }: ContextAndEvent): boolean => probe !== null && speakerOf(event) === probe;

/** What a recovery came to, in the event of its end. */
function outcomeOf(event: EventObject): RecoveryOutput {
  // Done events of actors are not part of the declared alphabet; their output is typed where the actor is.
  return (event as unknown as { output: RecoveryOutput }).output;
}

/**
 * Decides how one observation of a task stays connected: which transport is tried, for how long, when to climb back up, when to give up. Each
 * connection is an actor of its own, by the name of its transport; what comes after one is the word of a recovery. Beside one that is silent,
 * or that may be dead, the lowest transport is asked.
 *
 * Tags: `live`, `waiting`, `paused` say what the observation does; with none of them, the connection's own tags do. `climbing`: a higher
 * transport is being tried beside the one that delivers.
 */
export const transportMachine = setup({
  types: {} as {
    context: TransportContext;
    events: TransportEvent;
    input: TransportInput;
    output: TransportFailure | null;
    children: { ws: 'connection'; sse: 'connection'; poll: 'connection'; recovery: 'recovery'; network: 'watchNetwork' };
    tags: 'connecting' | 'live' | 'waiting' | 'paused' | 'climbing' | 'done' | 'failed';
  },
  actors: {
    connection: connectionMachine,
    recovery: recoveryMachine,
    watchNetwork: fromCallback<TransportEvent>(stub('watchNetwork')),
  },
  delays: {
    reconnectBackoff: ({ context }) => Math.max(context.retryAfterMs, backoffMs(context)),
    climbInterval: ({ context }) => climbMs(30_000, context),
    probeTimeout: 90_000,
    provingTime: 60_000,
  },
  guards: {
    isDelivering: ({ context, event }) => speakerOf(event) === context.transport,
    bringsFacts: ({ context, event }) => speakerOf(event) === context.transport && event.type === 'connection.heard' && event.hasFacts,
    metGate: ({ context, event }) => speakerOf(event) === context.transport && endingOf(event).kind === 'gated',
    isProbe,
    isAlone: ({ context }) => context.probe === null,
    isSilentAlone: ({ context, event }) =>
      speakerOf(event) === context.transport && context.probe === null && rungBeside(context) !== undefined,
    isRefusedBeside: ({ context, event }) =>
      isProbe({ context, event }) && isServersWord(context.probe ?? context.transport, endingOf(event)),
    isRungBelow: ({ context }) => rungBeside(context) !== undefined,
    // What rests as long as the server asked for goes on resting.
    mayReconnect: and([
      not(stateIn({ observing: { delivering: 'full' } })),
      not(stateIn({ observing: { delivering: 'recovering' } })),
      ({ context }: { context: TransportContext }) => context.retryAfterMs === 0,
    ]),
    isRungAbove: ({ context }) => nextProbe(context) !== undefined,
    isFinished: ({ event }) => outcomeOf(event).next === 'finished',
    isFailed: ({ event }) => outcomeOf(event).next === 'failed',
    isRefreshed: ({ event }) => outcomeOf(event).next === 'refreshed',
    isMisplaced: ({ event }) => outcomeOf(event).next === 'misplaced',
    isBarredOfSeveral: ({ context, event }) => outcomeOf(event).next === 'barred' && hasOpenRung(context),
    isRouteless: ({ event }) => outcomeOf(event).next === 'routeless',
    isOneOfSeveral: ({ context, event }) => outcomeOf(event).next === 'routeless' && hasOther(context),
    // The try that was lost is not yet taken off.
    hasTriesLeft: ({ context }) => context.left[context.transport] > 1,
    hasLowerRung: ({ context }) => hasLowerRung(context),
  },
  actions: {
    closeAll: enqueueActions(({ enqueue }) => {
      for (const name of rungs) enqueue.stopChild(name);
      enqueue.assign({ probe: null });
    }),
    openHighest: enqueueActions(({ context, enqueue }) => {
      const chosen = choose(context);
      enqueue.assign(chosen);
      enqueue.spawnChild('connection', { id: chosen.transport, input: { transport: chosen.transport } });
    }),
    openProbe: enqueueActions(({ context, enqueue }) => {
      if (context.probe) enqueue.stopChild(context.probe);
      const probe = nextProbe(context);
      enqueue.assign({ probe: probe ?? null });
      if (probe) enqueue.spawnChild('connection', { id: probe, input: { transport: probe } });
    }),
    openBeside: enqueueActions(({ context, enqueue }) => {
      if (context.probe) enqueue.stopChild(context.probe);
      const probe = rungBeside(context) ?? 'poll';
      enqueue.assign({ probe });
      enqueue.spawnChild('connection', { id: probe, input: { transport: probe } });
    }),
    turnToOther: enqueueActions(({ context: { transport, probe }, self, enqueue }) => {
      // A pure walk has no actors.
      const { children } = self.getSnapshot() as { readonly children?: Readonly<Partial<Record<string, AnyActorRef>>> };
      const former = children?.[transport];
      if (former) enqueue.sendTo(former, { type: 'other.answered' });
      enqueue.assign({ transport: probe ?? transport, probe: transport, retryAfterMs: 0, cursor: 'trusted' });
    }),
    closeProbe: enqueueActions(({ context, enqueue }) => {
      if (context.probe) enqueue.stopChild(context.probe);
      enqueue.assign({ probe: null });
    }),
    promote: enqueueActions(({ context, enqueue }) => {
      const { transport, probe } = context;
      enqueue.stopChild(transport);
      enqueue.assign({ transport: probe ?? transport, probe: null, retryAfterMs: 0, ...admitTransport(context, probe ?? transport) });
    }),
    resume: assign(({ context }) => ({
      // What was dropped is read anew, and a page has said by now how it joins.
      continuity: context.transport === 'poll' || context.cursor === 'dropped' ? context.continuity : 'resumed',
      cursor: 'trusted' as const,
      ...admitTransport(context, context.transport),
    })),
    noteGap: assign({ continuity: ({ event }) => (event.type === 'log.gap' && event.reason === 'reset' ? 'reset' : 'gap') }),
    giveBackTries: assign({
      left: ({ context: { strategy, left, tries, transport } }) =>
        strategy === 'fast-cycle' ? left : { ...left, [transport]: tries[transport] },
      passes: 0,
    }),
    noteRefreshable: enqueueActions(({ context, check, enqueue }) => {
      const refreshesFor =
        !context.refreshable || check(areCredentials('fresh')) ? 'nothing' : check(areCredentials('trusted')) ? 'closed' : 'unauthorized';
      enqueue.assign({ refreshesFor });
    }),
    ageCredentials: raise({ type: 'credentials.aged' }),
    tellRefreshed: raise({ type: 'credentials.refreshed' }),
    spendTry: assign({
      left: ({ context: { left, transport } }) => ({ ...left, [transport]: Math.max(0, left[transport] - 1) }),
      retryAfterMs: ({ event }) => outcomeOf(event).retryAfterMs,
    }),
    beginLadderAgain: assign(({ context }) => ladderAgain(context)),
    ruleOut: assign(({ context }) => withoutTransport(context, context.transport)),
    bar: assign(({ context }) => barTransport(context, context.transport)),
    forgetNetwork: assign(({ context }) => ({ left: context.tries, barred: [], passes: 0 })),
    judgeProbe: assign(({ context, event }) => afterProbe(context, endingOf(event))),
    countClimbFailure: assign({ climbFailures: ({ context }) => Math.min(context.climbFailures + 1, 4) }),
    forgetClimbFailures: assign({ climbFailures: 0 }),
    noteFailure: assign({ failure: ({ event }) => outcomeOf(event).failure }),
    noteDropped: assign({ continuity: 'reset', cursor: 'dropped' }),
    // Provided by whoever knows of the log.
    restartLog: () => undefined,
    noteNoTransport: assign({
      failure: { code: 'NO_TRANSPORT', message: 'Every transport that may be used was ruled out by the server.' },
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
      invoke: { src: 'watchNetwork', id: 'network' },
      on: {
        'log.ended': { description: 'The terminal fact was delivered, or there is nothing after the cursor.', target: 'done' },
        'log.gap': { description: 'What comes next does not join what came before.', actions: 'noteGap' },
      },
      states: {
        delivering: {
          description: 'The one connection whose facts are delivered, and the one that is tried above it.',
          initial: 'connecting',
          on: {
            'consumer.full': {
              description: 'Consumers are too far behind: stop reading. Credentials may end before it goes on.',
              target: '.full',
              actions: 'ageCredentials',
            },
            'connection.heard': { description: 'Facts give the budget back.', guard: 'bringsFacts', actions: 'giveBackTries' },
            'connection.opening': { description: 'The gate is open: shown, and nothing else.' },
            'connection.renewed': {
              description: 'Connects anew before the server would end it.',
              guard: 'isDelivering',
              target: '.connecting',
            },
            'network.changed': {
              description: 'What is under way may lead nowhere.',
              guard: 'mayReconnect',
              target: '.connecting',
              actions: 'forgetNetwork',
            },
            'xstate.done.actor.*': [
              { description: 'The gate closed between two polls.', guard: 'metGate', target: '.connecting' },
              { guard: 'isDelivering', target: '.recovering' },
            ],
          },
          states: {
            connecting: {
              description: 'Tries the highest transport with tries left; all of them again where none has.',
              tags: ['connecting'],
              entry: ['closeAll', 'openHighest'],
              on: {
                'connection.live': [
                  { guard: 'isDelivering', target: 'steady', actions: 'resume' },
                  {
                    description: 'Delivers, while the other has a last while.',
                    guard: 'isProbe',
                    target: 'probing',
                    actions: 'turnToOther',
                  },
                ],
                'xstate.done.actor.*': {
                  description: 'The server’s word, by another way.',
                  guard: 'isRefusedBeside',
                  target: 'recovering',
                },
                'connection.silent': { description: 'The lowest is asked beside it.', guard: 'isSilentAlone', actions: 'openBeside' },
                'connection.renewed': { description: 'Those that it is opened with are still good.' },
              },
            },
            steady: {
              description: 'Delivers. After a while, what is above is tried.',
              tags: ['live'],
              entry: 'closeProbe',
              on: {
                'network.changed': {
                  description: 'May be dead: the lowest is asked beside it.',
                  guard: 'isRungBelow',
                  actions: 'openBeside',
                },
                'connection.live': {
                  description: 'The network works: what may be dead is opened anew.',
                  guard: 'isProbe',
                  target: 'connecting',
                  actions: 'forgetNetwork',
                },
              },
              after: { climbInterval: { guard: 'isRungAbove', target: 'probing', actions: 'openProbe' } },
            },
            probing: {
              description: 'A higher transport catches up beside the one that delivers.',
              tags: ['live', 'climbing'],
              always: { description: 'None is left above.', guard: 'isAlone', target: 'steady' },
              on: {
                'connection.level': {
                  description: 'Climbed: it delivers from here on.',
                  guard: 'isProbe',
                  target: 'proving',
                  actions: 'promote',
                },
                'connection.offline': { description: 'Probes do not wait for the gate.', guard: 'isProbe', target: 'steady' },
                'xstate.done.actor.*': {
                  description: 'It did not hold; the one below it may.',
                  guard: 'isProbe',
                  target: 'probing',
                  reenter: true,
                  actions: ['judgeProbe', 'openProbe'],
                },
              },
              after: {
                probeTimeout: { description: 'Too far behind.', target: 'probing', reenter: true, actions: ['judgeProbe', 'openProbe'] },
              },
            },
            proving: {
              description: 'Just climbed: a fall within this time makes the next probe wait longer.',
              tags: ['live'],
              on: {
                'xstate.done.actor.*': { description: 'Fell.', guard: 'isDelivering', target: 'recovering', actions: 'countClimbFailure' },
              },
              after: { provingTime: { target: 'steady', actions: 'forgetClimbFailures' } },
            },
            recovering: {
              description: 'What ended the connection says what comes next.',
              tags: ['waiting'],
              entry: ['closeAll', 'noteRefreshable'],
              invoke: {
                src: 'recovery',
                id: 'recovery',
                input: recoveryOf,
                onDone: [
                  { guard: 'isFinished', target: '#transport.done' },
                  { guard: 'isFailed', target: '#transport.failed', actions: 'noteFailure' },
                  { description: 'With new credentials.', guard: 'isRefreshed', target: 'connecting', actions: 'tellRefreshed' },
                  {
                    description: 'Without the checkpoint, which was refused: from the start.',
                    guard: 'isMisplaced',
                    target: 'connecting',
                    actions: ['noteDropped', 'restartLog'],
                  },
                  { description: 'Without this transport.', guard: 'isOneOfSeveral', target: 'connecting', actions: 'ruleOut' },
                  {
                    description: 'Others for a while.',
                    guard: 'isBarredOfSeveral',
                    target: 'connecting',
                    actions: ['bar', 'ageCredentials'],
                  },
                  { description: 'All were ruled out.', guard: 'isRouteless', target: '#transport.failed', actions: 'noteNoTransport' },
                  {
                    description: 'The same again, after a rest.',
                    guard: 'hasTriesLeft',
                    target: 'waiting',
                    actions: ['spendTry', 'ageCredentials'],
                  },
                  {
                    description: 'One rung down, at once.',
                    guard: 'hasLowerRung',
                    target: 'connecting',
                    actions: ['spendTry', 'ageCredentials'],
                  },
                  {
                    description: 'The whole ladder again, after a rest.',
                    target: 'waiting',
                    actions: ['spendTry', 'ageCredentials', 'beginLadderAgain'],
                  },
                ],
              },
            },
            waiting: {
              description: 'Rests before the next try.',
              tags: ['waiting'],
              after: { reconnectBackoff: { target: 'connecting' } },
            },
            full: {
              description: 'Reading goes on from the cursor when the consumers have caught up.',
              tags: ['paused'],
              entry: 'closeAll',
              on: {
                'consumer.drained': { target: 'connecting' },
              },
            },
          },
        },
        credentials: {
          description: 'What those met that are in use: whether newer ones may help against what ends a connection.',
          initial: 'trusted',
          states: {
            fresh: {
              description: 'Just asked for: nothing newer can be had.',
              on: {
                'connection.live': { target: 'accepted' },
                'connection.offline': { description: 'They may end before the gate opens.', target: 'accepted' },
                'credentials.aged': { description: 'They may end before the next try, or before reading goes on.', target: 'accepted' },
                'connection.heard': { target: 'trusted' },
                'connection.renewed': { target: 'trusted' },
              },
            },
            accepted: {
              description: 'A 401 would say that they have ended since.',
              on: {
                'connection.heard': { description: 'Something came with them.', target: 'trusted' },
                'connection.renewed': { description: 'Whoever refuses the old ones says nothing of these.', target: 'trusted' },
                'credentials.refreshed': { target: 'fresh' },
              },
            },
            trusted: {
              description: 'A close for good would, too.',
              on: {
                'credentials.refreshed': { target: 'fresh' },
              },
            },
          },
        },
      },
    },
    done: { description: 'The whole log was delivered.', tags: ['done'], type: 'final' },
    failed: { description: 'There is no use in trying again; the output says why.', tags: ['failed'], type: 'final' },
  },
});
