import { assign, enqueueActions, setup } from 'xstate';
import type { Emitted, RefusalCode, ReportIntent, SuspensionIntent } from '../intents.ts';
import type { Fact, FactPayload } from '../wire/facts.ts';

/** What a suspension remembers: the question, as long as it is open. */
export interface SuspensionContext {
  readonly question: FactPayload<'TASK_SUSPENDED'> | null;
}

/** Everything a suspension's chart may be told. */
export type SuspensionEvent = SuspensionIntent | Extract<ReportIntent, { type: 'report.suspended' }> | Fact;

/**
 * One question of a task and its answer. Which action is accepted, deduplicated or refused is decided here and nowhere else, in the order
 * of the protocol: known id, closed, deadline, type.
 *
 * Tags: `open`, `closed`.
 */
export const suspensionMachine = setup({
  types: {} as { context: SuspensionContext; events: SuspensionEvent; emitted: Emitted; tags: 'open' | 'closed' },
  guards: {
    wasAccepted: ({ event }) => event.type === 'action.submit' && event.receipt === 'same',
    reusesActionId: ({ event }) => event.type === 'action.submit' && event.receipt === 'different',
    // An odd log may hold a deadline that is no text, and not even parse: then there is none.
    isPastDeadline: ({ context, event }) =>
      'at' in event && typeof context.question?.expiresAt === 'string' && Date.parse(event.at) >= Date.parse(context.question.expiresAt),
    // An odd log may hold a question whose allowed actions are no list: then it takes none.
    hasForbiddenType: ({ context, event }) =>
      event.type === 'action.submit' &&
      !(Array.isArray(context.question?.allowedActions) && context.question.allowedActions.includes(event.actionType)),
    isExpiry: ({ event }) => event.type === 'TASK_SUSPENSION_CLOSED' && event.payload.outcome === 'EXPIRED',
  },
  actions: {
    refuse: enqueueActions(({ enqueue }, { code }: { code: RefusalCode }) => enqueue.emit({ type: 'refused', code })),
    emitActionAccepted: enqueueActions(({ enqueue, event }) => {
      if (event.type !== 'action.submit') return;
      const { suspendId, clientActionId, actionType, at } = event;
      enqueue.emit({ type: 'TASK_ACTION_ACCEPTED', payload: { suspendId, clientActionId, actionType, acceptedAt: at } });
    }),
    emitExpired: enqueueActions(({ enqueue, context }) => {
      if (context.question)
        enqueue.emit({ type: 'TASK_SUSPENSION_CLOSED', payload: { suspendId: context.question.suspendId, outcome: 'EXPIRED' } });
    }),
    recordQuestion: assign(({ context, event }) => (event.type === 'TASK_SUSPENDED' ? { question: event.payload } : context)),
    forgetQuestion: assign({ question: null }),
  },
}).createMachine({
  id: 'suspension',
  description: 'One question of a task: asked, then answered, expired or withdrawn.',
  context: { question: null },
  initial: 'unasked',
  on: {
    TASK_SUSPENDED: { description: 'The log asks, or asks again.', target: '.open', actions: 'recordQuestion' },
  },
  states: {
    unasked: {
      description: 'The task never asked this.',
      on: {
        'action.submit': { actions: { type: 'refuse', params: { code: 'SUSPENSION_NOT_FOUND' } } },
        'suspension.expire': { actions: { type: 'refuse', params: { code: 'SUSPENSION_NOT_FOUND' } } },
      },
    },
    open: {
      description: 'Waits for one action.',
      tags: ['open'],
      on: {
        'report.suspended': { actions: { type: 'refuse', params: { code: 'ALREADY_ASKED' } } },
        'action.submit': [
          { guard: 'reusesActionId', actions: { type: 'refuse', params: { code: 'IDEMPOTENCY_CONFLICT' } } },
          {
            description: 'The deadline passed before anybody noticed.',
            guard: 'isPastDeadline',
            actions: ['emitExpired', { type: 'refuse', params: { code: 'REJECTED_EXPIRED' } }],
          },
          { guard: 'hasForbiddenType', actions: { type: 'refuse', params: { code: 'ACTION_NOT_ALLOWED' } } },
          { actions: 'emitActionAccepted' },
        ],
        'suspension.expire': [
          { guard: 'isPastDeadline', actions: 'emitExpired' },
          { actions: { type: 'refuse', params: { code: 'NOT_DUE' } } },
        ],
        TASK_ACTION_ACCEPTED: { target: 'resolved', actions: 'forgetQuestion' },
        TASK_SUSPENSION_CLOSED: [
          { guard: 'isExpiry', target: 'expired', actions: 'forgetQuestion' },
          { target: 'cancelled', actions: 'forgetQuestion' },
        ],
        TASK_COMPLETED: { target: 'cancelled', actions: 'forgetQuestion' },
        TASK_FAILED: { target: 'cancelled', actions: 'forgetQuestion' },
        TASK_CANCELLED: { target: 'cancelled', actions: 'forgetQuestion' },
      },
    },
    resolved: {
      description: 'One action was accepted.',
      tags: ['closed'],
      on: {
        'report.suspended': { actions: { type: 'refuse', params: { code: 'ALREADY_ASKED' } } },
        'action.submit': [
          { guard: 'wasAccepted', actions: { type: 'refuse', params: { code: 'DEDUPLICATED' } } },
          { guard: 'reusesActionId', actions: { type: 'refuse', params: { code: 'IDEMPOTENCY_CONFLICT' } } },
          { actions: { type: 'refuse', params: { code: 'REJECTED_ALREADY_RESOLVED' } } },
        ],
        'suspension.expire': { actions: { type: 'refuse', params: { code: 'NOT_DUE' } } },
      },
    },
    expired: {
      description: 'Nobody answered in time.',
      tags: ['closed'],
      on: {
        'report.suspended': { actions: { type: 'refuse', params: { code: 'ALREADY_ASKED' } } },
        'action.submit': [
          { guard: 'reusesActionId', actions: { type: 'refuse', params: { code: 'IDEMPOTENCY_CONFLICT' } } },
          { actions: { type: 'refuse', params: { code: 'REJECTED_EXPIRED' } } },
        ],
        'suspension.expire': { actions: { type: 'refuse', params: { code: 'NOT_DUE' } } },
      },
    },
    cancelled: {
      description: 'Withdrawn: the task ended first.',
      tags: ['closed'],
      on: {
        'report.suspended': { actions: { type: 'refuse', params: { code: 'ALREADY_ASKED' } } },
        'action.submit': [
          { guard: 'reusesActionId', actions: { type: 'refuse', params: { code: 'IDEMPOTENCY_CONFLICT' } } },
          { actions: { type: 'refuse', params: { code: 'REJECTED_ALREADY_RESOLVED' } } },
        ],
        'suspension.expire': { actions: { type: 'refuse', params: { code: 'NOT_DUE' } } },
      },
    },
  },
});
