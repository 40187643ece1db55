import { assign, fromCallback, fromPromise, setup, spawnChild, stateIn, stopChild } from 'xstate';

/** What became of one turn of sending. */
export type OutboxTurn =
  /** One command has its answer, or came to nothing. */
  | { readonly outcome: 'settled' }
  /** Nothing waits. */
  | { readonly outcome: 'nothing' }
  /** The oldest command has to be sent again. */
  | { readonly outcome: 'failed'; readonly error: unknown; readonly retryAfterMs: number };

/** What the outbox chart is told. */
export type OutboxEvent =
  | { readonly type: 'gate.opened' | 'gate.closed' }
  | { readonly type: 'lock.held' | 'lock.lost' | 'lock.refused' }
  /** The store was looked at again. */
  | { readonly type: 'entries.pending' | 'entries.none' }
  | { readonly type: 'retry.asked' | 'outbox.close' };

/** What the outbox chart remembers. */
export interface OutboxContext {
  /** Failures in a row, at most 10. */
  readonly failures: number;
  /** What the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number;
  /** Why it rests. */
  readonly error: unknown;
}

const begin = (): OutboxContext => ({ failures: 0, retryAfterMs: 0, error: undefined });
const turnOf = (event: unknown): Partial<OutboxTurn> & { readonly pending?: number } =>
  // Done events of actors are not part of the declared alphabet; their output is typed where the actor is.
  (event as { output?: Partial<OutboxTurn> }).output ?? {};

const stub = (name: string) => (): never => {
  throw new Error(`The actor "${name}" was not provided. Fill it with outboxMachine.provide({ actors: { ${name} } }).`);
};

/**
 * Decides when the commands of an outbox go out: one at a time, by one tab at a time, while there is any use in trying.
 *
 * Its state's tag says what it does: `loading`, `idle`, `offline` (the gate is closed), `elsewhere` (another tab sends), `sending`, `resting`
 * (a passing failure; see the context's `error`), `closed`.
 */
export const outboxMachine = setup({
  types: {} as {
    context: OutboxContext;
    events: OutboxEvent;
    children: { entries: 'readEntries'; turn: 'sendNext'; lock: 'claimLock' | 'seizeLock'; gate: 'watchGate' };
    tags: 'loading' | 'idle' | 'offline' | 'elsewhere' | 'sending' | 'resting' | 'closed';
  },
  actors: {
    readEntries: fromPromise<{ readonly pending: number }>(stub('readEntries')),
    sendNext: fromPromise<OutboxTurn>(stub('sendNext')),
    claimLock: fromCallback<OutboxEvent>(stub('claimLock')),
    seizeLock: fromCallback<OutboxEvent>(stub('seizeLock')),
    watchGate: fromCallback<OutboxEvent>(stub('watchGate')),
  },
  delays: { restTime: 1_000, patience: 120_000, nextExpiry: 60_000 },
  guards: {
    isGateClosed: stateIn({ open: { gate: 'closed' } }),
    isGateOpen: stateIn({ open: { gate: 'open' } }),
    isEmpty: ({ event }) => turnOf(event).pending === 0,
    isFailed: ({ event }) => turnOf(event).outcome === 'failed',
    isNothing: ({ event }) => turnOf(event).outcome === 'nothing',
  },
  actions: {
    claimLock: spawnChild('claimLock', { id: 'lock' }),
    seizeLock: spawnChild('seizeLock', { id: 'lock' }),
    releaseLock: stopChild('lock'),
    noteFailure: assign(({ context, event }) => {
      // Error events of actors carry it too.
      const { error, retryAfterMs = 0 } =
        'output' in event
          ? (turnOf(event) as { error?: unknown; retryAfterMs?: number })
          : (event as { error?: unknown; retryAfterMs?: number });
      return { failures: Math.min(context.failures + 1, 10), retryAfterMs, error };
    }),
    forgetFailures: assign({ failures: 0, retryAfterMs: 0, error: undefined }),
  },
}).createMachine({
  id: 'outbox',
  description: 'When the commands of an outbox go out: in order, one at a time, from one tab at a time.',
  context: begin,
  initial: 'open',
  states: {
    open: {
      description: 'Until it is closed.',
      type: 'parallel',
      on: { 'outbox.close': { target: 'closed' } },
      states: {
        gate: {
          description: 'Whether the host sees any use in trying.',
          invoke: { src: 'watchGate', id: 'gate' },
          initial: 'closed',
          states: {
            open: { description: 'Commands may go out.', on: { 'gate.closed': { target: 'closed' } } },
            closed: {
              description: 'Nothing new is sent; also until the host has said anything.',
              on: { 'gate.opened': { target: 'open' } },
            },
          },
        },
        work: {
          description: 'What is done about the commands.',
          initial: 'loading',
          states: {
            loading: {
              description: 'Looks at the store, and gives up what is too old and was never sent.',
              tags: ['loading'],
              invoke: {
                src: 'readEntries',
                id: 'entries',
                onDone: [{ guard: 'isEmpty', target: 'idle', actions: 'forgetFailures' }, { target: 'waiting' }],
                onError: { target: 'unreadable', actions: 'noteFailure' },
              },
              on: { 'entries.pending': { description: 'One was kept meanwhile.', target: 'waiting' } },
            },
            unreadable: {
              description: 'The store failed.',
              tags: ['resting'],
              on: { 'retry.asked': { target: 'loading' } },
              after: { restTime: { target: 'loading' } },
            },
            idle: {
              description: 'Nothing waits.',
              tags: ['idle'],
              on: { 'entries.pending': { target: 'waiting' } },
            },
            waiting: {
              description: 'Waits for the gate. Holds no lock.',
              tags: ['offline'],
              always: { guard: 'isGateOpen', target: 'contending' },
              on: { 'entries.none': { target: 'idle' } },
              after: { nextExpiry: { description: 'The oldest may be too old now.', target: 'loading' } },
            },
            contending: {
              description: 'One tab at a time sends: the one that holds the lock.',
              exit: 'releaseLock',
              initial: 'queueing',
              on: { 'lock.lost': { description: 'Another tab lost its patience.', target: '.queueing' } },
              states: {
                queueing: {
                  description: 'Another tab sends, or the lock is about to be ours.',
                  tags: ['elsewhere'],
                  entry: ['releaseLock', 'claimLock'],
                  always: { guard: 'isGateClosed', target: '#outbox.open.work.waiting' },
                  on: {
                    'lock.held': { target: 'sending' },
                    'lock.refused': {
                      description: 'No locks here. The ids make it harmless if another tab sends the same.',
                      target: 'sending',
                    },
                    'entries.none': { description: 'The other one has sent everything.', target: '#outbox.open.work.idle' },
                  },
                  initial: 'patient',
                  states: {
                    patient: {
                      description: 'As long as the other one gets on with it.',
                      on: { 'entries.pending': { target: 'patient', reenter: true } },
                      after: {
                        patience: {
                          description: 'Nothing was sent for so long: it is frozen, or dead without having let go.',
                          target: '#outbox.open.work.contending.seizing',
                        },
                      },
                    },
                  },
                },
                seizing: {
                  description: 'Takes the lock away. Commands that both send are taken once, by their ids.',
                  tags: ['elsewhere'],
                  entry: ['releaseLock', 'seizeLock'],
                  always: { guard: 'isGateClosed', target: '#outbox.open.work.waiting' },
                  on: { 'lock.held': { target: 'sending' }, 'lock.refused': { target: 'sending' } },
                },
                sending: {
                  description: 'Sends the oldest command and notes what became of it.',
                  tags: ['sending'],
                  invoke: {
                    src: 'sendNext',
                    id: 'turn',
                    onDone: [
                      { guard: 'isFailed', target: 'resting', actions: 'noteFailure' },
                      { description: 'One may have been kept while it looked.', guard: 'isNothing', target: '#outbox.open.work.loading' },
                      { guard: 'isGateClosed', target: '#outbox.open.work.waiting', actions: 'forgetFailures' },
                      { target: 'sending', reenter: true, actions: 'forgetFailures' },
                    ],
                    onError: { description: 'The store failed.', target: 'resting', actions: 'noteFailure' },
                  },
                },
                resting: {
                  description:
                    'A passing failure: the same command again, after a rest. Keeps the lock, so that tabs do not take turns at failing.',
                  tags: ['resting'],
                  always: { guard: 'isGateClosed', target: '#outbox.open.work.waiting' },
                  on: { 'retry.asked': { target: 'sending' } },
                  after: { restTime: { target: 'sending' } },
                },
              },
            },
          },
        },
      },
    },
    closed: { description: 'Nothing is sent any more; what is kept stays kept.', tags: ['closed'], type: 'final' },
  },
});
