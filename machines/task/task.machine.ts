import { assign, enqueueActions, setup } from 'xstate';
import type { Emitted, RefusalCode, TaskIntent } from '../intents.ts';
import { parseEventId } from '../wire/event-id.ts';
import type { Fact, FactPayload } from '../wire/facts.ts';
import { OPEN_PARTS_MAX, OPEN_SUSPENSIONS_MAX, PARTS_MAX, SUSPENSIONS_MAX } from '../wire/chart-limits.ts';

/** A part that grows. */
export interface OpenPart {
  /** The number of the fact that opened it, by which it is named. */
  readonly opened: number;
  readonly name: string;
  readonly kind: FactPayload<'TASK_PART_OPENED'>['kind'];
}

/** What the task chart remembers: small, plain JSON, the same on server and client. */
export interface TaskContext {
  /** The last report of progress. */
  readonly progress: FactPayload<'TASK_PROGRESS'> | null;
  /** Ids of the questions that wait for an answer, oldest first. */
  readonly openSuspensionIds: readonly string[];
  /** How many questions the task has asked so far. */
  readonly suspensionCount: number;
  /** The reason that came with a request to cancel. */
  readonly cancelReason: string | null;
  /** Where the result stands: the id of the fact that carries it. */
  readonly resultEventId: string | null;
  readonly failure: FactPayload<'TASK_FAILED'> | null;
  readonly cancellation: FactPayload<'TASK_CANCELLED'> | null;
  /** The parts that grow, in the order in which they were opened. */
  readonly openParts: readonly OpenPart[];
  /** How many parts the task has opened so far. */
  readonly partCount: number;
}

/** What a task ends with. A part is null where another server's fact did not say it. */
export type TaskOutput =
  /** The result is in the fact of that id. */
  | { readonly status: 'COMPLETED'; readonly resultEventId: string | null }
  | { readonly status: 'FAILED'; readonly failure: FactPayload<'TASK_FAILED'> | null }
  | { readonly status: 'CANCELLED'; readonly cancellation: FactPayload<'TASK_CANCELLED'> | null };

/** Said by a client that begins in the middle of a log without a snapshot; never part of a log. */
export interface JoinedEvent {
  readonly type: 'log.joined';
}

/** Everything the task chart may be told: intents, facts, and `log.joined`. */
export type TaskEvent = TaskIntent | Fact | JoinedEvent;

/** The reason of a cancellation that was asked for without one. Source: protocol, "Facts". */
export const DEFAULT_CANCEL_REASON = 'Cancelled on request';

const remaining = (context: TaskContext, event: TaskEvent): readonly string[] =>
  event.type === 'TASK_ACTION_ACCEPTED' || event.type === 'TASK_SUSPENSION_CLOSED'
    ? context.openSuspensionIds.filter((id) => id !== event.payload.suspendId)
    : context.openSuspensionIds;

/** The part that an event is about, where that is open. */
const concernedPart = ({ openParts }: TaskContext, event: TaskEvent): OpenPart | undefined =>
  event.type === 'report.part.closed' || event.type === 'part.abandon' || event.type === 'TASK_PART_CLOSED'
    ? openParts.find(({ opened }) => opened === event.payload.part)
    : undefined;

/** The part that a fact opens; none where another server's fact says too little to name it. */
const openedPart = ({ eventId, payload }: Fact<'TASK_PART_OPENED'>): OpenPart | undefined => {
  const { name, kind } = payload;
  const opened = parseEventId(eventId)?.n;
  return opened !== undefined && typeof name === 'string' && typeof kind === 'string' ? { opened, name, kind } : undefined;
};

/** What the chart ends with, where the state that it ended in says how. */
export function outputOf({ context, event }: { readonly context: TaskContext; readonly event: { readonly output: unknown } }): TaskOutput {
  const { resultEventId, failure, cancellation } = context;
  // Of the final states below.
  switch (event.output as TaskOutput['status']) {
    case 'COMPLETED':
      return { status: 'COMPLETED', resultEventId };
    case 'FAILED':
      return { status: 'FAILED', failure };
    case 'CANCELLED':
      return { status: 'CANCELLED', cancellation };
  }
}

/**
 * The law of a task's log. Intents (dotted, lower case) change no state: they emit the facts that they become, or a refusal. Facts (upper
 * case) change state and are never refused. Folding a log through this chart gives the task, on the server as on every client.
 *
 * Tags: `open` (something may still happen), `waiting` (for an answer), `partial` (joined in the middle), `terminal`.
 */
export const taskMachine = setup({
  types: {} as {
    context: TaskContext;
    events: TaskEvent;
    emitted: Emitted;
    output: TaskOutput;
    tags: 'open' | 'waiting' | 'partial' | 'terminal';
  },
  guards: {
    hasMostOpenSuspensions: ({ context }) => context.openSuspensionIds.length >= OPEN_SUSPENSIONS_MAX,
    hasMostSuspensions: ({ context }) => context.suspensionCount >= SUSPENSIONS_MAX,
    hasMostOpenParts: ({ context }) => context.openParts.length >= OPEN_PARTS_MAX,
    hasMostParts: ({ context }) => context.partCount >= PARTS_MAX,
    hasOpenParts: ({ context }) => context.openParts.length > 0,
    concernsOpenPart: ({ context, event }) => concernedPart(context, event) !== undefined,
    closesLastSuspension: ({ context, event }) => remaining(context, event).length === 0,
  },
  actions: {
    refuse: enqueueActions(({ enqueue }, { code }: { code: RefusalCode }) => enqueue.emit({ type: 'refused', code })),
    emitStarted: enqueueActions(({ enqueue, event }) => {
      if (event.type === 'report.started') enqueue.emit({ type: 'TASK_STARTED', payload: event.payload });
    }),
    emitProgress: enqueueActions(({ enqueue, event }) => {
      if (event.type === 'report.progress') enqueue.emit({ type: 'TASK_PROGRESS', payload: event.payload });
    }),
    emitMessage: enqueueActions(({ enqueue, event }) => {
      if (event.type === 'report.message') enqueue.emit({ type: 'TASK_MESSAGE', payload: event.payload });
    }),
    emitPartOpened: enqueueActions(({ enqueue, event }) => {
      if (event.type === 'report.part.opened') enqueue.emit({ type: 'TASK_PART_OPENED', payload: event.payload });
    }),
    emitPartClosed: enqueueActions(({ enqueue, event }) => {
      if (event.type === 'report.part.closed') enqueue.emit({ type: 'TASK_PART_CLOSED', payload: event.payload });
    }),
    emitPartAbandoned: enqueueActions(({ enqueue, event }) => {
      if (event.type === 'part.abandon') enqueue.emit({ type: 'TASK_PART_CLOSED', payload: { ...event.payload, outcome: 'ABANDONED' } });
    }),
    emitSuspended: enqueueActions(({ enqueue, event }) => {
      if (event.type === 'report.suspended') enqueue.emit({ type: 'TASK_SUSPENDED', payload: event.payload });
    }),
    emitSuspensionsClosed: enqueueActions(({ enqueue, context }) => {
      for (const suspendId of context.openSuspensionIds)
        enqueue.emit({ type: 'TASK_SUSPENSION_CLOSED', payload: { suspendId, outcome: 'CANCELLED' } });
    }),
    emitCompleted: enqueueActions(({ enqueue, event }) => {
      if (event.type === 'report.completed') enqueue.emit({ type: 'TASK_COMPLETED', payload: event.payload });
    }),
    emitFailed: enqueueActions(({ enqueue, event }) => {
      if (event.type === 'report.failed' || event.type === 'task.fail') enqueue.emit({ type: 'TASK_FAILED', payload: event.payload });
    }),
    emitCancelRequested: enqueueActions(({ enqueue, event }) => {
      if (event.type !== 'task.cancel') return;
      enqueue.emit({ type: 'TASK_CANCEL_REQUESTED', payload: event.reason === undefined ? {} : { reason: event.reason } });
    }),
    emitCancelled: enqueueActions(({ enqueue, context, event }) => {
      const given = event.type === 'report.cancelled' ? event.payload : event.type === 'task.cancel' ? { reason: event.reason } : {};
      const reason = given.reason ?? context.cancelReason ?? DEFAULT_CANCEL_REASON;
      const message = 'message' in given ? given.message : undefined;
      enqueue.emit({ type: 'TASK_CANCELLED', payload: message === undefined ? { reason } : { reason, message } });
    }),
    recordProgress: assign(({ context, event }) => {
      if (event.type !== 'TASK_PROGRESS' || typeof event.payload.progress !== 'number') return context;
      const { progress, stage, message } = event.payload;
      return { ...context, progress: { progress, ...(stage != null && { stage }), ...(message != null && { message }) } };
    }),
    openSuspension: assign(({ context, event }) => {
      if (event.type !== 'TASK_SUSPENDED' || context.openSuspensionIds.includes(event.payload.suspendId)) return context;
      return {
        ...context,
        openSuspensionIds: [...context.openSuspensionIds, event.payload.suspendId],
        suspensionCount: context.suspensionCount + 1,
      };
    }),
    closeSuspension: assign(({ context, event }) => ({ ...context, openSuspensionIds: remaining(context, event) })),
    closeSuspensions: assign({ openSuspensionIds: [] }),
    openPart: assign(({ context, event }) => {
      const part = event.type === 'TASK_PART_OPENED' ? openedPart(event) : undefined;
      if (!part || context.openParts.some(({ opened }) => opened === part.opened)) return context;
      return { ...context, openParts: context.openParts.concat(part), partCount: context.partCount + 1 };
    }),
    closePart: assign(({ context, event }) => {
      const closed = concernedPart(context, event);
      return closed ? { ...context, openParts: context.openParts.filter((part) => part !== closed) } : context;
    }),
    closeParts: assign({ openParts: [] }),
    recordCancelRequest: assign(({ context, event }) =>
      event.type === 'TASK_CANCEL_REQUESTED' ? { ...context, cancelReason: event.payload.reason ?? null } : context,
    ),
    recordResult: assign(({ context, event }) =>
      event.type === 'TASK_COMPLETED' ? { ...context, resultEventId: event.eventId } : context,
    ),
    recordFailure: assign(({ context, event }) => (event.type === 'TASK_FAILED' ? { ...context, failure: event.payload } : context)),
    recordCancellation: assign(({ context, event }) =>
      event.type === 'TASK_CANCELLED' ? { ...context, cancellation: event.payload } : context,
    ),
  },
}).createMachine({
  id: 'task',
  description: 'The life of one task. Intents emit facts, facts move; the log of facts is the task.',
  context: {
    progress: null,
    openSuspensionIds: [],
    suspensionCount: 0,
    cancelReason: null,
    resultEventId: null,
    failure: null,
    cancellation: null,
    openParts: [],
    partCount: 0,
  },
  output: outputOf,
  initial: 'active',
  on: {
    'report.started': { description: 'Nothing follows the end.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'report.progress': { description: 'Nothing follows the end.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'report.message': { description: 'Nothing follows the end.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'report.part.opened': { description: 'Nothing follows the end.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'report.part.closed': { description: 'Nothing follows the end.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'part.abandon': { description: 'Nothing follows the end.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'report.suspended': { description: 'Nothing follows the end.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'report.completed': { description: 'A task ends once.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'report.failed': { description: 'A task ends once.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'report.cancelled': { description: 'A task ends once.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'task.cancel': { description: 'Too late to cancel.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'task.fail': { description: 'A task ends once.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
    'cancel.overdue': { description: 'The end came in time.', actions: { type: 'refuse', params: { code: 'ALREADY_TERMINAL' } } },
  },
  states: {
    active: {
      description: 'Not ended: takes every fact.',
      tags: ['open'],
      initial: 'accepted',
      on: {
        'report.started': { description: 'A later attempt starts again; the log says it once.' },
        'report.progress': { actions: 'emitProgress' },
        'report.message': { actions: 'emitMessage' },
        'report.part.opened': [
          { guard: 'hasMostOpenParts', actions: { type: 'refuse', params: { code: 'TOO_MANY_OPEN_PARTS' } } },
          { guard: 'hasMostParts', actions: { type: 'refuse', params: { code: 'TOO_MANY_PARTS' } } },
          { actions: 'emitPartOpened' },
        ],
        'report.part.closed': [
          { guard: 'concernsOpenPart', actions: 'emitPartClosed' },
          { actions: { type: 'refuse', params: { code: 'PART_NOT_OPEN' } } },
        ],
        'part.abandon': [
          { guard: 'concernsOpenPart', actions: 'emitPartAbandoned' },
          { actions: { type: 'refuse', params: { code: 'PART_NOT_OPEN' } } },
        ],
        'report.suspended': [
          { guard: 'hasMostOpenSuspensions', actions: { type: 'refuse', params: { code: 'TOO_MANY_OPEN_SUSPENSIONS' } } },
          { guard: 'hasMostSuspensions', actions: { type: 'refuse', params: { code: 'TOO_MANY_SUSPENSIONS' } } },
          { actions: 'emitSuspended' },
        ],
        'report.completed': [
          { guard: 'hasOpenParts', actions: { type: 'refuse', params: { code: 'PARTS_OPEN' } } },
          { actions: ['emitSuspensionsClosed', 'emitCompleted'] },
        ],
        'report.failed': [
          { guard: 'hasOpenParts', actions: { type: 'refuse', params: { code: 'PARTS_OPEN' } } },
          { actions: ['emitSuspensionsClosed', 'emitFailed'] },
        ],
        'report.cancelled': [
          { guard: 'hasOpenParts', actions: { type: 'refuse', params: { code: 'PARTS_OPEN' } } },
          { actions: ['emitSuspensionsClosed', 'emitCancelled'] },
        ],
        'task.cancel': [
          { guard: 'hasOpenParts', actions: { type: 'refuse', params: { code: 'PARTS_OPEN' } } },
          {
            description: 'Nothing runs that would have to be told: the end comes at once.',
            actions: ['emitSuspensionsClosed', 'emitCancelled'],
          },
        ],
        'task.fail': [
          { guard: 'hasOpenParts', actions: { type: 'refuse', params: { code: 'PARTS_OPEN' } } },
          { actions: ['emitSuspensionsClosed', 'emitFailed'] },
        ],
        'cancel.overdue': { actions: { type: 'refuse', params: { code: 'NOT_CANCELLING' } } },
        TASK_STARTED: { target: '.running' },
        TASK_PROGRESS: { actions: 'recordProgress' },
        TASK_MESSAGE: { description: 'Shown to people; changes nothing.' },
        TASK_PART_OPENED: { actions: 'openPart' },
        TASK_PART_CLOSED: { actions: 'closePart' },
        TASK_SUSPENDED: { target: '.suspended', actions: 'openSuspension' },
        TASK_ACTION_ACCEPTED: { actions: 'closeSuspension' },
        TASK_SUSPENSION_CLOSED: { actions: 'closeSuspension' },
        TASK_CANCEL_REQUESTED: { target: '.cancelling', actions: 'recordCancelRequest' },
        TASK_COMPLETED: { target: 'completed', actions: ['closeSuspensions', 'closeParts', 'recordResult'] },
        TASK_FAILED: { target: 'failed', actions: ['closeSuspensions', 'closeParts', 'recordFailure'] },
        TASK_CANCELLED: { target: 'cancelled', actions: ['closeSuspensions', 'closeParts', 'recordCancellation'] },
      },
      states: {
        accepted: {
          description: 'Recorded; the work has not begun.',
          on: {
            'report.started': { actions: 'emitStarted' },
            'log.joined': { description: 'A client begins here without knowing what came before.', target: 'joined' },
            TASK_PROGRESS: { target: 'running', actions: 'recordProgress' },
          },
        },
        joined: {
          description: 'A client that began in the middle of the log; the next telling fact says where the task is.',
          tags: ['partial'],
        },
        running: {
          description: 'The work is under way.',
          on: {
            'task.cancel': { description: 'The work has to be told first.', actions: 'emitCancelRequested' },
            TASK_STARTED: { description: 'Known already.' },
          },
        },
        suspended: {
          description: 'Waits for a person or an outside system; progress may still be reported.',
          tags: ['waiting'],
          on: {
            TASK_STARTED: { description: 'Changes nothing about the questions.' },
            TASK_ACTION_ACCEPTED: [
              { guard: 'closesLastSuspension', target: 'running', actions: 'closeSuspension' },
              { actions: 'closeSuspension' },
            ],
            TASK_SUSPENSION_CLOSED: [
              { guard: 'closesLastSuspension', target: 'running', actions: 'closeSuspension' },
              { actions: 'closeSuspension' },
            ],
          },
        },
        cancelling: {
          description: 'Somebody asked for the end; the work was told and has a time of grace.',
          on: {
            'report.suspended': { actions: { type: 'refuse', params: { code: 'CANCELLING' } } },
            'task.cancel': { description: 'Asked for already; the log says it once.' },
            'cancel.overdue': [
              { guard: 'hasOpenParts', actions: { type: 'refuse', params: { code: 'PARTS_OPEN' } } },
              { actions: ['emitSuspensionsClosed', 'emitCancelled'] },
            ],
            TASK_STARTED: { description: 'Does not undo the request.' },
            TASK_SUSPENDED: { actions: 'openSuspension' },
            TASK_CANCEL_REQUESTED: { description: 'Known already.' },
          },
        },
      },
    },
    completed: { description: 'Ended with a result.', tags: ['terminal'], type: 'final', output: 'COMPLETED' },
    failed: { description: 'Ended with a failure.', tags: ['terminal'], type: 'final', output: 'FAILED' },
    cancelled: { description: 'Ended on request.', tags: ['terminal'], type: 'final', output: 'CANCELLED' },
  },
});
