import { assign, emit, fromPromise, setup, type DoneActorEvent } from 'xstate';
import type { AcceptedAction, Question } from 'taskbridge/server';
import type { Shown } from './machine-handler.ts';

interface Checkout {
  readonly item: string;
  readonly cents: number;
  readonly reservation: string;
  readonly receipt: string;
}

const notGiven = (): Promise<never> => Promise.reject(new Error('The host provides it.'));

/** Reserves, asks, charges; whoever thinks for long is reminded, and a payment that fails is tried again. Its host provides the shop. */
export const checkoutMachine = setup({
  types: {} as {
    context: Checkout;
    input: { readonly item: string; readonly cents: number };
    output: { readonly receipt: string | null };
    emitted: Shown;
  },
  actors: {
    reserve: fromPromise<string, { item: string }>(notGiven),
    charge: fromPromise<string, { cents: number }>(notGiven),
    ask: fromPromise<AcceptedAction, Question>(notGiven),
  },
  delays: { remind: 60_000, retry: 1000 },
  guards: { isPaid: ({ event }) => (event as unknown as DoneActorEvent<AcceptedAction>).output.actionType === 'pay' },
}).createMachine({
  id: 'checkout',
  context: ({ input }) => ({ item: input.item, cents: input.cents, reservation: '', receipt: '' }),
  initial: 'reserving',
  states: {
    reserving: {
      entry: emit({ type: 'progress', progress: 10, stage: 'reserving' }),
      invoke: {
        id: 'reserve',
        src: 'reserve',
        input: ({ context }) => ({ item: context.item }),
        onDone: { target: 'confirming', actions: assign({ reservation: ({ event }) => event.output }) },
      },
    },
    confirming: {
      entry: emit({ type: 'progress', progress: 50, stage: 'confirming' }),
      invoke: {
        id: 'ask',
        src: 'ask',
        input: ({ context }) => ({
          reasonCode: 'CONFIRM_PAYMENT',
          allowedActions: ['pay', 'leave'],
          interaction: { item: context.item, cents: context.cents },
        }),
        onDone: [{ guard: 'isPaid', target: 'paying' }, { target: 'left' }],
      },
      after: { remind: { actions: emit({ type: 'message', message: 'Your order is still waiting for you.' }) } },
    },
    paying: {
      entry: emit({ type: 'progress', progress: 80, stage: 'paying' }),
      invoke: {
        id: 'charge',
        src: 'charge',
        input: ({ context }) => ({ cents: context.cents }),
        onDone: { target: 'paid', actions: assign({ receipt: ({ event }) => event.output }) },
        onError: 'resting',
      },
    },
    resting: { after: { retry: 'paying' } },
    paid: { type: 'final' },
    left: { type: 'final' },
  },
  output: ({ context }) => ({ receipt: context.receipt === '' ? null : context.receipt }),
});
