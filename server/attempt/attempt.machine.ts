import { assign, setup } from 'xstate';

/** What the execution record remembers of the work behind a task. Times are milliseconds of the store's clock. */
export interface AttemptContext {
  /** The number of the newest attempt; 0 before the first. It is the fence: reports of an older one are refused. */
  readonly attempt: number;
  /** Who holds it. */
  readonly node: string | null;
  /** When the holder is taken for dead unless it renews; null once an outside system keeps the work. */
  readonly leaseUntil: number | null;
  /** How often in a row nobody could be asked to start. */
  readonly tries: number;
  /** When to ask again: for a start before the work runs; how it stands while an outside system keeps it. */
  readonly retryAt: number | null;
  /** When to give up asking. */
  readonly startBy: number | null;
  /** When work that was notified of a cancel is ended without its consent. */
  readonly graceUntil: number | null;
  /** Questions that ended and whose end has still to be delivered to the work, oldest first. */
  readonly pendingDeliveries: readonly string[];
}

/** What may be entered into the execution record. Unlike a task's facts these never leave the server. */
export type AttemptEvent =
  | { readonly type: 'attempt.claimed'; readonly node: string; readonly leaseUntil: number; readonly startBy: number }
  | { readonly type: 'attempt.deferred'; readonly retryAt: number }
  | { readonly type: 'attempt.started'; readonly leaseUntil: number | null; readonly retryAt?: number | null }
  | { readonly type: 'attempt.inspected'; readonly retryAt: number }
  | { readonly type: 'attempt.renewed'; readonly leaseUntil: number }
  | { readonly type: 'attempt.lost'; readonly startBy: number }
  | { readonly type: 'cancel.requested'; readonly graceUntil: number }
  | { readonly type: 'cancel.delivered' }
  | { readonly type: 'resolution.pending'; readonly suspendId: string }
  | { readonly type: 'resolution.delivered'; readonly suspendId: string }
  | { readonly type: 'task.ended' }
  | { readonly type: 'work.released' };

/**
 * Who runs the work behind a task, and what that work has still to be notified of. Stands in the execution record, outside the log. Effects
 * (start, hand over an answer, tell to stop) stay pending here until they are done, so that any node can repair a crash in between.
 *
 * Tags: `fenced` (reports of the newest attempt are refused), `claimable` (nobody works on it), `leased` (somebody does).
 */
export const attemptMachine = setup({
  types: {} as { context: AttemptContext; events: AttemptEvent; tags: 'fenced' | 'claimable' | 'leased' },
  actions: {
    claim: assign(({ context, event }) =>
      event.type === 'attempt.claimed'
        ? {
            ...context,
            attempt: context.attempt + 1,
            node: event.node,
            leaseUntil: event.leaseUntil,
            retryAt: null,
            startBy: context.startBy ?? event.startBy,
          }
        : context,
    ),
    defer: assign(({ context, event }) =>
      event.type === 'attempt.deferred'
        ? { ...context, node: null, leaseUntil: null, tries: context.tries + 1, retryAt: event.retryAt }
        : context,
    ),
    confirmStart: assign(({ context, event }) =>
      event.type === 'attempt.started'
        ? { ...context, leaseUntil: event.leaseUntil, tries: 0, retryAt: event.retryAt ?? null, startBy: null }
        : context,
    ),
    noteInspection: assign(({ context, event }) => (event.type === 'attempt.inspected' ? { ...context, retryAt: event.retryAt } : context)),
    renew: assign(({ context, event }) => (event.type === 'attempt.renewed' ? { ...context, leaseUntil: event.leaseUntil } : context)),
    vacate: assign(({ context, event }) => ({
      ...context,
      node: null,
      leaseUntil: null,
      retryAt: null,
      startBy: event.type === 'attempt.lost' ? event.startBy : context.startBy,
    })),
    allowGrace: assign(({ context, event }) =>
      event.type === 'cancel.requested' ? { ...context, graceUntil: event.graceUntil } : context,
    ),
    addPendingDelivery: assign(({ context, event }) =>
      event.type === 'resolution.pending' && !context.pendingDeliveries.includes(event.suspendId)
        ? { ...context, pendingDeliveries: [...context.pendingDeliveries, event.suspendId] }
        : context,
    ),
    removePendingDelivery: assign(({ context, event }) =>
      event.type === 'resolution.delivered'
        ? { ...context, pendingDeliveries: context.pendingDeliveries.filter((id) => id !== event.suspendId) }
        : context,
    ),
    settle: assign({ pendingDeliveries: [], retryAt: null, startBy: null, graceUntil: null }),
  },
}).createMachine({
  id: 'attempt',
  description: 'Who runs the work behind a task, and what that work has still to be notified of.',
  context: { attempt: 0, node: null, leaseUntil: null, tries: 0, retryAt: null, startBy: null, graceUntil: null, pendingDeliveries: [] },
  initial: 'unfinished',
  states: {
    unfinished: {
      description: 'The task has not ended.',
      initial: 'pending',
      on: {
        'resolution.pending': { actions: 'addPendingDelivery' },
        'resolution.delivered': { actions: 'removePendingDelivery' },
        'task.ended': { description: 'The work has nothing more to say, but may not know it.', target: 'ended', actions: 'settle' },
      },
      states: {
        pending: {
          description: 'Nobody has taken the work yet, or whoever should could not be reached.',
          tags: ['claimable', 'fenced'],
          on: { 'attempt.claimed': { target: 'starting', actions: 'claim' } },
        },
        starting: {
          description: 'A node has taken the work and asks the executor to start it.',
          tags: ['leased'],
          on: {
            'attempt.started': { target: 'held', actions: 'confirmStart' },
            'attempt.deferred': { description: 'Nobody could be asked.', target: 'pending', actions: 'defer' },
            'attempt.renewed': { actions: 'renew' },
            'attempt.lost': { target: 'lost', actions: 'vacate' },
            'cancel.requested': { target: 'stopping', actions: 'allowGrace' },
          },
        },
        held: {
          description: 'The work runs.',
          tags: ['leased'],
          on: {
            'attempt.inspected': { actions: 'noteInspection' },
            'attempt.renewed': { actions: 'renew' },
            'attempt.lost': { target: 'lost', actions: 'vacate' },
            'cancel.requested': { target: 'stopping', actions: 'allowGrace' },
          },
        },
        stopping: {
          description: 'The work has to be notified that it has to stop.',
          tags: ['leased'],
          on: {
            'attempt.started': { actions: 'confirmStart' },
            'attempt.inspected': { actions: 'noteInspection' },
            'attempt.renewed': { actions: 'renew' },
            'attempt.lost': { target: 'lost', actions: 'vacate' },
            'cancel.delivered': { target: 'notified' },
          },
        },
        notified: {
          description: 'The work was notified that it has to stop, and has its time of grace.',
          tags: ['leased'],
          on: {
            'attempt.inspected': { actions: 'noteInspection' },
            'attempt.renewed': { actions: 'renew' },
            'attempt.lost': { target: 'lost', actions: 'vacate' },
          },
        },
        lost: {
          description: 'Whoever held the work is gone; it is claimed again, or the task fails.',
          tags: ['claimable', 'fenced'],
          on: { 'attempt.claimed': { target: 'starting', actions: 'claim' } },
        },
      },
    },
    ended: {
      description: 'The task has ended; the work has to be notified.',
      tags: ['fenced'],
      on: { 'work.released': { target: 'released', actions: 'vacate' } },
    },
    released: { description: 'Nobody has to be notified of anything any more.', tags: ['fenced'], type: 'final' },
  },
});
