import type { FactType } from '../../machines/wire/index.ts';

/** A fact that an action emits. */
export interface EmittedFact {
  readonly fact: FactType;
  /** What of its payload a guard reads. */
  readonly payload?: Readonly<Record<string, string>>;
  /** Emitted once for each of these: never, or often. */
  readonly each?: string;
}

const emitted: Readonly<Record<string, EmittedFact>> = {
  emitStarted: { fact: 'TASK_STARTED' },
  emitProgress: { fact: 'TASK_PROGRESS' },
  emitMessage: { fact: 'TASK_MESSAGE' },
  emitPartOpened: { fact: 'TASK_PART_OPENED' },
  emitPartClosed: { fact: 'TASK_PART_CLOSED' },
  emitPartAbandoned: { fact: 'TASK_PART_CLOSED', payload: { outcome: 'ABANDONED' } },
  emitSuspended: { fact: 'TASK_SUSPENDED' },
  emitSuspensionsClosed: { fact: 'TASK_SUSPENSION_CLOSED', payload: { outcome: 'CANCELLED' }, each: 'open suspension' },
  emitActionAccepted: { fact: 'TASK_ACTION_ACCEPTED' },
  emitExpired: { fact: 'TASK_SUSPENSION_CLOSED', payload: { outcome: 'EXPIRED' } },
  emitCancelRequested: { fact: 'TASK_CANCEL_REQUESTED' },
  emitCompleted: { fact: 'TASK_COMPLETED' },
  emitFailed: { fact: 'TASK_FAILED' },
  emitCancelled: { fact: 'TASK_CANCELLED' },
};

/** What an action of a recorded chart emits: a chart keeps that in its functions, which no tool reads. The flow's test holds it to them. */
export function emittedBy(action: string): EmittedFact {
  const found = emitted[action];
  if (!found) throw new Error(`Nobody says what the action "${action}" emits. Add it to scripts/charts/fact-emissions.ts.`);
  return found;
}

/** What one chart says of what the other decides, by the fact that this is told by. */
export const decidedElsewhere: Readonly<Partial<Record<FactType, string>>> = {
  TASK_SUSPENDED: 'isAsked',
  TASK_ACTION_ACCEPTED: 'isAccepted',
  TASK_SUSPENSION_CLOSED: 'isPastDeadline',
  TASK_COMPLETED: 'endsTask',
  TASK_FAILED: 'endsTask',
  TASK_CANCELLED: 'endsTask',
};
