import { assign, fromCallback, setup, spawnChild, stopChild } from 'xstate';

/** What the tab chart is told. */
export type TabEvent =
  | { readonly type: 'lock.held' | 'lock.lost' | 'lock.refused' }
  /** A tab says that it leads. */
  | { readonly type: 'leader.named'; readonly leader: string }
  /** The leader that is followed is there. */
  | { readonly type: 'leader.answered'; readonly leader: string }
  | { readonly type: 'leader.resigned'; readonly leader: string }
  | { readonly type: 'tab.close' };

/** What the tab chart begins with. */
export interface TabInput {
  /** False where the platform has no locks or no channels. */
  readonly canShare: boolean;
}

/** What the tab chart remembers. */
export interface TabContext extends TabInput {
  /** Who is followed; null before anybody was named. */
  readonly leader: string | null;
}

const begin = ({ input }: { input?: TabInput }): TabContext => ({ canShare: input?.canShare ?? true, leader: null });
const leaderOf = ({ context }: { context: TabContext }): { leader: string } => ({ leader: context.leader ?? '' });

const stub = (name: string) => (): never => {
  throw new Error(`The actor "${name}" was not provided. Fill it with tabMachine.provide({ actors: { ${name} } }).`);
};

/**
 * Decides which tab of a browser has the connection that all of them use: the one that holds the lock. The others ask it now and then whether it
 * is there, and take the lock away from one that does not answer.
 *
 * Tags: `following`, `leading`, `alone` (nothing can be shared: this tab has connections of its own), `closed`.
 */
export const tabMachine = setup({
  types: {} as {
    context: TabContext;
    events: TabEvent;
    input: TabInput;
    children: {
      lock: 'claimLock' | 'seizeLock';
      converse: 'converse';
      follow: 'follow';
      lead: 'lead';
      ask: 'askLeader';
      seek: 'seekLeader';
      sweep: 'sweep';
      direct: 'connectAlone';
    };
    tags: 'following' | 'leading' | 'alone' | 'closed';
  },
  actors: {
    claimLock: fromCallback<TabEvent>(stub('claimLock')),
    seizeLock: fromCallback<TabEvent>(stub('seizeLock')),
    converse: fromCallback<TabEvent>(stub('converse')),
    follow: fromCallback<TabEvent, { leader: string }>(stub('follow')),
    lead: fromCallback<TabEvent>(stub('lead')),
    askLeader: fromCallback<TabEvent>(stub('askLeader')),
    seekLeader: fromCallback<TabEvent>(stub('seekLeader')),
    sweep: fromCallback<TabEvent>(stub('sweep')),
    connectAlone: fromCallback<TabEvent>(stub('connectAlone')),
  },
  delays: { pulse: 5_000, silence: 5_000, sweepTime: 60_000 },
  guards: {
    cannotShare: ({ context }) => !context.canShare,
    isFollowed: ({ context, event }) => 'leader' in event && event.leader === context.leader,
  },
  actions: {
    claimLock: spawnChild('claimLock', { id: 'lock' }),
    seizeLock: spawnChild('seizeLock', { id: 'lock' }),
    releaseLock: stopChild('lock'),
    noteLeader: assign({ leader: ({ context, event }) => (event.type === 'leader.named' ? event.leader : context.leader) }),
    forgetLeader: assign({ leader: null }),
  },
}).createMachine({
  id: 'tab',
  description: 'Which tab has the connection that all of them use.',
  context: begin,
  initial: 'choosing',
  on: { 'tab.close': { target: '.closed' } },
  states: {
    choosing: {
      description: 'What the platform has.',
      always: [{ guard: 'cannotShare', target: 'alone' }, { target: 'together' }],
    },
    alone: {
      description: 'No locks or no channels here: connections of its own.',
      tags: ['alone'],
      invoke: { src: 'connectAlone', id: 'direct' },
    },
    together: {
      description: 'Hears the other tabs.',
      invoke: { src: 'converse', id: 'converse' },
      exit: 'releaseLock',
      on: { 'lock.refused': { description: 'The platform gives no locks to this page.', target: 'alone' } },
      initial: 'following',
      states: {
        following: {
          description: 'Another tab has the connection, or this one is about to. Waits in the queue for the lock.',
          tags: ['following'],
          entry: ['releaseLock', 'claimLock'],
          exit: 'forgetLeader',
          on: {
            'lock.held': { description: 'The leader is gone, or there was none.', target: 'leading' },
            'leader.named': { target: '.guided', actions: 'noteLeader' },
          },
          initial: 'seeking',
          states: {
            seeking: {
              description: 'Nobody is known to lead.',
              initial: 'asking',
              states: {
                asking: {
                  description: 'Asks all tabs.',
                  invoke: { src: 'seekLeader', id: 'seek' },
                  after: { silence: { target: 'doubting' } },
                },
                doubting: {
                  description: 'Asks once more: after sleep a timer may ring before an answer is heard.',
                  invoke: { src: 'seekLeader', id: 'seek' },
                  after: { silence: { description: 'Whoever holds the lock is frozen.', target: '#tab.together.seizing' } },
                },
              },
            },
            guided: {
              description: 'Its sockets are at the leader.',
              invoke: { src: 'follow', id: 'follow', input: leaderOf },
              on: {
                'leader.named': [
                  { guard: 'isFollowed', target: '.trusting' },
                  {
                    description: 'Another one: what was open at the former is cut.',
                    target: 'guided',
                    reenter: true,
                    actions: 'noteLeader',
                  },
                ],
                'leader.answered': { guard: 'isFollowed', target: '.trusting' },
                'leader.resigned': { guard: 'isFollowed', target: 'seeking', actions: 'forgetLeader' },
              },
              initial: 'trusting',
              states: {
                trusting: { description: 'The leader was heard a moment ago.', after: { pulse: { target: 'asking' } } },
                asking: {
                  description: 'Asks whether it is there.',
                  invoke: { src: 'askLeader', id: 'ask' },
                  after: { silence: { target: 'doubting' } },
                },
                doubting: {
                  description: 'Asks once more: after sleep a timer may ring before an answer is heard.',
                  invoke: { src: 'askLeader', id: 'ask' },
                  after: { silence: { description: 'The leader is frozen.', target: '#tab.together.seizing' } },
                },
              },
            },
          },
        },
        seizing: {
          description: 'Takes the lock away from a leader that does not answer.',
          tags: ['following'],
          entry: ['releaseLock', 'seizeLock'],
          on: { 'lock.held': { target: 'leading' } },
        },
        leading: {
          description: 'Has the connection, for itself and for all others.',
          tags: ['leading'],
          invoke: { src: 'lead', id: 'lead' },
          on: { 'lock.lost': { description: 'It was frozen, and another tab leads now.', target: 'following' } },
          initial: 'serving',
          states: {
            serving: {
              description: 'Forgets tabs that were not heard for long.',
              invoke: { src: 'sweep', id: 'sweep' },
              after: { sweepTime: { target: 'serving', reenter: true } },
            },
          },
        },
      },
    },
    closed: { description: 'This tab needs no connection any more.', tags: ['closed'], type: 'final' },
  },
});
