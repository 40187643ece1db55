import { and, assign, enqueueActions, setup, stateIn } from 'xstate';
import type { StepName, WorkDue, WorkFailure, WorkOrder } from './work-events.ts';

export type { WorkDue, WorkFailure, WorkOrder } from './work-events.ts';

/** What the execution record remembers of the work behind a task. Times are milliseconds of the store's clock. */
export interface AttemptContext {
  /** The number of the newest attempt; 0 before the first. It is the fence: reports of an older one are refused. */
  readonly attempt: number;
  /** The node that holds it; null once nobody does, or an outside system keeps the work. */
  readonly node: string | null;
  /** When a node of 0.1.0 is taken for dead unless it renews; null for all others, whose leases are rows of their own. */
  readonly leaseUntil: number | null;
  /** How often in a row its process crashed while the work ran: since it was cleared, or got further than before. */
  readonly crashes: number;
  /** How often more since it got further: of these it was cleared, for it had been watched for a while and had crashed nothing. */
  readonly spared: number;
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
  | { readonly type: 'attempt.claimed'; readonly node: string; readonly startBy: number }
  | { readonly type: 'attempt.deferred'; readonly retryAt: number }
  | { readonly type: 'attempt.begun' }
  | { readonly type: 'attempt.started'; readonly keptOutside: boolean; readonly retryAt: number | null }
  | { readonly type: 'attempt.inspected'; readonly retryAt: number | null }
  | { readonly type: 'attempt.advanced' }
  | { readonly type: 'attempt.suspended' }
  | { readonly type: 'attempt.resumed' }
  | { readonly type: 'attempt.cleared' }
  | { readonly type: 'attempt.lost'; readonly crashed: boolean; readonly retryAt: number; readonly restUntil: number }
  | { readonly type: 'cancel.requested'; readonly graceUntil: number }
  | { readonly type: 'cancel.delivered' }
  | { readonly type: 'resolution.pending'; readonly suspendId: string }
  | { readonly type: 'resolution.delivered'; readonly suspendId: string }
  | { readonly type: 'task.ended' }
  | { readonly type: 'work.released' };

/** How many crashes end work that was cleared of most of them, as a multiple of the others: it may take longer than anybody watches. */
const SPARED_TIMES = 4;

/** See {@link attemptMachine}. */
type AttemptTag = 'fenced' | 'claimed' | 'begun' | 'working' | 'cleared' | 'claimable' | 'lost' | 'suspect';

/** True where its process has crashed since it got further. */
export function isSuspected({ crashes, spared }: Pick<AttemptContext, 'crashes' | 'spared'>): boolean {
  return crashes + spared > 0;
}

/**
 * Who runs the work behind a task, and what that work has still to be notified of. Stands in the execution record, outside the log. Effects
 * (start, hand over an answer, tell to stop) stay pending here until they are done, so that any node can repair a crash in between.
 *
 * Tags: `fenced` (reports of the newest attempt are refused), `claimed` (somebody works on it), `begun` (and has reported), `working` (and does
 * not only wait), `cleared` (and crashed nothing while it was watched), `claimable` (nobody does), `lost` (somebody did, and it may have had
 * effects), `suspect` (and its process crashed).
 */
export const attemptMachine = setup({
  types: {} as {
    context: AttemptContext;
    events: AttemptEvent | WorkDue;
    emitted: WorkOrder;
    tags: AttemptTag;
    meta: { readonly owes: readonly StepName[] };
  },
  guards: {
    isUnbegun: stateIn({ unfinished: { claimed: { progress: 'unbegun' } } }),
    isCrash: ({ event }) => event.type === 'attempt.lost' && event.crashed,
    isSuspected: ({ context }) => isSuspected(context),
    hasCrashed: ({ context }) => context.crashes > 0,
    isCancelling: ({ event }) => event.type === 'work.due' && event.isCancelling,
    mayNotRepeat: ({ event }) => event.type === 'work.due' && !event.mayRepeat,
    hasCrashedTooOften: ({ context: { crashes, spared }, event }) =>
      event.type === 'work.due' && (crashes >= event.crashesMax || crashes + spared >= event.crashesMax * SPARED_TIMES),
    isStartOverdue: ({ context: { startBy }, event }) => event.type === 'work.due' && startBy !== null && event.now >= startBy,
    isResting: ({ context: { retryAt }, event }) => event.type === 'work.due' && retryAt !== null && retryAt > event.now,
    isUnbegunSuspect: and([stateIn({ unfinished: { claimed: { progress: 'unbegun' } } }), 'isSuspected']),
  },
  actions: {
    claim: assign(({ context, event }) =>
      event.type === 'attempt.claimed'
        ? {
            ...context,
            attempt: context.attempt + 1,
            node: event.node,
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
        ? {
            ...context,
            node: event.keptOutside ? null : context.node,
            leaseUntil: event.keptOutside ? null : context.leaseUntil,
            tries: 0,
            retryAt: event.retryAt,
            startBy: null,
          }
        : context,
    ),
    noteInspection: assign(({ context, event }) => (event.type === 'attempt.inspected' ? { ...context, retryAt: event.retryAt } : context)),
    acquit: assign({ crashes: 0, spared: 0 }),
    spare: assign(({ context }) => ({ ...context, crashes: 0, spared: context.spared + context.crashes })),
    vacate: assign(({ context, event }) => ({
      ...context,
      node: null,
      leaseUntil: null,
      tries: 0,
      retryAt: event.type === 'attempt.lost' ? event.retryAt : null,
      startBy: null,
    })),
    countCrash: assign(({ context }) => ({ ...context, crashes: context.crashes + 1 })),
    countSpared: assign(({ context }) => ({ ...context, spared: context.spared + 1 })),
    rest: assign(({ context, event }) => (event.type === 'attempt.lost' ? { ...context, retryAt: event.restUntil } : context)),
    orderClaim: enqueueActions(({ enqueue }) => enqueue.emit({ type: 'work.claim' })),
    orderStop: enqueueActions(({ enqueue }) => enqueue.emit({ type: 'work.stop' })),
    orderFailure: enqueueActions(({ enqueue }, { why }: { why: WorkFailure }) => enqueue.emit({ type: 'work.fail', why })),
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
  context: {
    attempt: 0,
    node: null,
    leaseUntil: null,
    crashes: 0,
    spared: 0,
    tries: 0,
    retryAt: null,
    startBy: null,
    graceUntil: null,
    pendingDeliveries: [],
  },
  initial: 'unfinished',
  states: {
    unfinished: {
      description: 'The task has not ended.',
      meta: { owes: ['expire questions', 'stop a stale run'] },
      initial: 'pending',
      on: {
        'resolution.pending': { actions: 'addPendingDelivery' },
        'resolution.delivered': {
          description: 'The work got further than any crash of it before.',
          actions: ['removePendingDelivery', 'acquit'],
        },
        'task.ended': { description: 'The work has nothing more to say, but may not know it.', target: 'ended', actions: 'settle' },
      },
      states: {
        pending: {
          description: 'Nobody has taken the work yet, or whoever did never began it.',
          tags: ['claimable', 'fenced'],
          meta: { owes: ['claim'] },
          on: {
            'attempt.claimed': { target: 'claimed', actions: 'claim' },
            'work.due': [
              { description: 'Whoever would be told to stop is nobody.', guard: 'isCancelling', actions: 'orderStop' },
              {
                description: 'Nobody could be asked to run it.',
                guard: 'isStartOverdue',
                actions: { type: 'orderFailure', params: { why: 'could not be started in time' } },
              },
              { description: 'It is not its time.', guard: 'isResting' },
              { actions: 'orderClaim' },
            ],
          },
        },
        claimed: {
          description: 'A node has the work, or an outside system keeps it.',
          tags: ['claimed'],
          meta: { owes: ['expire the lease', 'put back what is aborted', 'put back what lost its history'] },
          type: 'parallel',
          states: {
            progress: {
              description: 'Whether it may have had effects.',
              initial: 'unbegun',
              states: {
                unbegun: {
                  description: 'It has not reported: no handler has it. What never began is not lost.',
                  on: {
                    'attempt.begun': { target: 'begun' },
                    'attempt.lost': [
                      { description: 'So far.', guard: 'isSuspected', target: '#attempt.unfinished.suspected', actions: 'vacate' },
                      { target: '#attempt.unfinished.pending', actions: 'vacate' },
                    ],
                  },
                },
                begun: {
                  description: 'It has reported, and works.',
                  tags: ['begun', 'working'],
                  on: {
                    'attempt.advanced': { description: 'It got further than its crashes before.', guard: 'isSuspected', actions: 'acquit' },
                    'attempt.suspended': { target: 'waiting', actions: 'acquit' },
                    'attempt.cleared': {
                      description: 'Its crashes so far are no row any more.',
                      guard: 'isSuspected',
                      target: 'cleared',
                      actions: 'spare',
                    },
                    'attempt.lost': [
                      {
                        description: 'It may be why.',
                        guard: 'isCrash',
                        target: '#attempt.unfinished.suspected',
                        actions: ['vacate', 'countCrash', 'rest'],
                      },
                      {
                        description: 'It was not watched to the end.',
                        guard: 'hasCrashed',
                        target: '#attempt.unfinished.suspected',
                        actions: 'vacate',
                      },
                      { target: '#attempt.unfinished.lost', actions: 'vacate' },
                    ],
                  },
                },
                cleared: {
                  description: 'It is suspected, was watched for a while, and crashed nothing.',
                  tags: ['begun', 'working', 'cleared'],
                  on: {
                    'attempt.advanced': { target: 'begun', actions: 'acquit' },
                    'attempt.suspended': { target: 'waiting', actions: 'acquit' },
                    'attempt.cleared': {
                      description: 'It has run for so long that what was before counts no more.',
                      target: 'begun',
                      actions: 'acquit',
                    },
                    'attempt.lost': [
                      {
                        description: 'Another is more likely why.',
                        guard: 'isCrash',
                        target: '#attempt.unfinished.suspected',
                        actions: ['vacate', 'countSpared', 'rest'],
                      },
                      { target: '#attempt.unfinished.lost', actions: 'vacate' },
                    ],
                  },
                },
                waiting: {
                  description: 'This run does nothing until somebody answers: what crashes its process meanwhile is another.',
                  tags: ['begun'],
                  on: {
                    'attempt.resumed': { target: 'begun' },
                    'attempt.advanced': { target: 'begun', actions: 'acquit' },
                    'resolution.delivered': { target: 'begun', actions: ['removePendingDelivery', 'acquit'] },
                    'attempt.lost': { target: '#attempt.unfinished.lost', actions: 'vacate' },
                  },
                },
              },
            },
            run: {
              description: 'What its executor was asked for.',
              initial: 'starting',
              states: {
                starting: {
                  description: 'A node has taken the work and asks the executor to start it.',
                  meta: { owes: ['start'] },
                  on: {
                    'attempt.started': { target: 'held', actions: 'confirmStart' },
                    'attempt.deferred': [
                      {
                        description: 'Nobody could be asked, once more.',
                        guard: 'isUnbegunSuspect',
                        target: '#attempt.unfinished.suspected',
                        actions: 'defer',
                      },
                      {
                        description: 'Nobody could be asked; what has reported was.',
                        guard: 'isUnbegun',
                        target: '#attempt.unfinished.pending',
                        actions: 'defer',
                      },
                    ],
                    'cancel.requested': { target: 'stopping', actions: 'allowGrace' },
                  },
                },
                held: {
                  description: 'The work runs.',
                  meta: { owes: ['deliver a resolution', 'inspect'] },
                  on: {
                    'attempt.inspected': { actions: 'noteInspection' },
                    'cancel.requested': { target: 'stopping', actions: 'allowGrace' },
                  },
                },
                stopping: {
                  description: 'The work has to be notified that it has to stop.',
                  meta: { owes: ['end an overdue cancel', 'deliver the cancel', 'deliver a resolution', 'inspect'] },
                  on: {
                    'attempt.started': { actions: 'confirmStart' },
                    'attempt.inspected': { actions: 'noteInspection' },
                    'cancel.delivered': { target: 'notified' },
                  },
                },
                notified: {
                  description: 'The work was notified that it has to stop, and has its time of grace.',
                  meta: { owes: ['end an overdue cancel', 'deliver a resolution', 'inspect'] },
                  on: { 'attempt.inspected': { actions: 'noteInspection' } },
                },
              },
            },
          },
        },
        lost: {
          description: 'Whoever ran the work gave it up, or runs it no more; it is claimed again, or the task fails.',
          tags: ['claimable', 'fenced', 'lost'],
          meta: { owes: ['claim'] },
          on: {
            'attempt.claimed': { target: 'claimed', actions: 'claim' },
            'work.due': [
              { description: 'Whoever would be told to stop is nobody.', guard: 'isCancelling', actions: 'orderStop' },
              {
                description: 'What it did, it may have done.',
                guard: 'mayNotRepeat',
                actions: { type: 'orderFailure', params: { why: 'may not be repeated' } },
              },
              {
                description: 'It would do so again.',
                guard: 'hasCrashedTooOften',
                actions: { type: 'orderFailure', params: { why: 'crashes again and again' } },
              },
              { description: 'It is not its time.', guard: 'isResting' },
              { actions: 'orderClaim' },
            ],
          },
        },
        suspected: {
          description: 'The process that ran the work crashed; it is claimed again after a rest and by itself, or the task fails.',
          tags: ['claimable', 'fenced', 'lost', 'suspect'],
          meta: { owes: ['claim'] },
          on: {
            'attempt.claimed': { target: 'claimed', actions: 'claim' },
            'work.due': [
              { description: 'Whoever would be told to stop is nobody.', guard: 'isCancelling', actions: 'orderStop' },
              {
                description: 'What it did, it may have done.',
                guard: 'mayNotRepeat',
                actions: { type: 'orderFailure', params: { why: 'may not be repeated' } },
              },
              {
                description: 'It would do so again.',
                guard: 'hasCrashedTooOften',
                actions: { type: 'orderFailure', params: { why: 'crashes again and again' } },
              },
              {
                description: 'Nobody could be asked to run it.',
                guard: 'isStartOverdue',
                actions: { type: 'orderFailure', params: { why: 'could not be started in time' } },
              },
              { description: 'It is not its time.', guard: 'isResting' },
              { actions: 'orderClaim' },
            ],
          },
        },
      },
    },
    ended: {
      description: 'The task has ended; the work has to be notified.',
      tags: ['fenced'],
      meta: { owes: ['remove what is expired', 'stop a stale run', 'notify of the end'] },
      on: { 'work.released': { target: 'released', actions: 'vacate' } },
    },
    released: {
      description: 'Nobody has to be notified of anything any more.',
      tags: ['fenced'],
      meta: { owes: ['remove what is expired', 'stop a stale run'] },
      type: 'final',
    },
  },
});
