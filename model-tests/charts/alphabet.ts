import type { EventObject } from 'xstate';
import type { TaskIntent } from '../../machines/index.ts';
import { eventId, type Fact, type FactPayload, type FactType } from '../../machines/wire/index.ts';

/** At least one event of each type; the compiler refuses a table that leaves a type out. */
export type AlphabetTable<E extends EventObject> = { readonly [K in E['type']]: readonly (E & { readonly type: K })[] };

/** All events of a table. */
export function alphabetOf<E extends EventObject>(table: AlphabetTable<E>): readonly E[] {
  return Object.values<readonly E[]>(table).flat();
}

/** A fact as a log has it. */
export function fact<T extends FactType>(type: T, payload: FactPayload<T>, n = 7): Fact<T> {
  // The halves belong together by construction; the compiler cannot see it through the generic.
  return { type, payload, taskId: 't', eventId: eventId(n, 1), createdAt: '2026-01-01T00:00:00Z' } as unknown as Fact<T>;
}

/** A question, with a deadline where one is given. */
export function question(suspendId: string, expiresAt?: string): FactPayload<'TASK_SUSPENDED'> {
  return {
    suspendId,
    kind: 'USER_ACTION_REQUIRED',
    reasonCode: 'CHOOSE',
    allowedActions: ['keep', 'drop'],
    schemaVersion: 1,
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

/** By which the alphabet's two parts are named: the facts that open them are the eighth and the ninth. */
export const partNumbers = [8, 9] as const;
const [answer, notes] = partNumbers;

/** The facts that move a task's chart and those of its two questions, `a` and `b`, and its two parts. */
export const factTable: AlphabetTable<Fact> = {
  TASK_STARTED: [fact('TASK_STARTED', {})],
  TASK_PROGRESS: [fact('TASK_PROGRESS', { progress: 50 })],
  TASK_MESSAGE: [fact('TASK_MESSAGE', { message: 'Read.' })],
  TASK_PART_OPENED: [
    fact('TASK_PART_OPENED', { name: 'answer', kind: 'text' }, answer),
    fact('TASK_PART_OPENED', { name: 'notes', kind: 'jsonl', attributes: { model: 'small' } }, notes),
  ],
  TASK_PART_CLOSED: [
    fact('TASK_PART_CLOSED', { part: answer, bytes: 4, outcome: 'DONE', text: 'Yes.' }),
    fact('TASK_PART_CLOSED', { part: notes, bytes: 100_000, outcome: 'ABANDONED' }),
  ],
  TASK_SUSPENDED: [fact('TASK_SUSPENDED', question('a')), fact('TASK_SUSPENDED', question('b'))],
  TASK_ACTION_ACCEPTED: ['a', 'b'].map((suspendId) =>
    fact('TASK_ACTION_ACCEPTED', { suspendId, clientActionId: 'c1', actionType: 'keep', acceptedAt: '2026-01-01T00:00:00Z' }),
  ),
  TASK_SUSPENSION_CLOSED: ['a', 'b'].flatMap((suspendId) => [
    fact('TASK_SUSPENSION_CLOSED', { suspendId, outcome: 'EXPIRED' }),
    fact('TASK_SUSPENSION_CLOSED', { suspendId, outcome: 'CANCELLED' }),
  ]),
  TASK_CANCEL_REQUESTED: [fact('TASK_CANCEL_REQUESTED', {}), fact('TASK_CANCEL_REQUESTED', { reason: 'Enough.' })],
  TASK_COMPLETED: [fact('TASK_COMPLETED', { result: { rows: 3 } })],
  TASK_FAILED: [fact('TASK_FAILED', { code: 'BROKEN', message: 'It broke.', retryable: false })],
  TASK_CANCELLED: [fact('TASK_CANCELLED', { reason: 'Enough.' })],
};

const failure = { code: 'BROKEN', message: 'It broke.', retryable: true };

/** What may be wished of a task itself; charts, histories and the levels take it from here. */
export const intentTable: AlphabetTable<TaskIntent> = {
  'report.started': [{ type: 'report.started', payload: {} }],
  'report.progress': [{ type: 'report.progress', payload: { progress: 50 } }],
  'report.message': [{ type: 'report.message', payload: { message: 'Read.' } }],
  'report.part.opened': [{ type: 'report.part.opened', payload: { name: 'answer', kind: 'text' } }],
  'report.part.closed': [
    { type: 'report.part.closed', payload: { part: answer, bytes: 4, outcome: 'DONE', text: 'Yes.' } },
    { type: 'report.part.closed', payload: { part: notes, bytes: 0, outcome: 'ABANDONED' } },
  ],
  'part.abandon': [{ type: 'part.abandon', payload: { part: answer, bytes: 100_000 } }],
  'report.suspended': [{ type: 'report.suspended', payload: question('a') }],
  'report.completed': [{ type: 'report.completed', payload: { result: { rows: 3 } } }],
  'report.failed': [{ type: 'report.failed', payload: failure }],
  'report.cancelled': [
    { type: 'report.cancelled', payload: {} },
    { type: 'report.cancelled', payload: { reason: 'Stopped.', message: 'Half done.' } },
  ],
  'task.cancel': [{ type: 'task.cancel' }, { type: 'task.cancel', reason: 'Enough.' }],
  'task.fail': [{ type: 'task.fail', payload: failure }],
  'cancel.overdue': [{ type: 'cancel.overdue' }],
};
