import { assign, fromPromise, setup } from 'xstate';
import {
  failureFrom,
  isBarring,
  isPassingRefusal,
  isPolicyClose,
  isRouteMissing,
  isStrange,
  isStreamRouteMissing,
  mayBeMisplaced,
} from './ending.ts';
import type {
  ConnectionEnding,
  CursorTrust,
  Refreshable,
  RefreshAnswer,
  RecoveryInput,
  RecoveryOutput,
  Settlement,
  TransportFailure,
} from './events.ts';
import { stub } from './context.ts';
import type { TransportName } from '../wire/transports.ts';

/** What a recovery remembers. */
export interface RecoveryContext {
  /** Whose answer the ending is: the connection's, or that of the snapshot. */
  readonly of: TransportName | 'snapshot';
  readonly ending: ConnectionEnding;
  readonly refreshable: Refreshable;
  readonly cursor: CursorTrust;
  readonly failure: TransportFailure | null;
}

const begin = ({ input }: { input?: RecoveryInput }): RecoveryContext => ({
  // A pure walk of the chart has no input.
  of: input?.transport ?? 'ws',
  ending: input?.ending ?? { kind: 'lost' },
  refreshable: input?.refreshable ?? 'nothing',
  cursor: input?.cursor ?? 'trusted',
  failure: null,
});

/** The final state says what is next; the rest is remembered. */
function outputOf({ context, event }: { context: RecoveryContext; event: object }): RecoveryOutput {
  const { ending, failure } = context;
  // The event of being done carries the output of the final state, which is typed where that state is.
  const { next } = (event as { output: Pick<RecoveryOutput, 'next'> }).output;
  return {
    next,
    failure: next === 'failed' || next === 'misplaced' ? failure : null,
    retryAfterMs: (ending.kind === 'refused' ? ending.retryAfterMs : undefined) ?? 0,
  };
}

const isForGood = (ending: ConnectionEnding): boolean => ending.kind === 'closed' && isPolicyClose(ending.closeCode);

/** The refusal that the snapshot was answered with, where it was. */
function settledRefusal(event: object): Extract<Settlement, { outcome: 'refused' }> | undefined {
  // Done events of actors are not part of the declared alphabet; their output is typed where the actor is.
  const { output } = event as { output?: Settlement };
  return output?.outcome === 'refused' ? output : undefined;
}

/** What came of asking for new credentials. */
function refreshAnswerOf(event: object): RefreshAnswer | undefined {
  return (event as { output?: RefreshAnswer }).output;
}

/**
 * What comes after a connection: what ended it says whether to try again, to leave its transport out, to ask for new credentials first, or to
 * give up. Where it ended without a word, the snapshot is asked for.
 */
export const recoveryMachine = setup({
  types: {} as {
    context: RecoveryContext;
    input: RecoveryInput;
    output: RecoveryOutput;
    children: { settle: 'settle'; refresh: 'refreshCredentials' };
  },
  actors: {
    settle: fromPromise<Settlement>(stub('settle')),
    refreshCredentials: fromPromise<RefreshAnswer>(stub('refreshCredentials')),
  },
  guards: {
    isDeclaredFinal: ({ context: { ending } }) => 'verdict' in ending && ending.verdict === 'final',
    isDeclaredPassing: ({ context: { ending } }) => 'verdict' in ending && ending.verdict === 'retry',
    isLoss: ({ context: { ending } }) => ending.kind === 'lost' || ending.kind === 'mute' || ending.kind === 'unauthorized',
    isWordless: ({ context: { ending } }) => ending.kind === 'unopened' || ending.kind === 'ended',
    isRefreshable: ({ context: { ending, refreshable } }) =>
      (refreshable !== 'nothing' && ending.kind === 'refused' && ending.status === 401) || (refreshable === 'closed' && isForGood(ending)),
    isSomebodyElse: ({ context: { of, ending } }) => of !== 'snapshot' && isBarring(of, ending),
    isStrange: ({ context: { ending } }) => isStrange(ending),
    // Nobody is taken at a close who was never heard.
    isPolicyClose: ({ context: { ending } }) => isForGood(ending) && !('isUnknown' in ending && ending.isUnknown),
    isCleanClose: ({ context: { ending } }) => ending.kind === 'closed',
    isRouteMissing: ({ context: { of, ending } }) => of !== 'snapshot' && isStreamRouteMissing(of, ending),
    isSnapshotMissing: ({ context: { of, ending } }) => of === 'snapshot' && ending.kind === 'refused' && isRouteMissing(ending),
    isMisplaced: ({ context: { of, cursor, ending } }) => of !== 'snapshot' && cursor === 'stored' && mayBeMisplaced(ending),
    isPassing: ({ context: { ending } }) => ending.kind === 'refused' && isPassingRefusal(ending),
    isStored: ({ context }) => context.cursor === 'stored',
    isFinished: ({ event }) => (event as { output?: Settlement }).output?.outcome === 'finished',
    isGiven: ({ event }) => refreshAnswerOf(event)?.outcome === 'given',
    hasNone: ({ event }) => refreshAnswerOf(event)?.outcome === 'none',
    isRefused: ({ event }) => settledRefusal(event) !== undefined,
    isRefusedForGood: ({ event }) => {
      const refusal = settledRefusal(event);
      return refusal?.code !== undefined && !isPassingRefusal(refusal) && !isRouteMissing(refusal);
    },
  },
  actions: {
    noteAnswer: assign(({ context, event }) => {
      const refusal = settledRefusal(event);
      return refusal ? { of: 'snapshot' as const, ending: { ...refusal, kind: 'refused' as const } } : context;
    }),
    noteRefusal: assign({
      failure: ({ context: { ending } }) => failureFrom(ending),
    }),
    noteProviderFailure: assign({
      ending: ({ context, event }): ConnectionEnding => {
        const answer = refreshAnswerOf(event);
        if (answer?.outcome !== 'failed') return context.ending;
        const { outcome: _, ...failed } = answer;
        return { kind: 'unauthorized', ...failed };
      },
    }),
  },
}).createMachine({
  id: 'recovery',
  description: 'What ended a connection says what comes next.',
  context: begin,
  output: outputOf,
  initial: 'judging',
  states: {
    judging: {
      description: 'Reads what ended it.',
      always: [
        {
          description: 'The host says that there is no use in trying again.',
          guard: 'isDeclaredFinal',
          target: 'failed',
          actions: 'noteRefusal',
        },
        { description: 'The host says that it passes.', guard: 'isDeclaredPassing', target: 'lost' },
        { description: 'A cut or silence, or nothing to connect with yet.', guard: 'isLoss', target: 'lost' },
        { description: 'No status was seen, or an end without the terminal fact.', guard: 'isWordless', target: 'settling' },
        { description: 'Credentials may be out of date.', guard: 'isRefreshable', target: 'refreshing' },
        { description: 'Somebody else answers for it.', guard: 'isSomebodyElse', target: 'barred' },
        { description: 'Nor is that the server’s word.', guard: 'isStrange', target: 'lost' },
        { description: 'A close for good.', guard: 'isPolicyClose', target: 'appealing', actions: 'noteRefusal' },
        { description: 'A clean end without a terminal fact.', guard: 'isCleanClose', target: 'settling' },
        { description: 'This server has no such route.', guard: 'isRouteMissing', target: 'routeless' },
        { description: 'The snapshot could not be asked for, which says nothing.', guard: 'isSnapshotMissing', target: 'lost' },
        { description: 'Overloaded or down.', guard: 'isPassing', target: 'lost' },
        {
          description: 'It may be the checkpoint that is refused, which is not the server’s word.',
          guard: 'isMisplaced',
          target: 'misplaced',
          actions: 'noteRefusal',
        },
        { description: 'No such task, not allowed, or our own mistake.', target: 'failed', actions: 'noteRefusal' },
      ],
    },
    settling: {
      description: 'Asks for the snapshot, to tell a finished task from a lost connection.',
      invoke: {
        src: 'settle',
        id: 'settle',
        onDone: [
          { guard: 'isFinished', target: 'finished' },
          { guard: 'isRefused', target: 'judging', actions: 'noteAnswer' },
          { target: 'lost' },
        ],
        onError: { target: 'lost' },
      },
    },
    appealing: {
      description: 'Closed for good: the snapshot may say why, and is asked for once. There is no other way back, but from the start.',
      invoke: {
        src: 'settle',
        id: 'settle',
        onDone: [
          { guard: 'isFinished', target: 'finished' },
          { guard: 'isRefusedForGood', target: 'failed', actions: ['noteAnswer', 'noteRefusal'] },
          { description: 'The task may be seen: so it may be the checkpoint.', guard: 'isStored', target: 'misplaced' },
          { target: 'failed' },
        ],
        onError: [{ guard: 'isStored', target: 'misplaced' }, { target: 'failed' }],
      },
    },
    refreshing: {
      description: 'Asks for new credentials, once.',
      invoke: {
        src: 'refreshCredentials',
        id: 'refresh',
        onDone: [
          { guard: 'isGiven', target: 'refreshed' },
          { description: 'Nobody is signed in: the refusal stands.', guard: 'hasNone', target: 'failed', actions: 'noteRefusal' },
          { description: 'The provider failed: no word of the server.', target: 'judging', actions: 'noteProviderFailure' },
        ],
      },
    },
    finished: { description: 'The whole log was delivered.', type: 'final', output: { next: 'finished' } },
    lost: { description: 'A loss like any other: try again.', type: 'final', output: { next: 'lost' } },
    barred: { description: 'Others for a while.', type: 'final', output: { next: 'barred' } },
    routeless: { description: 'Leave this transport out.', type: 'final', output: { next: 'routeless' } },
    refreshed: { description: 'One more connection, with new credentials.', type: 'final', output: { next: 'refreshed' } },
    misplaced: { description: 'One more connection, from the start of the log.', type: 'final', output: { next: 'misplaced' } },
    failed: { description: 'There is no use in trying again.', type: 'final', output: { next: 'failed' } },
  },
});
